import type { AcceptOptions } from "../core/connection.ts";
import { type Clock, systemClock } from "../core/clock.ts";
import { consoleLog, type Log } from "../core/log.ts";
import { andThen, isPromise } from "../core/promises.ts";
import { leaveBody } from "../core/read_body.ts";
import type { Admission, Application, Scope } from "../core/scope.ts";
import { CloseCode, Refusal } from "../protocol/mod.ts";
import { TimeoutList } from "../time/timers.ts";
import type { Decision } from "./connection/lifecycle.ts";
import {
  type ConnectionLimits,
  DEFAULT_CONNECTION_LIMITS,
} from "./connection/connection_limits.ts";
import { EventStreamSocket } from "./connection/event_stream_socket.ts";
import { type Answer, onClientGone } from "./connection/http_exchange.ts";
import type { ServerConnection } from "./connection/server_connection.ts";
import { denoTransport } from "./deno/deno_transport.ts";
import type { Handler, HandlerOptions } from "./handler.ts";
import { KEPT_HEADERS } from "./kept_headers.ts";
import { OpenConnections } from "./connection/open_connections.ts";
import { type Peer, resolvePeer } from "./peer.ts";
import { problem } from "./problem.ts";
import { refusalOfError } from "./refusals.ts";
import {
  Handshake,
  handshakeError,
  isUpgrade,
  RequestScope,
  wantsEventStream,
} from "./request_scope.ts";

/** Does the same as `toHandler()`, for applications that the test kit runs without a stack. */
export function createHandler(application: Application<Scope>, options: HandlerOptions): Handler {
  const gate = new Gate(application, options);
  const { connections } = gate;
  const handler = (request: Request, info?: Parameters<Handler>[1]) => gate.handle(request, info);
  return Object.defineProperties(handler as Handler, {
    drain: { value: (windowMs: number) => connections.runDrain(windowMs, gate.undecided) },
    endAll: { value: (code: number, reason: string) => connections.endAll(code, reason) },
    isDraining: { get: () => connections.drain !== undefined },
    stats: { get: () => gate.stats },
  });
}

/** Decides about requests: from the first check to the response. */
class Gate {
  readonly connections: OpenConnections;
  readonly #application: Application<Scope>;
  readonly #options: HandlerOptions;
  readonly #limits: ConnectionLimits;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #deciding: TimeoutList<Handshake>;
  readonly #refused = new Map<string, number>();

  constructor(application: Application<Scope>, options: HandlerOptions) {
    this.#application = application;
    this.#options = options;
    const limits = this.#limits = { ...DEFAULT_CONNECTION_LIMITS, ...options.limits };
    const clock = this.#clock = options.clock ?? systemClock;
    const log = this.#log = options.log ?? consoleLog;
    this.connections = new OpenConnections({ ...options, limits, clock, log });
    this.#deciding = new TimeoutList(clock, limits.decisionTimeoutMs, ({ connection }) => {
      if (connection.phase !== "deciding") return;
      connection.end(CloseCode.overload, "no decision in time");
    });
  }

  get stats(): Handler["stats"] {
    return { ...this.connections.stats, refused: this.#refused };
  }

  /** The connections of requests that wait for a decision. */
  get undecided(): ServerConnection[] {
    return [...this.#deciding].map(({ connection }) => connection);
  }

  handle(request: Request, info: Parameters<Handler>[1]): Response | Promise<Response> {
    const { drain } = this.connections;
    const peer = drain?.refusal() ?? this.#resolve(request, info);
    if (peer instanceof Refusal) {
      leaveBody(request);
      return this.#refuse(peer);
    }
    const wantsSocket = wantsEventStream(request) ? "events" : isUpgrade(request);
    const connection = this.connections.create(wantsSocket);
    const scope = new RequestScope(request, peer, connection, wantsSocket ? "websocket" : "http");
    const handshake = new Handshake(request, info?.transport, scope, connection);
    const answer = andThen(
      this.#runApplication(scope),
      (admission) => this.#admit(handshake, admission),
    );
    if (isPromise(answer)) return this.#whileDeciding(handshake, answer);
    this.#decided(handshake);
    return answer;
  }

  #resolve(request: Request, info: Parameters<Handler>[1]): Peer | Refusal {
    try {
      return resolvePeer(request, info, this.#options);
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
      answer.finally(settled).then(resolve, reject);
    });
  }

  #decided({ scope, connection }: Handshake): void {
    if (connection.phase === "deciding") connection.end(CloseCode.normal);
    if (scope.body !== undefined) leaveBody(scope);
  }

  /** Runs the application. Its errors become refusals. */
  #runApplication(scope: RequestScope): Admission | Promise<Admission> {
    const failed = (error: unknown): Refusal => {
      const refusal = refusalOfError(error);
      if (refusal !== undefined) return refusal;
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
    const isPost = scope.method === "POST" && scope.type === "http";
    return andThen(
      connection.decide(isPost ? admission.eventPost?.() ?? admission : admission),
      (decision) => this.#applyDecision(handshake, decision),
    );
  }

  /** Carries out the consumer's decision. */
  #applyDecision(handshake: Handshake, decision: Decision): Response | Promise<Response> {
    const { scope } = handshake;
    if ("refused" in decision) return this.#refuse(decision.refused, scope);
    scope.settle("answer" in decision ? "all" : this.#options.keepHeaders ?? KEPT_HEADERS);
    if ("answer" in decision) return this.#answer(handshake, decision.answer);
    return this.#upgrade(handshake, decision.accepted);
  }

  /** Waits for the response to a plain request as long as its client does. */
  async #answer(
    { request, connection }: Handshake,
    answer: Promise<Answer>,
  ): Promise<Response> {
    this.connections.add(connection);
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

  #upgrade(handshake: Handshake, accepted: AcceptOptions): Response {
    const { request, connection } = handshake;
    if (connection.isUpgrade === "events") return this.#beginEvents(connection, accepted);
    const { subprotocol, headers } = accepted;
    const wrong = handshakeError(request);
    if (wrong !== undefined) return this.#fail(connection, wrong);
    try {
      const transport = this.#options.transport ?? handshake.transport ?? denoTransport;
      const { maxMessageBytes } = this.#limits;
      const options = { subprotocol, headers, maxMessageBytes };
      const { response, socket } = transport.upgrade(request, connection, options);
      connection.attach(socket);
      this.connections.add(connection);
      return response;
    } catch (error) {
      this.#log.debug("Upgrade failed", { connection: connection.id, error });
      return this.#fail(connection, Refusal.of("BAD_HANDSHAKE"));
    }
  }

  #beginEvents(connection: ServerConnection, accepted: AcceptOptions): Response {
    const socket = new EventStreamSocket(connection, accepted, this.#clock);
    connection.attach(socket);
    this.connections.add(connection);
    return socket.response;
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
}

/** Discards a response from an application whose request has already been answered. */
function discard(admission: Admission): Response {
  if (admission instanceof Response) admission.body?.cancel().catch(() => {});
  return new Response(null, { status: 503 });
}
