import type { ClientEnvironment, ClientWebSocket } from "../environment.ts";

/** What {@linkcode returnToWebSocket} uses. */
export interface ReturnContext {
  readonly environment: ClientEnvironment;
  /** Opens a WebSocket. */
  open(): Promise<ClientWebSocket>;
  /** Aborted when the connection over HTTP ends. */
  readonly signal: AbortSignal;
  /** Whether no reply is pending. */
  isIdle(): boolean;
  /** Reconnects with a WebSocket. */
  moveBack(): void;
}

/** Longest delay until a WebSocket is tried, in milliseconds; at least half of it passes. */
const RETRY_MS = 300_000;

/** How long a WebSocket may take to answer, in milliseconds. */
const ANSWER_MS = 10_000;

/** Delay until pending replies are checked again, in milliseconds. */
const IDLE_MS = 1_000;

/**
 * Tries a WebSocket every few minutes, and when the machine comes online, until one answers. The
 * connection over HTTP goes on meanwhile.
 */
export function returnToWebSocket(context: ReturnContext): void {
  const { environment, signal, isIdle, moveBack } = context;
  let stopTimer = () => {};
  let isTrying = false;
  const after = (ms: number, callback: () => void) => {
    stopTimer();
    if (!signal.aborted) stopTimer = environment.after(ms, callback);
  };
  const attempt = async () => {
    if (isTrying || signal.aborted) return;
    isTrying = true;
    const isGood = await answers(context).catch(() => false);
    isTrying = false;
    if (isGood) move();
    else later();
  };
  const move = () => {
    if (signal.aborted) return;
    if (isIdle()) moveBack();
    else after(IDLE_MS, move);
  };
  const later = () => after(RETRY_MS * (1 + environment.random()) / 2, attempt);
  const unlisten = environment.listen("online", attempt);
  signal.addEventListener("abort", () => {
    stopTimer();
    unlisten();
  });
  later();
}

/** Opens a WebSocket for a moment. Resolves to whether a message came back. */
async function answers({ environment, open, signal }: ReturnContext): Promise<boolean> {
  const socket = await open();
  return await new Promise<boolean>((resolve) => {
    const stopTimer = environment.after(ANSWER_MS, () => end(false));
    const end = (isGood: boolean) => {
      stopTimer();
      socket.close();
      resolve(isGood);
    };
    const lost = () => end(false);
    socket.addEventListener("open", () => socket.send('{"type":"ping","id":"0"}'));
    socket.addEventListener("message", () => end(true));
    socket.addEventListener("error", lost);
    socket.addEventListener("close", lost);
    signal.addEventListener("abort", lost);
  });
}
