import { assertGuarded } from "../core/guards.ts";
import { andThen, isPromise } from "../core/promises.ts";
import { leaveBody } from "../core/read_body.ts";
import { CloseCode, Refusal } from "../protocol/mod.ts";
import { type Clock, systemClock } from "../core/clock.ts";
import type { AcceptOptions, ConnectionEnd } from "../core/connection.ts";
import type { UnhandledMessageError } from "../core/consumer.ts";
import type { Log } from "../core/log.ts";
import type { Admission, Application, Scope } from "../core/scope.ts";
import type { Transport } from "../core/transport.ts";
import {
  type ConnectionLimits,
  DEFAULT_CONNECTION_LIMITS,
} from "./connection/connection_limits.ts";
import { denoTransport } from "./deno/deno_transport.ts";
import { Drain } from "./drain.ts";
import type { Handler, HandlerOptions, RequestInfo } from "./handler.ts";
import { handshakeError, isUpgrade } from "./handshake.ts";
import { KEPT_HEADERS } from "./kept_headers.ts";
import { consoleLog } from "./log.ts";
import { TimeoutList } from "../time/timeout_list.ts";
import { onClientGone } from "./connection/on_client_gone.ts";
import { type NetAddress, type Peer, resolvePeer } from "./peer.ts";
import { refusalOfEnd } from "./connection/refusal_of_end.ts";
import type { Answer } from "./connection/http_exchange.ts";
import { problem } from "./problem.ts";
import { RequestScope } from "./request_scope.ts";
import {
  type ConnectionContext,
  type ConnectionServer,
  type Decision,
  ServerConnection,
} from "./connection/server_connection.ts";
import { WriteBatcher } from "./writing/write_batcher.ts";
import { StalledReaders } from "./writing/stalled_readers.ts";

/**
 * Turns an application into a function that answers requests, for `Deno.serve`, a Fresh route or
 * anything else that has a `Request`.
 *
 * A request is upgraded only if the application and its consumer accept it. A plain request passes the
 * same checks and is answered with 426 if an upgrade would have been accepted. Refusals are
 * `application/problem+json`.
 *
 * @throws {TypeError} The application does not check origins, reads the session before it does, or
 * accepts anonymous clients without `allowAnonymous()`. The message says what to add.
 *
 * @example
 * ```ts
 * import { allowAnonymous, Consumer, origins, route, stack, toHandler } from "@sluice/sluice";
 * import assert from "node:assert/strict";
 *
 * class Echo extends Consumer {
 *   override receive(data: string | Uint8Array) {
 *     this.send(data);
 *   }
 * }
 *
 * const application = stack()
 *   .use(origins())
 *   .use(allowAnonymous())
 *   .routes([route("/ws/echo", Echo)]);
 * const handler = toHandler(application);
 * const headers = { "sec-fetch-site": "same-origin" };
 * const response = await handler(new Request("http://127.0.0.1/ws/echo", { headers }));
 * assert.equal(response.status, 426);
 * ```
 */
export function toHandler(application: Application<Scope>, options: HandlerOptions = {}): Handler {
  assertGuarded(application);
  return createHandler(application, options);
}

/** Does the same as {@linkcode toHandler}, for applications that the test kit runs without a stack. */
export function createHandler(application: Application<Scope>, options: HandlerOptions): Handler {
  const gate = new Gate(application, options);
  const handler = (request: Request, info?: RequestInfo) => gate.handle(request, info);
  return Object.defineProperties(handler as Handler, {
    drain: { value: (windowMs: number) => gate.runDrain(windowMs) },
    endAll: { value: (code: number, reason: string) => gate.endAll(code, reason) },
    isDraining: { get: () => gate.drain.isDraining },
    stats: { get: () => gate.stats },
  });
}

/** How long a drain waits for the peers to answer its close frames, in milliseconds. */
const LINGER_MS = 1_000;

/** Maximum number of message types without a handler that are logged, once each. */
const MAX_UNHANDLED_TYPES = 100;

/** A request with its scope and connection, until it is answered. */
class Handshake {
  readonly request: Request;
  /** The transport of the server that received the request. */
  readonly transport: Transport | undefined;
  readonly scope: RequestScope;
  readonly connection: ServerConnection;
  /** Answers the request while the application is still deciding; `isAnswered` is then true. */
  answerEarly: ((refusal: Refusal) => void) | undefined;
  isAnswered = false;

  constructor(
    request: Request,
    transport: Transport | undefined,
    scope: RequestScope,
    connection: ServerConnection,
  ) {
    this.request = request;
    this.transport = transport;
    this.scope = scope;
    this.connection = connection;
  }

  /** Called when the connection ends. A started consumer settles the decision itself. */
  ended(end: ConnectionEnd): void {
    if (this.connection.hasConsumer || this.answerEarly === undefined) return;
    this.isAnswered = true;
    this.answerEarly(this.connection.refusal ?? refusalOfEnd(end.code));
  }
}

class Gate implements ConnectionServer {
  readonly drain: Drain;
  readonly #application: Application<Scope>;
  readonly #options: HandlerOptions;
  readonly #limits: ConnectionLimits;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #open = new Set<ServerConnection>();
  readonly #lingering = new Set<ServerConnection>();
  readonly #prefix = crypto.randomUUID().slice(0, 8);
  readonly #stalled: StalledReaders;
  readonly #deciding: TimeoutList<Handshake>;
  readonly #context: ConnectionContext;
  readonly #lifecycleCounts = { connected: 0, disconnected: 0 };
  #serial = 0;
  #accepted = 0;
  #onReleased: (() => void) | undefined;
  readonly #refused = new Map<string, number>();
  #unhandled = 0;
  /** The types that have been logged. */
  readonly #unhandledTypes = new Set<string>();

  constructor(application: Application<Scope>, options: HandlerOptions) {
    this.#application = application;
    this.#options = options;
    const limits = this.#limits = { ...DEFAULT_CONNECTION_LIMITS, ...options.limits };
    const clock = this.#clock = options.clock ?? systemClock;
    const log = this.#log = options.log ?? consoleLog;
    const stalled = this.#stalled = new StalledReaders(clock);
    this.#deciding = new TimeoutList<Handshake>(
      clock,
      limits.decisionTimeoutMs,
      ({ connection }) => {
        if (connection.phase === "deciding") {
          connection.end(CloseCode.overload, "no decision in time");
        }
      },
    );
    const opening = new TimeoutList<ServerConnection>(clock, limits.openTimeoutMs, (connection) => {
      connection.end(CloseCode.abnormal, "not opened");
    });
    const { freshness } = options;
    const batcher = new WriteBatcher();
    const lifecycleCounts = this.#lifecycleCounts;
    this.#context = {
      limits,
      clock,
      log,
      stalled,
      batcher,
      lifecycleCounts,
      opening,
      freshness,
      server: this,
    };
    this.drain = new Drain(this.#clock, options.random);
  }

  ended(connection: ServerConnection, { byServer }: ConnectionEnd): void {
    this.#open.delete(connection);
    if (byServer) this.#lingering.add(connection);
  }

  released(connection: ServerConnection): void {
    this.#lingering.delete(connection);
    if (this.#lingering.size === 0) this.#onReleased?.();
  }

  unhandled({ id }: ServerConnection, { type }: UnhandledMessageError): void {
    this.#unhandled++;
    if (this.#unhandledTypes.has(type) || this.#unhandledTypes.size >= MAX_UNHANDLED_TYPES) return;
    this.#unhandledTypes.add(type);
    this.#log.warn("Dropped a layer message: no handler for its type", { connection: id, type });
  }

  get stats() {
    const lingering = this.#lingering.size;
    return {
      open: this.#open.size,
      accepted: this.#accepted,
      ...this.#lifecycleCounts,
      lingering,
      refused: this.#refused,
      unhandled: this.#unhandled,
      stalled: this.#stalled.size,
      dropped: this.#stalled.dropped,
    };
  }

  async runDrain(windowMs: number): Promise<void> {
    const undecided = [...this.#deciding].map(({ connection }) => connection);
    await this.drain.run([...this.#open, ...undecided], windowMs);
    this.endAll(CloseCode.restart, "retry=0");
    await this.#released(LINGER_MS);
  }

  endAll(code: number, reason: string): number {
    const all = [...this.#open];
    for (const connection of all) connection.end(code, reason);
    return all.length;
  }

  handle(request: Request, info: RequestInfo | undefined): Response | Promise<Response> {
    const peer = this.drain.isDraining ? this.drain.refusal() : this.#resolve(request, info);
    if (peer instanceof Refusal) {
      leaveBody(request);
      return this.#refuse(peer);
    }
    const wantsUpgrade = isUpgrade(request);
    const id = `${this.#prefix}-${++this.#serial}`;
    const connection = new ServerConnection(id, this.#context, wantsUpgrade);
    const scope = new RequestScope(request, peer, connection, wantsUpgrade ? "websocket" : "http");
    const handshake = new Handshake(request, info?.transport, scope, connection);
    const answer = andThen(
      this.#runApplication(scope),
      (admission) => this.#admit(handshake, admission),
    );
    if (isPromise(answer)) return this.#whileDeciding(handshake, answer);
    this.#decided(handshake);
    return answer;
  }

  #resolve(request: Request, info: RequestInfo | undefined): Peer | Refusal {
    try {
      return resolvePeer(request, info?.remoteAddr as NetAddress | undefined, this.#options);
    } catch (error) {
      if (error instanceof Refusal) return error;
      throw error;
    }
  }

  /** Returns the response, or a refusal if the decision times out or the connection ends. */
  #whileDeciding(handshake: Handshake, answer: Promise<Response>): Promise<Response> {
    const { connection, scope } = handshake;
    this.#deciding.add(handshake);
    return new Promise((resolve, reject) => {
      handshake.answerEarly = (refusal) => {
        this.#deciding.delete(handshake);
        leaveBody(scope);
        resolve(this.#refuse(refusal, scope));
      };
      connection.onEnd(handshake);
      const settled = () => {
        this.#deciding.delete(handshake);
        connection.offEnd(handshake);
        this.#decided(handshake);
      };
      answer.then((response) => (settled(), resolve(response)), (error) => {
        settled();
        reject(error);
      });
    });
  }

  #decided({ scope, connection }: Handshake): void {
    if (connection.phase === "deciding") connection.end(CloseCode.normal);
    leaveBody(scope);
  }

  /** Runs the application. Its errors become refusals. */
  #runApplication(scope: RequestScope): Admission | Promise<Admission> {
    const failed = (error: unknown): Refusal => {
      if (error instanceof Refusal) return error;
      this.#log.error("Application failed", { connection: scope.id, error });
      return Refusal.of("INTERNAL");
    };
    try {
      const admission = this.#application(scope);
      return isPromise(admission) ? admission.then(undefined, failed) : admission;
    } catch (error) {
      return failed(error);
    }
  }

  #admit(handshake: Handshake, admission: Admission): Response | Promise<Response> {
    const { scope, connection } = handshake;
    if (handshake.isAnswered) return discard(admission);
    if (admission instanceof Response) return admission;
    if (admission instanceof Refusal) return this.#refuse(admission, scope);
    return andThen(
      connection.decide(admission),
      (decision) => this.#applyDecision(handshake, decision),
    );
  }

  /** Carries out the consumer's decision. */
  #applyDecision(handshake: Handshake, decision: Decision): Response | Promise<Response> {
    const { request, scope, connection } = handshake;
    if ("refused" in decision) return this.#refuse(decision.refused, scope);
    scope.settle("answer" in decision ? "all" : this.#options.keepHeaders ?? KEPT_HEADERS);
    if ("answer" in decision) return this.#answer(request, connection, decision.answer);
    return this.#upgrade(handshake, decision.accepted);
  }

  /** Waits for the response to a plain request as long as its client does. */
  async #answer(
    request: Request,
    connection: ServerConnection,
    answer: Promise<Answer>,
  ): Promise<Response> {
    this.#count(connection);
    const stop = onClientGone(request, () => connection.close(CloseCode.abnormal, ""));
    const cancel = this.#clock.after(this.#limits.answerTimeoutMs, () => {
      connection.end(CloseCode.overload, "no answer in time");
    });
    try {
      const response = await answer;
      return response instanceof Refusal ? this.#refuse(response) : response;
    } finally {
      cancel();
      stop(); // The body reports a disconnect from here on.
    }
  }

  #upgrade(handshake: Handshake, { subprotocol, headers }: AcceptOptions): Response {
    const { request, connection } = handshake;
    const wrong = handshakeError(request);
    if (wrong !== undefined) return this.#fail(connection, wrong);
    try {
      const transport = this.#options.transport ?? handshake.transport ?? denoTransport;
      const { maxMessageBytes } = this.#limits;
      const options = { subprotocol, headers, maxMessageBytes };
      const { response, socket } = transport.upgrade(request, connection, options);
      connection.attach(socket);
      this.#count(connection);
      return response;
    } catch (error) {
      this.#log.debug("Upgrade failed", { connection: connection.id, error });
      return this.#fail(connection, Refusal.of("BAD_HANDSHAKE"));
    }
  }

  #fail(connection: ServerConnection, refusal: Refusal): Response {
    connection.end(CloseCode.internalError, refusal.code);
    return this.#refuse(refusal);
  }

  #refuse(refusal: Refusal, scope?: Scope): Response {
    this.#refused.set(refusal.code, (this.#refused.get(refusal.code) ?? 0) + 1);
    if (scope !== undefined) this.#options.onRefusal?.(refusal, scope);
    return problem(refusal);
  }

  #count(connection: ServerConnection): void {
    this.#accepted++;
    this.#open.add(connection);
    connection.watch();
    this.#limitLife(connection);
  }

  #limitLife(connection: ServerConnection): void {
    const { maxLifeMs } = this.#limits;
    if (!Number.isFinite(maxLifeMs)) return;
    const end = () => connection.end(CloseCode.goingAway, "maximum connection age reached");
    connection.onEnd(this.#clock.after(maxLifeMs, end));
  }

  /** Waits until all peers have closed their network connections, at most `ms` milliseconds. */
  #released(ms: number): Promise<void> {
    if (this.#lingering.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onReleased = resolve;
      this.#clock.after(ms, resolve);
    });
  }
}

/** Discards a response from an application whose request has already been answered. */
function discard(admission: Admission): Response {
  if (admission instanceof Response) admission.body?.cancel().catch(() => {});
  return new Response(null, { status: 503 });
}
