import type { ReplyFrame, ServerFrame } from "../protocol/frames.ts";
import type { RequestErrorCode } from "./request_error.ts";

/** A message to be sent. */
export interface Outgoing {
  readonly text: string;
  sent: boolean;
  /** Called when the message was handed to a connection. */
  transmitted?(): void;
  /** Settles the message without a reply. */
  fail(code: RequestErrorCode, message: string): void;
}

/** A request or a ping that expects a reply. */
export interface Pending {
  readonly sent: boolean;
  readonly isOnce?: boolean;
  readonly fail: (code: RequestErrorCode, message: string) => void;
  readonly answer: (reply: ReplyFrame) => void;
}

/** Returns a ping that waits for its reply. It is forgotten if the connection is lost. */
export function pendingPing(forget: () => void, answer: (reply: ReplyFrame) => void): Pending {
  return {
    sent: true,
    fail: forget,
    answer(reply) {
      forget();
      answer(reply);
    },
  };
}

/** Also accepts an echoed ping, as the reply of a server that sends back all messages. */
export function isReply(frame: ServerFrame): frame is ReplyFrame {
  return frame.type === "reply" || frame.type === "ping";
}
