import { define } from "../../../app/define.ts";
import { pollDevice } from "../../../app/device.ts";
import { byMethod } from "../../../app/methods.ts";

/** Answers a program's poll: pending, or the token of its session. */
export const handlers = define.handlers(byMethod({ POST: pollDevice }));
