import type { ConsumerClass } from "../routing/router.ts";
import { route, router } from "../routing/mod.ts";
import type { ConnectionHandler } from "../core/consumer.ts";
import type { Log } from "../core/log.ts";
import type { Admission, Application, Scope } from "../core/scope.ts";
import type { Transport } from "../core/transport.ts";
import { consoleLog, type Handler, type HandlerOptions } from "../server/mod.ts";
import { createHandler } from "../server/gate.ts";

/**
 * The request of a test, and the options with which its target runs.
 *
 * @internal
 */
export interface TestOptions extends Omit<HandlerOptions, "transport"> {
  /** Path and query of the request, or a full URL. @default {"/"} */
  readonly path?: string;
  /** Headers of the request. */
  readonly headers?: HeadersInit;
  /** The subprotocols that the peer of a socket offers. */
  readonly subprotocols?: readonly string[];
  /** The method of a plain request. @default {"GET"} */
  readonly method?: string;
  /** The body of a plain request. */
  readonly body?: BodyInit;
  /** Properties that middleware would add to the scope: a user, a layer, parameters. */
  readonly scope?: Readonly<Record<string, unknown>>;
  /** The peer's address. @default {"127.0.0.1"} */
  readonly address?: string;
  /** Time limit of a wait, in milliseconds. @default {1000} */
  readonly timeoutMs?: number;
  /**
   * Whether the next method of the communicator throws errors of the consumer. False is as in
   * production: the peer receives `INTERNAL`, 500 or 1011, and the error is logged. @default {true}
   */
  readonly raise?: boolean;
}

/** A consumer class or an application. */
export type TestTarget<S> = ConsumerClass<S> | Application<S>;

/** The target of a test, behind its own handler. Records the errors of the target. */
export class UnderTest {
  readonly handle: Handler;
  readonly #options: TestOptions;
  readonly #errors: unknown[] = [];
  #isOver = false;
  #changed: (() => void) | undefined;

  constructor(target: TestTarget<never>, options: TestOptions, transport: Transport) {
    this.#options = options;
    const application = toApplication(target as TestTarget<Scope>);
    this.handle = createHandler(async (scope) => {
      return this.#watch(await application(Object.assign(scope, options.scope)));
    }, { ...options, transport, log: this.#log() });
  }

  /**
   * Sends a request from the options' address to their path, with their headers and those of `init`.
   */
  async request(init: RequestInit & { headers?: Record<string, string> } = {}): Promise<Response> {
    const { path = "/", address = "127.0.0.1" } = this.#options;
    const headers = new Headers(this.#options.headers);
    for (const [name, value] of Object.entries(init.headers ?? {})) headers.set(name, value);
    const request = new Request(new URL(path, "http://sluice.test"), { ...init, headers });
    return await this.handle(request, { remoteAddr: { hostname: address, port: 1 } });
  }

  /** Notifies waiters of a change. */
  changed(): void {
    this.#changed?.();
  }

  /** Throws the first error that no method has thrown yet. */
  raise(): void {
    if (this.#errors.length > 0) throw this.#errors.shift();
  }

  /** Waits until `isThere()`. Rejects with an error of the consumer, or after `timeoutMs`. */
  async until(isThere: () => boolean, what: string): Promise<void> {
    const isDone = () => this.#errors.length > 0 || isThere();
    if (!isDone()) await this.#change(isDone, what);
    this.raise();
  }

  /** Waits until the consumer's `disconnect()` has finished. */
  over(): Promise<void> {
    return this.until(() => this.#isOver, "the consumer's end");
  }

  #change(isDone: () => boolean, what: string): Promise<void> {
    const timeoutMs = this.#options.timeoutMs ?? 1000;
    // Created here, because the stack of a timer does not include the line of the test.
    const late = new Error(`Expected ${what} within ${timeoutMs} ms, but none arrived`);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(late), timeoutMs);
      this.#changed = () => {
        if (!isDone()) return;
        clearTimeout(timer);
        this.#changed = undefined;
        resolve();
      };
    });
  }

  #watch(admission: Admission): Admission {
    if (!("start" in admission)) return admission;
    const consumer = admission;
    return new Proxy<ConnectionHandler>(consumer, {
      get: (_target, key) => {
        if (key === "disconnect") return this.#disconnecting(consumer);
        const value = Reflect.get(consumer, key, consumer);
        return typeof value === "function" ? value.bind(consumer) : value;
      },
    });
  }

  #disconnecting(consumer: ConnectionHandler): ConnectionHandler["disconnect"] {
    return async (code, reason) => {
      try {
        await consumer.disconnect(code, reason);
      } finally {
        this.#isOver = true;
        // After the server has logged an error of disconnect().
        queueMicrotask(() => queueMicrotask(() => this.changed()));
      }
    };
  }

  #log(): Log {
    const { raise = true, log = raise ? silence : consoleLog } = this.#options;
    if (!raise) return log;
    return {
      debug: (message, fields) => log.debug(message, fields),
      info: (message, fields) => log.info(message, fields),
      warn: (message, fields) => log.warn(message, fields),
      error: (message, fields) => {
        log.error(message, fields);
        const { error } = fields ?? {};
        if (error === undefined) return;
        this.#errors.push(error);
        this.changed();
      },
    };
  }
}

const silence: Log = { debug() {}, info() {}, warn() {}, error() {} };

function toApplication(target: TestTarget<Scope>): Application<Scope> {
  return isClass(target) ? router<Scope>([route("/*", target)]) : target;
}

function isClass(target: TestTarget<Scope>): target is ConsumerClass<Scope> {
  return typeof target === "function" && typeof target.prototype?.start === "function";
}
