import {
  type Application,
  Consumer,
  ExternalSessions,
  origins,
  requireUser,
  route,
  type Scope,
  type SignedInScope,
  socketLimits,
  stack,
} from "@sluice/sluice";
import type { Identity } from "@sluice/sluice/sessions";
import type { ExternalSessionsOptions } from "../../lib/sessions/external/external_sessions_options.ts";
import { communicate, type Communicator, FakeClock, settle } from "@sluice/sluice/testing";
import { FakeLog } from "./fake_log.ts";

/** A user of the application under test. */
export interface Member {
  readonly id: string;
  readonly name?: string;
}

/** A consumer that says whose socket it is, at the start and after each change. */
export class WhoConsumer extends Consumer<SignedInScope<Member>> {
  override connect(): void {
    this.accept();
    this.send(this.scope.user.name ?? this.scope.user.id);
  }

  override scopeChanged(parts: readonly string[]): void {
    if (parts.includes("user")) this.send(String(this.scope.user.name));
  }
}

/** An application with its own sessions, and processes of it that share what `options` say. */
export class Accounts implements Disposable {
  readonly clock = new FakeClock(Date.now());
  readonly log = new FakeLog();
  /** The result of `identify()` by the session in the cookie. */
  readonly identities = new Map<string, unknown>();
  /** How often `identify()` was called. */
  calls = 0;
  /** Called by `identify()` before it returns its result. */
  hook: () => unknown = () => {};
  readonly #processes: ExternalSessions<Member>[] = [];

  /** Signs a user in for an hour. */
  signIn(sessionId: string, name = "ada", changes: Partial<Identity<Member>> = {}): void {
    const expiresAt = this.clock.now() + 3_600_000;
    const user = { id: name, name: name.toUpperCase() };
    this.identities.set(sessionId, { sessionId, userId: name, expiresAt, user, ...changes });
  }

  /** Starts a process. */
  start(options: Partial<ExternalSessionsOptions<Member>> = {}): ExternalSessions<Member> {
    const { clock, log } = this;
    const sessions = new ExternalSessions<Member>({
      identify: async (request) => {
        this.calls++;
        const sid = /sid=([^;]*)/.exec(request.headers.get("cookie") ?? "")?.[1] ?? "";
        const read = this.identities.get(sid) as Identity<Member> | undefined;
        await this.hook();
        return read;
      },
      clock,
      log,
      ...options,
    });
    this.#processes.push(sessions);
    return sessions;
  }

  /** Returns a client of a process with a session cookie, or with a ticket. */
  client(
    sessions: ExternalSessions<Member>,
    proof: { sid?: string; ticket?: string; origin?: string; path?: string } | string,
  ): Communicator {
    const { sid, ticket, origin = "http://localhost", path = "/ws/who" } = typeof proof === "string"
      ? { sid: proof }
      : proof;
    const headers: Record<string, string> = { origin, "x-forwarded-for": "192.0.2.1" };
    if (sid !== undefined) headers.cookie = `theme=dark; sid=${sid}`;
    const subprotocols = ticket === undefined ? [] : ["sluice.v1", `sluice.ticket.${ticket}`];
    const { clock, log } = this;
    return communicate(whoApplication(sessions), {
      path: `http://localhost${path}`,
      headers,
      subprotocols,
      clock,
      log,
      raise: false,
    });
  }

  /** Opens a socket. */
  async open(
    sessions: ExternalSessions<Member>,
    proof: Parameters<Accounts["client"]>[1],
  ): Promise<Communicator> {
    const client = this.client(sessions, proof);
    const answer = await client.connect();
    if (!answer.accepted) throw new Error(`Refused: ${answer.status} ${answer.code}`);
    return client;
  }

  /** Lets time pass, and databases answer in between. */
  async pass(ms: number, stepMs = 50): Promise<void> {
    for (let at = 0; at < ms; at += stepMs) {
      await this.clock.advance(Math.min(stepMs, ms - at));
      for (let turn = 0; turn < 4; turn++) await settle();
    }
  }

  [Symbol.dispose](): void {
    for (const sessions of this.#processes) sessions.close();
  }
}

const applications = new WeakMap<ExternalSessions<Member>, Application<Scope>>();

/** The whole stack of an application, one for each process. */
export function whoApplication(sessions: ExternalSessions<Member>): Application<Scope> {
  const application = applications.get(sessions) ??
    stack()
      .use(origins(["https://other.example"]))
      .use(sessions.session())
      .use(requireUser())
      .use(socketLimits({ perUser: 5, perSession: 3 }))
      .routes([route("/ws/who", WhoConsumer), route("/ws/other", WhoConsumer)]);
  applications.set(sessions, application);
  return application;
}
