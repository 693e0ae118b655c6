import { HttpError } from "fresh";
import { define } from "../../../app/http/define.ts";
import type { Context } from "fresh";
import type { State } from "../../../app/http/define.ts";

/** Serves the development identity provider, if it is on. */
export const handlers = define.handlers({ GET: forward, POST: forward });

function forward(ctx: Context<State>): Promise<Response> {
  const { services: { devIdentity }, peer, body } = ctx.state;
  if (devIdentity === undefined) throw new HttpError(404);
  // The provider needs the URL that the browser sees, even behind a proxy.
  const { method, headers } = ctx.req;
  const init = { method, headers, ...(method === "POST" ? { body } : {}) };
  return devIdentity.handle(new Request(peer.url, init), peer);
}
