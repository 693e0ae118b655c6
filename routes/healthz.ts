import { json } from "../app/api.ts";
import { define } from "../app/define.ts";

/** Whether the process answers. */
export const handlers = define.handlers({ GET: () => json({ status: "ok" }) });
