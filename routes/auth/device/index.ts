import { define } from "../../../app/http/define.ts";
import { beginDevice } from "../../../app/auth/device.ts";
import { byMethod } from "../../../app/http/methods.ts";

/** Begins the sign-in of a program without a browser. */
export const handlers = define.handlers(byMethod({ POST: beginDevice }));
