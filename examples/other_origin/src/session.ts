/** The Sluice server, which is on another origin than this page. */
export const SERVER: string = import.meta.env.VITE_SERVER ?? "http://127.0.0.1:8000";

/** The signed-in user. */
export interface User {
  readonly id: string;
  readonly login: string;
  readonly name: string;
}

/** Returns the signed-in user; null if there is none. */
export async function fetchUser(): Promise<User | null> {
  const response = await fetch(`${SERVER}/api/me`, { credentials: "include" });
  if (response.status === 401) return null;
  if (!response.ok) throw new Error(`The server answered ${response.status}`);
  return await response.json();
}

/** Returns the address of the sign-in, which leads back to this page. */
export function signInUrl(): string {
  const query = new URLSearchParams({ return_to: location.href });
  return `${SERVER}/signin?${query}`;
}

/** Ends the session, and with it all its sockets. */
export async function signOut(): Promise<void> {
  const response = await fetch(`${SERVER}/auth/signout`, {
    method: "POST",
    credentials: "include",
  });
  if (!response.ok) throw new Error(`The server answered ${response.status}`);
}
