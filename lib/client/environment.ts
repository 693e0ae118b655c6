import { clampMs } from "./backoff.ts";
import type { ConnectOptions } from "./connect_options.ts";

/** A socket of a {@linkcode ClientEnvironment}. */
export type ClientWebSocket = InstanceType<ClientEnvironment["WebSocket"]>;

/** Everything that a client takes from its runtime. */
export type ClientEnvironment = Required<Omit<Replacements, "baseUrl">> & {
  readonly baseUrl: string | undefined;
};

type Replacements = NonNullable<ConnectOptions["environment"]>;

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
export function toEnvironment(parts: Replacements = {}): ClientEnvironment {
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
