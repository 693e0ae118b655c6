import { Refusal } from "../../protocol/mod.ts";
import { type Clock, systemClock } from "../../core/clock.ts";
import type { KeyValue } from "../../kv/mod.ts";
import type { Session, Sessions } from "../../sessions/mod.ts";
import { hashSecret, isSecret, randomSecret } from "../../sessions/tokens/secrets.ts";
import { guess, type GuessLimiter } from "./_guesses.ts";
import { createUserCode, readUserCode } from "./_user_code.ts";
import type { Audit } from "../audit/audit.ts";
import { beginSession } from "../begin_session.ts";
import type { DeviceApproval, DeviceGrant } from "./device_grant.ts";
import { KvDeviceGrantStore } from "./kv_device_grant_store.ts";
import type { DeviceApprover, DevicePoll } from "./device_messages.ts";
import type { UserStore } from "../users/user_store.ts";

/** What a {@linkcode DeviceSignIn} is made of. */
export interface DeviceSignInParts {
  /** Keeps the pending sign-ins. */
  readonly kv: KeyValue;
  /** Finds the users. */
  readonly users: UserStore;
  /** Creates the sessions of the devices. */
  readonly sessions: Sessions;
}

/** Options of {@linkcode DeviceSignIn}. */
export interface DeviceSignInOptions {
  /** Records sign-ins and denials. */
  readonly audit?: Audit;
  /** Limits wrong user codes, by user and by address (RFC 8628 §5.1). @default {no limit} */
  readonly guesses?: GuessLimiter;
  /** Tells the time. @default {systemClock} */
  readonly clock?: Clock;
}

const LIFETIME_MS = 600_000;
const INTERVAL_MS = 5_000;

/**
 * Sign-in for programs without a browser (OAuth 2.0 Device Authorization Grant, RFC 8628), with
 * this site as the authorization server. The program shows a code, a signed-in user types it and
 * approves, and the program gets a separate session.
 *
 * The user signs in as usual, with any provider. Programs cannot sign in with a provider's token,
 * because a token issued for another site would then work here too.
 *
 * *Security*: a device code has 256 random bits and is valid for ten minutes and for one session;
 * the database holds its hash. Only a browser session can approve, and the caller must make sure
 * that the browser's cookie proved it: a token could be anywhere. The program's session ends when
 * the approving session reaches its absolute limit. Nothing can be redeemed once that session has
 * ended, or has ended the user's other sessions. A user tricked into typing someone else's code
 * gives away a session: the page that asks warns of this, and shows where the program is.
 *
 * @example
 * ```ts
 * import { MemorySessionStore, MemoryUserStore, Sessions } from "@sluice/sluice";
 * import { DeviceSignIn } from "@sluice/sluice/auth";
 * import { MemoryKeyValue } from "@sluice/sluice/kv";
 * import assert from "node:assert/strict";
 *
 * const signIn = new DeviceSignIn({
 *   kv: new MemoryKeyValue(),
 *   users: new MemoryUserStore(),
 *   sessions: new Sessions(new MemorySessionStore()),
 * });
 * const { deviceCode } = await signIn.begin({ userAgent: "sensor/1", address: "192.0.2.1" });
 * assert.equal((await signIn.poll(deviceCode)).error, "authorization_pending");
 * ```
 */
export class DeviceSignIn {
  readonly #parts: DeviceSignInParts;
  readonly #options: DeviceSignInOptions;
  readonly #grants: KvDeviceGrantStore;
  readonly #clock: Clock;

  /** Creates the authorization server. */
  constructor(parts: DeviceSignInParts, options: DeviceSignInOptions = {}) {
    const { clock = systemClock } = options;
    this.#parts = parts;
    this.#options = options;
    this.#clock = clock;
    this.#grants = new KvDeviceGrantStore(parts.kv, { clock });
  }

  /**
   * Begins the sign-in of a device (RFC 8628 §3.2); times are in seconds. Unauthenticated: limit
   * the rate per address.
   */
  async begin(
    device: { readonly userAgent: string; readonly address: string | undefined },
  ): Promise<{
    /** *Security*: the device's secret. Send it to the device only. */
    readonly deviceCode: string;
    /** The code that the user types. */
    readonly userCode: string;
    /** How long both codes are valid. */
    readonly expiresIn: number;
    /** How long the device must wait between two polls. */
    readonly interval: number;
  }> {
    const deviceCode = randomSecret();
    for (let attempt = 0; attempt < 5; attempt++) {
      const userCode = createUserCode();
      const isCreated = await this.#grants.create({
        key: hashSecret(deviceCode),
        userCode,
        state: "waiting",
        userAgent: device.userAgent.slice(0, 256),
        address: device.address,
        expiresAt: this.#clock.now() + LIFETIME_MS,
        polledAt: 0,
      });
      if (!isCreated) continue;
      const times = { expiresIn: LIFETIME_MS / 1000, interval: INTERVAL_MS / 1000 };
      return { deviceCode, userCode, ...times };
    }
    throw new Error("Cannot begin a device sign-in: found no free user code");
  }

  /**
   * Returns the device that waits for a code, in any spelling of the code.
   *
   * @throws {Refusal} `FORBIDDEN`: the session is not a browser's. `TOO_MANY_ATTEMPTS`: too many
   * codes were wrong.
   */
  async find(userCode: string, approver: DeviceApprover): Promise<
    {
      readonly userCode: string;
      readonly userAgent: string;
      readonly address: string | undefined;
    } | undefined
  > {
    const grant = await this.#guess(userCode, approver);
    return grant && {
      userCode: grant.userCode,
      userAgent: grant.userAgent,
      address: grant.address,
    };
  }

  /**
   * Approves or denies a device. Returns false if no device waits for the code.
   *
   * @throws {Refusal} As {@linkcode find}; `NOT_SIGNED_IN`: the session has ended.
   */
  async decide(userCode: string, approver: DeviceApprover, isApproved: boolean): Promise<boolean> {
    const grant = await this.#guess(userCode, approver);
    if (!grant) return false;
    // Read from the store: the request's copy may be slightly out of date.
    const session = await this.#parts.sessions.get(approver.session.id);
    if (session?.userId !== approver.user.id) throw new Refusal("NOT_SIGNED_IN");
    const { id: sessionId, userId, revocations } = session;
    const approval = { sessionId, userId, revocations };
    const state = isApproved ? "approved" : "denied";
    const before = await this.#grants.update(
      grant.key,
      (latest) => latest.state === "waiting" ? { ...latest, state, approval } : latest,
    );
    return before?.state === "waiting";
  }

  /**
   * Answers a device's poll. The token is returned once; after an error, the device can poll again.
   * A poll that comes too early costs one read. Limit the rate per address.
   */
  async poll(deviceCode: string): Promise<DevicePoll> {
    if (!isSecret(deviceCode)) return { error: "expired_token" };
    const now = this.#clock.now();
    const grant = await this.#grants.get(hashSecret(deviceCode));
    if (grant === undefined || now >= grant.expiresAt) return { error: "expired_token" };
    if (grant.state === "denied") return await this.#refuse(grant);
    if (grant.state === "approved") return await this.#redeem(grant);
    if (now - grant.polledAt < INTERVAL_MS) return { error: "slow_down" };
    await this.#grants.update(
      grant.key,
      (latest) => latest.state === "waiting" ? { ...latest, polledAt: now } : latest,
    );
    return { error: "authorization_pending" };
  }

  async #refuse({ key }: DeviceGrant): Promise<DevicePoll> {
    await this.#grants.update(key, () => "remove");
    return { error: "access_denied" };
  }

  /**
   * Each attempt records in the grant which session it creates, and removes the grant only if no
   * later attempt has done the same. So one of several attempts wins, and each ends the session
   * that a failed attempt before it left behind.
   */
  async #redeem({ key, userAgent, address }: DeviceGrant): Promise<DevicePoll> {
    const { sessions } = this.#parts;
    const id = sessions.reserveId();
    const grant = await this.#grants.update(
      key,
      (latest) => latest.state === "approved" ? { ...latest, sessionId: id } : latest,
    );
    if (grant?.state !== "approved") return { error: "expired_token" };
    if (grant.sessionId !== undefined) await sessions.end(grant.sessionId, "replaced");

    const approver = await this.#approver(grant.approval);
    if (approver === undefined) return await this.#refuse(grant);
    const { userId, provider, signedInAt } = approver;
    const kind = "program";
    const begun = await beginSession(
      this.#parts,
      { id, userId, provider, kind, signedInAt, userAgent, address },
    );
    if (begun === undefined) return await this.#refuse(grant);
    // Check again: a revocation meanwhile did not see the new session.
    if (await this.#approver(grant.approval) === undefined) {
      await sessions.end(id, "revoked");
      return await this.#refuse(grant);
    }
    const latest = await this.#grants.update(
      key,
      (latest) => latest.sessionId === id ? "remove" : latest,
    );
    if (latest?.sessionId !== id) {
      await sessions.end(id, "replaced");
      return { error: "expired_token" };
    }
    this.#options.audit?.write({ kind: "signed-in", userId, sessionId: id, provider, address });
    const { session, token } = begun;
    return { token, expiresIn: Math.floor((session.expiresAt - this.#clock.now()) / 1000) };
  }

  /** Returns the approving session if its approval is still valid. */
  async #approver(approval: DeviceApproval | undefined): Promise<Session | undefined> {
    const session = approval && await this.#parts.sessions.get(approval.sessionId);
    return session?.revocations === approval?.revocations ? session : undefined;
  }

  async #guess(text: string, approver: DeviceApprover): Promise<DeviceGrant | undefined> {
    const { user, session, address } = approver;
    if (session.kind !== "browser" || session.userId !== user.id) {
      throw new Refusal("FORBIDDEN", { detail: "Only a browser session can approve a program" });
    }
    const keys = [`user ${user.id}`, ...address === undefined ? [] : [address]];
    return await guess(this.#options.guesses, keys, () => this.#waiting(text));
  }

  async #waiting(text: string): Promise<DeviceGrant | undefined> {
    const userCode = readUserCode(text);
    const grant = userCode && await this.#grants.findByUserCode(userCode);
    return grant && grant.state === "waiting" && this.#clock.now() < grant.expiresAt
      ? grant
      : undefined;
  }
}
