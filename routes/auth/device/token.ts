import { define } from "../../../app/define.ts";
import { pollDevice } from "../../../app/device.ts";
import { byMethod } from "../../../app/methods.ts";

/** Where it asks whether it was approved, and gets its session's token. */
export const handlers = define.handlers(byMethod({ POST: pollDevice }));
