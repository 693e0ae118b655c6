import { define } from "../../../app/define.ts";
import { beginDevice } from "../../../app/device.ts";
import { byMethod } from "../../../app/methods.ts";

/** Where a program without a browser begins to sign in. */
export const handlers = define.handlers(byMethod({ POST: beginDevice }));
