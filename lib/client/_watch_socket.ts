import { CloseCode } from "../protocol/mod.ts";
import type { ClientEnvironment, ClientWebSocket } from "./environment.ts";

/** How long an open socket that failed may take to report its close, in milliseconds. */
const CLOSE_EVENT_MS = 1_000;

/** What becomes of a socket. */
export interface SocketWatch {
  opened(): void;
  message(data: unknown): void;
  /** Called once, whether the socket was open or not. */
  ended(code: number, reason: string): void;
}

/** Reports what becomes of a socket until `signal` is aborted, alike on all runtimes. */
export function watchSocket(
  socket: ClientWebSocket,
  { after }: ClientEnvironment,
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
  // Node 22 reports no close after it. Elsewhere the close has the code, and follows at once.
  socket.addEventListener("error", () => {
    if (signal.aborted) return;
    if (!isOpen) return end(CloseCode.abnormal, "");
    const fail = () => end(CloseCode.abnormal, "The connection failed");
    signal.addEventListener("abort", after(CLOSE_EVENT_MS, fail));
  });
  socket.addEventListener("close", ({ code, reason = "" }) => {
    end(code || CloseCode.abnormal, reason); // Deno says 0.
  });
}
