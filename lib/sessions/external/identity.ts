import type { Scope } from "../../core/scope.ts";
import type { Session } from "../session.ts";

/** The session and the user of a request, as the application knows them. */
export interface Identity<U = { readonly id: string }> {
  /**
   * Identifies the session: 1 to 256 characters without control characters.
   *
   * *Security*: not a secret. It appears in logs, in the database and on the channel layer. If it alone
   * proves the session, give its SHA-256 instead, here and to `ended()`.
   */
  readonly sessionId: string;
  /** Identifies the user, with the same limits. */
  readonly userId: string;
  /** When the session ends: a date, or milliseconds since the epoch. */
  readonly expiresAt: number | Date;
  /**
   * What consumers find in `scope.user`. Its `id` is `userId`; it is added if it is missing.
   * @default {an object with the id}
   */
  readonly user?: U;
}

/** A valid identity. */
export interface KnownIdentity<U> {
  readonly session: Session;
  readonly user: U;
}

/** Longest id, in characters. A key of a database has at most 2,048 bytes. */
const MAX_ID_LENGTH = 256;

/** Times before this one are taken for seconds: 1973. */
const MIN_TIME_MS = 100_000_000_000;

/** Latest valid time of a `Date`. */
const MAX_TIME_MS = 8_640_000_000_000_000;

/**
 * Checks the result of `identify()`.
 *
 * @throws {TypeError} It is not a valid identity. The message names the field, never its value.
 */
export function readIdentity<U>(value: unknown, now: number): KnownIdentity<U> {
  if (typeof value !== "object" || value === null) {
    throw new TypeError(`identify() returned ${nameOf(value)} instead of an identity or undefined`);
  }
  const identity = value as Partial<Record<keyof Identity<U>, unknown>>;
  const userId = readId(identity.userId, "userId");
  const session: Session = {
    id: readId(identity.sessionId, "sessionId"),
    userId,
    provider: "external",
    kind: "browser",
    createdAt: now,
    signedInAt: now,
    lastSeenAt: now,
    expiresAt: readTime(identity.expiresAt, "expiresAt"),
    secretSince: now,
    revocations: 0,
    userAgent: "",
    address: undefined,
  };
  return { session, user: readUser(identity.user, userId) as U };
}

/**
 * Returns a valid id.
 *
 * @throws {TypeError} It is not a string, is empty or too long, or has control characters.
 */
export function readId(id: unknown, name: string): string {
  if (typeof id !== "string") throw new TypeError(`${name} is ${nameOf(id)}, not a string`);
  if (id.length === 0 || id.length > MAX_ID_LENGTH) {
    throw new TypeError(`${name} has ${id.length} characters, allowed are 1 to ${MAX_ID_LENGTH}`);
  }
  if (!id.isWellFormed() || /[\p{Cc}\p{Zl}\p{Zp}]/u.test(id)) {
    throw new TypeError(`${name} has control characters, or is not valid Unicode`);
  }
  return id;
}

/**
 * Returns a time in milliseconds since the epoch.
 *
 * @throws {TypeError} It is not a valid time.
 */
export function readTime(time: unknown, name: string): number {
  const ms = time instanceof Date ? time.getTime() : time;
  if (typeof ms !== "number") {
    throw new TypeError(`${name} is ${nameOf(time)}, not a number or Date`);
  }
  if (!Number.isFinite(ms) || ms > MAX_TIME_MS) throw new TypeError(`${name} is not a valid time`);
  if (ms < MIN_TIME_MS) {
    throw new TypeError(`${name} is before 1973: it must be in milliseconds, not in seconds`);
  }
  return ms;
}

function readUser(user: unknown, userId: string): object {
  if (user === undefined || user === null) return { id: userId };
  if (typeof user !== "object") throw new TypeError(`user is ${nameOf(user)}, not an object`);
  const { id } = user as { readonly id?: unknown };
  if (id === userId) return user;
  // Databases often number users.
  if (id === undefined || (typeof id !== "string" && String(id) === userId)) {
    return { ...user, id: userId };
  }
  throw new TypeError("userId and user.id differ");
}

function nameOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return `a value of type ${typeof value}`;
}

/** The parts of a request that `identify()` can read again later: its URL and its headers. */
export interface SavedRequest {
  readonly url: string;
  readonly headers: readonly [name: string, value: string][];
}

/** Saves the request of a connection, which becomes unreadable when it is answered. */
export function saveScope({ url, headers }: Scope): SavedRequest {
  return { url: url.href, headers: [...headers] };
}

/** Saves the URL and the headers of a request. */
export function saveRequest({ url, headers }: Request): SavedRequest {
  return { url, headers: [...headers] };
}

/** Returns a `GET` request without a body. */
export function toRequest({ url, headers }: SavedRequest): Request {
  return new Request(url, { headers: [...headers] });
}
