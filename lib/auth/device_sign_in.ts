import { randomInt } from "node:crypto";
import { type Clock, systemClock } from "../scope.ts";
import { hashSecret, isSecret, randomSecret, type Sessions } from "../sessions/mod.ts";
import type { Audit } from "./audit.ts";
import type { DeviceGrant, DeviceGrantStore } from "./device_grant.ts";
import type { User } from "./user.ts";
import type { UserStore } from "./user_store.ts";

/** What {@linkcode DeviceSignIn} works with. */
export interface DeviceSignInOptions {
  readonly grants: DeviceGrantStore;
  readonly users: UserStore;
  readonly sessions: Sessions;
  readonly audit?: Audit;
  /** @default {systemClock} */
  readonly clock?: Clock;
}

/** What a device is told at the beginning (RFC 8628 §3.2). Times are in seconds. */
export interface DeviceAuthorization {
  /** *Security*: the device's secret. It goes back to the device, and nowhere else. */
  readonly deviceCode: string;
  /** For the person to type in. */
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

/** A device, as the person who is asked about it sees it. */
export interface WaitingDevice {
  readonly userCode: string;
  readonly userAgent: string;
  readonly address: string | undefined;
}

const LIFETIME_MS = 600_000;
const INTERVAL_MS = 5_000;

/** No vowels, so that no words come out, and nothing that looks like something else. */
const ALPHABET = "BCDFGHJKLMNPQRSTVWXZ";

/**
 * Sign-in of a program that has no browser (OAuth 2.0 Device Authorization Grant, RFC 8628), with this
 * site as the authorization server: the program shows a code, a person who is signed in types it in and
 * approves, and the program gets a session of its own.
 *
 * The person signs in as always, with whatever provider there is; no token of a provider is taken from
 * a program, as one that was meant for another site would sign in here too.
 *
 * *Security*: a device code has 256 random bits, is good for ten minutes and for one session; the
 * database has its hash. Whoever talks a person into typing in a foreign code gets a session of that
 * person: the page that asks says so, and shows where the program is.
 */
export class DeviceSignIn {
  readonly #options: DeviceSignInOptions;
  readonly #clock: Clock;

  constructor(options: DeviceSignInOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** Begins the sign-in of a device. */
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

  /** Returns the device that waits for a code, however the code is written. */
  async find(userCode: string): Promise<WaitingDevice | undefined> {
    const grant = await this.#waiting(userCode);
    return grant && {
      userCode: grant.userCode,
      userAgent: grant.userAgent,
      address: grant.address,
    };
  }

  /** Approves a device, or turns it away. False where none waits for the code. */
  async decide(userCode: string, user: User, isApproved: boolean): Promise<boolean> {
    const grant = await this.#waiting(userCode);
    if (!grant) return false;
    const state = isApproved ? "approved" : "denied";
    const before = await this.#options.grants.update(
      grant.key,
      (latest) =>
        latest.state === "waiting"
          ? { ...latest, state, userId: user.id, provider: user.provider }
          : latest,
    );
    return before?.state === "waiting";
  }

  /** Answers a device that asks whether it was approved. The token is given once. */
  async poll(deviceCode: string): Promise<DevicePoll> {
    if (!isSecret(deviceCode)) return { error: "expired_token" };
    const now = this.#clock.now();
    const grant = await this.#options.grants.update(
      hashSecret(deviceCode),
      (latest) => latest.state === "waiting" ? { ...latest, polledAt: now } : "remove",
    );
    if (grant === undefined || now >= grant.expiresAt) return { error: "expired_token" };
    if (grant.state === "denied") return { error: "access_denied" };
    if (grant.state === "approved") return await this.#signIn(grant);
    const isTooSoon = now - grant.polledAt < INTERVAL_MS;
    return { error: isTooSoon ? "slow_down" : "authorization_pending" };
  }

  async #signIn({ userId = "", userAgent, address }: DeviceGrant): Promise<DevicePoll> {
    const { users, sessions, audit } = this.#options;
    const user = await users.get(userId);
    if (user === undefined || user.bannedAt !== undefined) return { error: "access_denied" };
    const { provider } = user;
    const { session, token } = await sessions.create({ userId, provider, userAgent, address });
    audit?.write({ kind: "signed-in", userId, sessionId: session.id, provider, address });
    return { token, expiresIn: Math.floor((session.expiresAt - this.#clock.now()) / 1000) };
  }

  async #waiting(text: string): Promise<DeviceGrant | undefined> {
    const userCode = readUserCode(text);
    const grant = userCode && await this.#options.grants.findByUserCode(userCode);
    return grant && grant.state === "waiting" && this.#clock.now() < grant.expiresAt
      ? grant
      : undefined;
  }
}

function createUserCode(): string {
  const letters = Array.from({ length: 8 }, () => ALPHABET[randomInt(ALPHABET.length)]).join("");
  return `${letters.slice(0, 4)}-${letters.slice(4)}`;
}

/** Reads a code as people type it: small letters, spaces, without the dash. */
function readUserCode(text: string): string | undefined {
  if (text.length > 64) return undefined;
  const letters = text.toUpperCase().replace(/[^A-Z]/g, "");
  return letters.length === 8 ? `${letters.slice(0, 4)}-${letters.slice(4)}` : undefined;
}
