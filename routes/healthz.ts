import { json } from "../app/api.ts";
import { define } from "../app/define.ts";
import { byMethod } from "../app/methods.ts";

/** Liveness: the process answers. */
export const handlers = define.handlers(byMethod({ GET: () => json({ status: "ok" }) }));
