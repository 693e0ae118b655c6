import { define } from "../../../app/http/define.ts";
import { pollDevice } from "../../../app/auth/device.ts";
import { byMethod } from "../../../app/http/methods.ts";

/** Answers a program's poll: pending, or the token of its session. */
export const handlers = define.handlers(byMethod({ POST: pollDevice }));
