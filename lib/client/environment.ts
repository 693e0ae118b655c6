import { clampMs } from "./backoff.ts";

/** A socket of a {@linkcode ClientEnvironment}. */
export type ClientWebSocket = InstanceType<ClientEnvironment["WebSocket"]>;

/**
 * Everything that a client takes from its runtime. Each part can be replaced; the default is the
 * global.
 *
 * The baseline is ES2022 with `fetch`, `URL`, `AbortController` and `performance.now()`: browsers of
 * 2022 (Safari 15.4), Node 22, Deno, Bun, and React Native, which reports neither network nor
 * visibility changes; provide a `listen` there.
 */
export interface ClientEnvironment {
  /**
   * The class of sockets, with the part of `WebSocket` that the client uses; those of browsers, Deno,
   * Node and `ws` qualify.
   */
  readonly WebSocket: new (url: string, protocols: string[]) => {
    /** 1 while messages can be sent. */
    readonly readyState: number;
    /** Queues a text message. */
    send(data: string): void;
    /** Ends the connection or the attempt. */
    close(code?: number): void;
    /** Listens to `open`, `message`, `error` or `close`. */
    addEventListener(
      type: string,
      listener: (event: {
        readonly type: string;
        /** The message; a string if it is text. */
        readonly data?: unknown;
        /** Close code of RFC 6455 §7.4; 1006 if the connection was lost. */
        readonly code?: number;
        /** Close reason from the server. */
        readonly reason?: string;
      }) => void,
    ): void;
  };
  /** Reads the reason of a refusal. */
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** Base URL of relative paths: the URL of the page. */
  readonly baseUrl: string | undefined;
  /** Milliseconds of a monotonic clock. */
  now(): number;
  /** Calls back once after `ms` milliseconds, unless the returned function is called first. */
  after(ms: number, callback: () => void): () => void;
  /** Returns a random number in [0, 1). */
  random(): number;
  /** Whether the machine may be online. */
  isOnline(): boolean;
  /** Whether the page is hidden. */
  isHidden(): boolean;
  /** Calls back on each change; returns a function that stops this. */
  listen(change: "online" | "offline" | "visible", callback: () => void): () => void;
  /** Receives errors of handlers and malformed frames of the server. */
  report(error: unknown): void;
}

/** The globals that this module uses; any of them may be missing. */
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
 * Returns the environment of the globals, overridden by `parts`.
 *
 * @throws {TypeError} There is no `WebSocket`, neither in `parts` nor global.
 */
export function toEnvironment(parts: Partial<ClientEnvironment> = {}): ClientEnvironment {
  const globals = globalThis as Globals;
  const WebSocket = parts.WebSocket ?? globals.WebSocket;
  if (!WebSocket) {
    throw new TypeError("There is no WebSocket");
  }
  const page = globals.document;
  const environment: ClientEnvironment = {
    fetch: (url, init) => fetch(url, init),
    baseUrl: globals.location?.href,
    now: () => performance.now(),
    after(ms, callback) {
      const timer = setTimeout(callback, ms);
      return () => clearTimeout(timer);
    },
    random: Math.random,
    isOnline: () => globals.navigator?.onLine !== false,
    isHidden: () => page?.visibilityState === "hidden",
    listen(change, callback) {
      if (change !== "visible") return listenTo(globals, change, callback);
      const whenVisible = () => page?.visibilityState === "visible" && callback();
      return listenTo(page, "visibilitychange", whenVisible);
    },
    report(error) {
      // In a page this reaches `window.onerror`; elsewhere it would end the process.
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
        // An error in the error reporter itself is ignored.
      }
    },
  };
}

function listenTo(target: Globals | undefined, type: string, callback: () => void): () => void {
  target?.addEventListener?.(type, callback);
  return () => target?.removeEventListener?.(type, callback);
}

/** A server on the same machine is reachable without a network. */
export function isLoopback(url: string): boolean {
  return /(^|\.)localhost$|^127\.|^\[::1]$/.test(new URL(url).hostname);
}
