import { define } from "../../../app/define.ts";
import { beginDevice } from "../../../app/device.ts";
import { byMethod } from "../../../app/methods.ts";

/** Begins the sign-in of a program without a browser. */
export const handlers = define.handlers(byMethod({ POST: beginDevice }));
