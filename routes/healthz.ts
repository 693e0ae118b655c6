import { json } from "../app/http/api.ts";
import { define } from "../app/http/define.ts";
import { byMethod } from "../app/http/methods.ts";

/** Liveness: the process answers. */
export const handlers = define.handlers(byMethod({ GET: () => json({ status: "ok" }) }));
