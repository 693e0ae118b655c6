import { Refusal } from "../protocol/mod.ts";
import { type Clock, systemClock } from "../scope.ts";
import {
  hashSecret,
  isSecret,
  randomSecret,
  type Session,
  type Sessions,
} from "../sessions/mod.ts";
import { guess, type GuessLimiter } from "./_guesses.ts";
import { createUserCode, readUserCode } from "./_user_code.ts";
import type { Audit } from "./audit.ts";
import { beginSession } from "./begin_session.ts";
import type { DeviceApproval, DeviceGrant, DeviceGrantStore } from "./device_grant.ts";
import type { User } from "./user.ts";
import type { UserStore } from "./user_store.ts";

/** What {@linkcode DeviceSignIn} works with. */
export interface DeviceSignInOptions {
  readonly grants: DeviceGrantStore;
  readonly users: UserStore;
  readonly sessions: Sessions;
  readonly audit?: Audit;
  /** Limits wrong user codes, by user and by address (RFC 8628 §5.1). @default {no limit} */
  readonly guesses?: GuessLimiter;
  /** @default {systemClock} */
  readonly clock?: Clock;
}

/** What a device is told at the beginning (RFC 8628 §3.2). Times are in seconds. */
export interface DeviceAuthorization {
  /** *Security*: the device's secret. It goes back to the device, and nowhere else. */
  readonly deviceCode: string;
  /** For the user to type in. */
  readonly userCode: string;
  readonly expiresIn: number;
  /** How long the device waits between two questions. */
  readonly interval: number;
}

/** Why a device gets no token (RFC 8628 §3.5). */
export type DeviceError =
  | "authorization_pending"
  | "slow_down"
  | "access_denied"
  | "expired_token";

/** The answer to a device that asks. */
export type DevicePoll =
  | { readonly error: DeviceError }
  | {
    readonly error?: undefined;
    /** *Security*: the session's token. */
    readonly token: string;
    readonly expiresIn: number;
  };

/** A device, as the user who is asked about it sees it. */
export interface WaitingDevice {
  readonly userCode: string;
  readonly userAgent: string;
  readonly address: string | undefined;
}

/** Who types in a user code. */
export interface DeviceApprover {
  readonly user: User;
  /** The session of the browser, proved by its cookie. */
  readonly session: Session;
  /** Where the request comes from, or the network of that. */
  readonly address?: string | undefined;
}

const LIFETIME_MS = 600_000;
const INTERVAL_MS = 5_000;

/**
 * Sign-in of a program that has no browser (OAuth 2.0 Device Authorization Grant, RFC 8628), with this
 * site as the authorization server: the program shows a code, a user who is signed in types it in and
 * approves, and the program gets a session of its own.
 *
 * The user signs in as always, with any provider; no token of a provider is taken from a program, as
 * one that was meant for another site would sign in here too.
 *
 * *Security*: a device code has 256 random bits, is good for ten minutes and for one session; the
 * database has its hash. Only the session of a browser approves, and the caller has to make sure that
 * it was proved by the browser's cookie: a token can be anywhere. The program's session ends when the
 * absolute limit of the session that approved it is reached. Nothing is redeemed once that session
 * has ended, or has ended the user's other sessions. A user who is talked into typing in a foreign
 * code gives a session away: the page that asks says so, and shows where the program is.
 */
export class DeviceSignIn {
  readonly #options: DeviceSignInOptions;
  readonly #clock: Clock;

  constructor(options: DeviceSignInOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** Begins the sign-in of a device. Anybody may ask: limit how often an address does. */
  async begin(
    device: { readonly userAgent: string; readonly address: string | undefined },
  ): Promise<DeviceAuthorization> {
    const deviceCode = randomSecret();
    for (let attempt = 0; attempt < 5; attempt++) {
      const userCode = createUserCode();
      const isCreated = await this.#options.grants.create({
        key: hashSecret(deviceCode),
        userCode,
        state: "waiting",
        userAgent: device.userAgent.slice(0, 256),
        address: device.address,
        expiresAt: this.#clock.now() + LIFETIME_MS,
        polledAt: 0,
      });
      if (!isCreated) continue;
      return {
        deviceCode,
        userCode,
        expiresIn: LIFETIME_MS / 1000,
        interval: INTERVAL_MS / 1000,
      };
    }
    throw new Error("Cannot begin the sign-in of a device: no code is free");
  }

  /**
   * Returns the device that waits for a code, however the code is written.
   *
   * @throws {Refusal} `FORBIDDEN`: the session is no browser's. `TOO_MANY_ATTEMPTS`: too many codes
   * were wrong.
   */
  async find(userCode: string, approver: DeviceApprover): Promise<WaitingDevice | undefined> {
    const grant = await this.#guess(userCode, approver);
    return grant && {
      userCode: grant.userCode,
      userAgent: grant.userAgent,
      address: grant.address,
    };
  }

  /**
   * Approves a device, or turns it away. False if none waits for the code.
   *
   * @throws {Refusal} As {@linkcode find}; `NOT_SIGNED_IN`: the session has ended.
   */
  async decide(userCode: string, approver: DeviceApprover, isApproved: boolean): Promise<boolean> {
    const grant = await this.#guess(userCode, approver);
    if (!grant) return false;
    // As it is stored: what the request was let in with may be a moment old.
    const session = await this.#options.sessions.get(approver.session.id);
    if (session?.userId !== approver.user.id) throw new Refusal("NOT_SIGNED_IN");
    const { id: sessionId, userId, revocations } = session;
    const approval = { sessionId, userId, revocations };
    const state = isApproved ? "approved" : "denied";
    const before = await this.#options.grants.update(
      grant.key,
      (latest) => latest.state === "waiting" ? { ...latest, state, approval } : latest,
    );
    return before?.state === "waiting";
  }

  /**
   * Answers a device that asks if it was approved. The token is given once; after an error the device
   * can ask again. A device that asks too early costs a read. Limit how often an address asks.
   */
  async poll(deviceCode: string): Promise<DevicePoll> {
    if (!isSecret(deviceCode)) return { error: "expired_token" };
    const { grants } = this.#options;
    const now = this.#clock.now();
    const grant = await grants.get(hashSecret(deviceCode));
    if (grant === undefined || now >= grant.expiresAt) return { error: "expired_token" };
    if (grant.state === "denied") return await this.#deny(grant);
    if (grant.state === "approved") return await this.#redeem(grant);
    if (now - grant.polledAt < INTERVAL_MS) return { error: "slow_down" };
    await grants.update(
      grant.key,
      (latest) => latest.state === "waiting" ? { ...latest, polledAt: now } : latest,
    );
    return { error: "authorization_pending" };
  }

  async #deny({ key }: DeviceGrant): Promise<DevicePoll> {
    await this.#options.grants.update(key, () => "remove");
    return { error: "access_denied" };
  }

  /**
   * Each attempt notes in the grant which session it begins, and takes the grant out only if no later
   * attempt did the same. So one of several wins, and what an attempt that failed left is ended by the
   * next one.
   */
  async #redeem({ key, userAgent, address }: DeviceGrant): Promise<DevicePoll> {
    const { grants, sessions, audit } = this.#options;
    const id = sessions.reserveId();
    const grant = await grants.update(
      key,
      (latest) => latest.state === "approved" ? { ...latest, sessionId: id } : latest,
    );
    if (grant?.state !== "approved") return { error: "expired_token" };
    if (grant.sessionId !== undefined) await sessions.end(grant.sessionId, "replaced");

    const approver = await this.#approver(grant.approval);
    if (approver === undefined) return await this.#deny(grant);
    const { userId, provider, signedInAt } = approver;
    const kind = "program";
    const begun = await beginSession(
      this.#options,
      { id, userId, provider, kind, signedInAt, userAgent, address },
    );
    if (begun === undefined) return await this.#deny(grant);
    // Again: a revocation that came in between has not seen the new session.
    if (await this.#approver(grant.approval) === undefined) {
      await sessions.end(id, "revoked");
      return await this.#deny(grant);
    }
    const latest = await grants.update(
      key,
      (latest) => latest.sessionId === id ? "remove" : latest,
    );
    if (latest?.sessionId !== id) {
      await sessions.end(id, "replaced");
      return { error: "expired_token" };
    }
    audit?.write({ kind: "signed-in", userId, sessionId: id, provider, address });
    const { session, token } = begun;
    return { token, expiresIn: Math.floor((session.expiresAt - this.#clock.now()) / 1000) };
  }

  /** Returns the session that approved, if its approval still counts. */
  async #approver(approval: DeviceApproval | undefined): Promise<Session | undefined> {
    const session = approval && await this.#options.sessions.get(approval.sessionId);
    return session?.revocations === approval?.revocations ? session : undefined;
  }

  async #guess(text: string, approver: DeviceApprover): Promise<DeviceGrant | undefined> {
    const { user, session, address } = approver;
    if (session.kind !== "browser" || session.userId !== user.id) {
      throw new Refusal("FORBIDDEN", { detail: "Only a browser's session approves a program" });
    }
    const keys = [`user ${user.id}`, ...address === undefined ? [] : [`address ${address}`]];
    return await guess(this.#options.guesses, keys, () => this.#waiting(text));
  }

  async #waiting(text: string): Promise<DeviceGrant | undefined> {
    const userCode = readUserCode(text);
    const grant = userCode && await this.#options.grants.findByUserCode(userCode);
    return grant && grant.state === "waiting" && this.#clock.now() < grant.expiresAt
      ? grant
      : undefined;
  }
}
