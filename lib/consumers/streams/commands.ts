import { createHash } from "node:crypto";
import { FrameError } from "../../protocol/mod.ts";
import { type Clock, systemClock } from "../../core/clock.ts";
import { pause } from "../../core/within.ts";
import type { Scope } from "../../core/scope.ts";
import type { Claim, StreamStore } from "../../streams/stream_store.ts";
import { toFrameError } from "../frames/to_frame_error.ts";

/** How often a running command renews its claim, in milliseconds. */
const RENEW_MS = 3_000;

/** How often the outcome of a command that another process runs is looked up, in milliseconds. */
const POLL_MS = 100;

/** The stored outcome of a command whose effect is not an append. */
type Outcome =
  | { readonly ok: true; readonly data?: unknown }
  | { readonly ok: false; readonly code: FrameError["code"]; readonly message: string };

/** The commands that this process is running, by store and key. */
const running = new WeakMap<StreamStore, Map<string, Promise<unknown>>>();

/**
 * Returns the name of a command in the store: a hash of user, path and key. The key of an anonymous
 * client counts for its connection only, so that nobody can use the keys of others.
 */
export function commandKey(scope: Scope, key: string): string {
  const { user } = scope as Scope & { readonly user?: { readonly id?: unknown } };
  const caller = typeof user?.id === "string" ? ["user", user.id] : ["connection", scope.id];
  const text = JSON.stringify([...caller, scope.path, key]);
  return createHash("sha256").update(text).digest("base64url");
}

/**
 * Runs a command whose effect is not an append once per key: it is claimed before and settled after.
 * Returns the first reply.
 *
 * @throws {FrameError} `OUTCOME_UNKNOWN` if the process died while it was running, or the error of the
 * first run. A refusal (a `FrameError`) had no effect, and the command may run again.
 */
export async function runOnce(
  store: StreamStore,
  key: string,
  scope: Scope,
  run: () => unknown,
): Promise<unknown> {
  const here = commandsOf(store);
  while (true) {
    await here.get(key)?.catch(() => {}); // The other run may be a refusal.
    if (here.has(key)) continue;
    const attempt = claimAndRun(store, key, scope, run).finally(() => here.delete(key));
    here.set(key, attempt);
    return await attempt;
  }
}

async function claimAndRun(
  store: StreamStore,
  key: string,
  scope: Scope,
  run: () => unknown,
): Promise<unknown> {
  const claim = await settledClaim(store, key, scope);
  switch (claim.state) {
    case "claimed":
      return await runClaimed(store, key, claim.token, scope, run);
    case "settled":
      return replay(claim.outcome as Outcome);
    default:
      throw new FrameError("OUTCOME_UNKNOWN", "The command may or may not have taken effect");
  }
}

/** Waits while another process runs the command. */
async function settledClaim(store: StreamStore, key: string, scope: Scope): Promise<Claim> {
  while (true) {
    const claim = await store.claim(key);
    if (claim.state !== "running" || scope.connection.phase === "ended") return claim;
    await pause(systemClock, POLL_MS);
  }
}

async function runClaimed(
  store: StreamStore,
  key: string,
  token: string,
  scope: Scope,
  run: () => unknown,
): Promise<unknown> {
  const stop = keepRenewing(systemClock, () => store.renew(key, token));
  try {
    const data = await run();
    await store.settle(key, token, data === undefined ? { ok: true } : { ok: true, data });
    return data;
  } catch (error) {
    if (error instanceof FrameError) {
      await store.release(key, token);
      throw error;
    }
    const refusal = toFrameError(error, scope);
    const { code, message } = refusal;
    await store.settle(key, token, { ok: false, code, message });
    throw refusal;
  } finally {
    stop();
  }
}

function replay(outcome: Outcome): unknown {
  if (outcome.ok) return outcome.data;
  throw new FrameError(outcome.code, outcome.message);
}

function keepRenewing(clock: Clock, renew: () => Promise<boolean>): () => void {
  let stop = () => {};
  const next = () => {
    stop = clock.after(RENEW_MS, () => {
      renew().then((holds) => holds ? next() : undefined, next);
    });
  };
  next();
  return () => {
    stop();
    stop = () => {};
  };
}

function commandsOf(store: StreamStore): Map<string, Promise<unknown>> {
  let commands = running.get(store);
  if (commands === undefined) running.set(store, commands = new Map());
  return commands;
}
