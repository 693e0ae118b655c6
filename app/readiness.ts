import type { Services } from "./services.ts";

/** Whether a process can serve, and if not why. */
export interface Readiness {
  readonly status: "ok" | "draining" | "unavailable";
  /** What cannot be reached. */
  readonly missing?: readonly string[];
}

/** How long the database may take to answer, in milliseconds. */
const TIMEOUT_MS = 2_000;

/** Returns whether the process can serve now. */
export async function readiness({ realtime, database }: Services): Promise<Readiness> {
  if (realtime.isDraining) return { status: "draining" };
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error("The database did not answer")), TIMEOUT_MS);
  try {
    await Promise.race([database.check(), late]);
    return { status: "ok" };
  } catch {
    return { status: "unavailable", missing: ["database"] };
  } finally {
    clearTimeout(timer);
  }
}
