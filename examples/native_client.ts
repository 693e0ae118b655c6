/**
 * A program without a browser that opens a socket to the app: `deno run -A examples/native_client.ts`.
 *
 * It signs in by the OAuth 2.0 device flow (RFC 8628): it prints a URL and a code, and waits until a
 * signed-in user approves. With the session's token it requests a single-use ticket before each
 * connection; the token itself is never sent over a socket. `SLUICE_URL` is the URL of the app,
 * `SLUICE_TOKEN` is the token of an earlier run.
 *
 * @module
 */
import { connect } from "@sluice/sluice/client";
import type { Messages } from "@sluice/sluice/protocol";

const site = Deno.env.get("SLUICE_URL") ?? "http://127.0.0.1:8000";
const path = "/ws/chat/lobby";

/** Signs in as the user who approves the request; returns the session's token. */
async function signIn(): Promise<string> {
  const begun = await post("/auth/device", {});
  const { device_code, interval, verification_uri_complete } = await begun.json();
  console.log(`Open ${verification_uri_complete} to sign in`);
  while (true) {
    await new Promise((resolve) => setTimeout(resolve, interval * 1000));
    const answer = await (await post("/auth/device/token", { device_code })).json();
    if (answer.access_token !== undefined) return answer.access_token;
    if (!["authorization_pending", "slow_down"].includes(answer.error)) {
      throw new Error(`Not signed in: ${answer.error}`);
    }
  }
}

function post(path: string, form: Record<string, string>): Promise<Response> {
  return fetch(new URL(path, site), { method: "POST", body: new URLSearchParams(form) });
}

const token = Deno.env.get("SLUICE_TOKEN") ?? await signIn();

/** Requests a ticket, which is valid for one socket and half a minute. */
async function ticket(): Promise<string> {
  const response = await fetch(new URL("/api/tickets", site), {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify({ path }),
  });
  if (!response.ok) throw response;
  return (await response.json()).ticket;
}

using room = connect<Messages>(new URL(path, site), { ticket });
const isOver = Promise.withResolvers<void>();
room.onState((state, { reason }) => {
  console.log(`${state}${reason ? `: ${reason}` : ""}`);
  if (["signed-out", "refused", "closed"].includes(state)) isOver.resolve();
});
room.on("said", (data) => console.log(JSON.stringify(data)));
room.send("say", { text: "Hello from a program" });
await isOver.promise;
