import { clampMs } from "./backoff.ts";

/** The part of a `WebSocket` that the client uses; that of browsers, Deno, Node and `ws` fit. */
export interface ClientWebSocket {
  /** 1 while messages can be sent. */
  readonly readyState: number;
  /** Queues a text message. */
  send(data: string): void;
  /** Ends the connection, or the attempt. */
  close(code?: number): void;
  /** Listens to `open`, `message`, `error` or `close`. */
  addEventListener(type: string, listener: (event: ClientWebSocketEvent) => void): void;
}

/** What a {@linkcode ClientWebSocket} reports: a message has `data`, a close the other two. */
export interface ClientWebSocketEvent {
  /** `open`, `message`, `error` or `close`. */
  readonly type: string;
  /** The message: a string where it is text. */
  readonly data?: unknown;
  /** Of RFC 6455 §7.4; 1006 where the connection was lost. */
  readonly code?: number;
  /** What the server says of the close. */
  readonly reason?: string;
}

/**
 * Everything that a client takes from where it runs. Each part can be handed in; what is not comes
 * from the globals.
 *
 * The baseline is ES2022 with `fetch`, `URL`, `AbortController` and `performance.now()`: browsers of 2022
 * (Safari 15.4), Node 22, Deno, Bun, and React Native, which tells nothing of its network or its
 * visibility: hand in a `listen` there.
 */
export interface ClientEnvironment {
  /** The class of the sockets. */
  readonly WebSocket: new (url: string, protocols: string[]) => ClientWebSocket;
  /** How the reason of a refusal is read. */
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** What a path is resolved against: the address of the page. */
  readonly baseUrl: string | undefined;
  /** Milliseconds from a clock that never goes back, whatever becomes of the machine's time. */
  now(): number;
  /** Calls back once after `ms` milliseconds, unless the returned function was called. */
  after(ms: number, callback: () => void): () => void;
  /** A number from 0 up to, not including, 1. */
  random(): number;
  /** Whether the machine may have a network. */
  isOnline(): boolean;
  /** Whether nobody can see the page. */
  isHidden(): boolean;
  /** Calls back on each change; returns how to stop it. */
  listen(change: "online" | "offline" | "visible", callback: () => void): () => void;
  /** Takes what a handler threw, and what the server sent and is no frame. */
  report(error: unknown): void;
}

/** What this module needs of a global scope; all of it may be missing. */
interface Globals {
  readonly WebSocket?: ClientEnvironment["WebSocket"];
  readonly reportError?: (error: unknown) => void;
  readonly location?: { readonly href: string };
  readonly navigator?: { readonly onLine?: boolean };
  readonly document?: EventTarget & { readonly visibilityState: string };
  readonly addEventListener?: EventTarget["addEventListener"];
  readonly removeEventListener?: EventTarget["removeEventListener"];
}

/**
 * Returns what the globals offer, with `parts` in their place.
 *
 * @throws {TypeError} There is no `WebSocket`, neither handed in nor global.
 */
export function toEnvironment(parts: Partial<ClientEnvironment> = {}): ClientEnvironment {
  const globals = globalThis as Globals;
  const WebSocket = parts.WebSocket ?? globals.WebSocket;
  if (!WebSocket) throw new TypeError("Cannot connect: there is no WebSocket, so hand one in");
  const page = globals.document;
  const environment: ClientEnvironment = {
    fetch: (url, init) => fetch(url, init),
    baseUrl: globals.location?.href,
    now: () => performance.now(),
    after(ms, callback) {
      const timer = setTimeout(callback, ms);
      return () => clearTimeout(timer);
    },
    random: () => Math.random(),
    isOnline: () => globals.navigator?.onLine !== false,
    isHidden: () => page?.visibilityState === "hidden",
    listen(change, callback) {
      if (change !== "visible") return listenTo(globals, change, callback);
      const whenVisible = () => page?.visibilityState === "visible" && callback();
      return listenTo(page, "visibilitychange", whenVisible);
    },
    report(error) {
      // In a page it reaches `window.onerror`; elsewhere it would end the process.
      if (page && globals.reportError) globals.reportError(error);
      else console.error(error);
    },
    ...parts,
    WebSocket,
  };
  return {
    ...environment,
    after: (ms, callback) => environment.after(clampMs(ms), callback),
    report(error) {
      try {
        environment.report(error);
      } catch {
        // What takes the errors of handlers must not be one more of them.
      }
    },
  };
}

function listenTo(target: Globals | undefined, type: string, callback: () => void): () => void {
  target?.addEventListener?.(type, callback);
  return () => target?.removeEventListener?.(type, callback);
}
