import { useEffect, useState } from "react";
import { Room } from "./Room.tsx";
import { fetchUser, SERVER, signInUrl, signOut, type User } from "./session.ts";

/** Shows the signed-in user, and the room; or a link to sign in. */
export function App() {
  const [user, setUser] = useState<User | null>();
  const [notice, setNotice] = useState("");

  useEffect(() => {
    fetchUser().then(setUser, (error: Error) => {
      setNotice(`Can't reach ${SERVER}, or it does not allow ${location.origin}. ${error.message}`);
    });
  }, []);

  /** The session has ended: signed out here, in another tab, or ended by the server. */
  function leave() {
    setUser(null);
    setNotice("You are signed out.");
  }

  return (
    <main>
      <h1>A room on another origin</h1>
      <p role="status">{notice}</p>
      {user === null && <a className="button" href={signInUrl()}>Sign in</a>}
      {user && (
        <>
          <p className="user">
            You are <b>{user.name}</b>
            <button
              type="button"
              onClick={() => signOut().then(leave, () => setNotice("Try again."))}
            >
              Sign out
            </button>
          </p>
          <Room user={user} onSignedOut={leave} />
        </>
      )}
    </main>
  );
}
