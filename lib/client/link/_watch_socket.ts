import type { ClientWebSocket } from "../environment.ts";

/** Close code of a lost connection (RFC 6455 §7.4.1). A constant takes less than the table of codes. */
export const ABNORMAL = 1006;

/** How long to wait for the close event after an error, in milliseconds. */
const CLOSE_EVENT_MS = 1_000;

/** Callbacks of {@linkcode watchSocket}. */
export interface SocketWatch {
  opened(): void;
  message(data: unknown): void;
  /** Called once, even if the socket never opened. */
  ended(code: number, reason: string): void;
  /** Calls back later, unless `signal` is aborted first. */
  after(ms: number, callback: () => void): void;
}

/** Reports the events of a socket until `signal` is aborted, in the same way on all runtimes. */
export function watchSocket(
  socket: ClientWebSocket,
  signal: AbortSignal,
  watch: SocketWatch,
): void {
  let isOpen = false;
  let isOver = false;
  const end = (code: number, reason: string) => {
    if (signal.aborted || isOver) return;
    isOver = true;
    watch.ended(code, reason);
  };
  socket.addEventListener("open", () => {
    if (signal.aborted) return socket.close();
    isOpen = true;
    watch.opened();
  });
  socket.addEventListener("message", ({ data }) => {
    if (!signal.aborted) watch.message(data);
  });
  // Node 22 fires no close event after an error. Other runtimes do, with the code.
  socket.addEventListener("error", () => {
    if (signal.aborted) return;
    if (!isOpen) return end(ABNORMAL, "");
    watch.after(CLOSE_EVENT_MS, () => end(ABNORMAL, "The connection failed"));
  });
  socket.addEventListener("close", ({ code, reason = "" }) => {
    end(code || ABNORMAL, reason); // Deno reports 0.
  });
}
