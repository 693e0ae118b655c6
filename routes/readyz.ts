import { json } from "../app/api.ts";
import { define } from "../app/define.ts";
import { byMethod } from "../app/methods.ts";
import { readiness } from "../app/readiness.ts";

/** Readiness: 503 while the process drains, or without its database or layer. */
export const handlers = define.handlers(byMethod({
  async GET(ctx) {
    const state = await readiness(ctx.state.services);
    return json(state, state.status === "ok" ? 200 : 503);
  },
}));
