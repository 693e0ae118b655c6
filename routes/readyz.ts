import { json } from "../app/http/api.ts";
import { define } from "../app/http/define.ts";
import { byMethod } from "../app/http/methods.ts";
import { readiness } from "../app/http/readiness.ts";

/** Readiness: 503 while the process drains, or without its database or layer. */
export const handlers = define.handlers(byMethod({
  async GET(ctx) {
    const state = await readiness(ctx.state.services);
    return json(state, state.status === "ok" ? 200 : 503);
  },
}));
