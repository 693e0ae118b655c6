import type { Site } from "../site.ts";

/** Whether a process can serve, and if not, why. */
export interface Readiness {
  readonly status: "ok" | "draining" | "unavailable";
  /** The services that cannot be reached. */
  readonly missing?: readonly string[];
}

/** How long the database or the layer may take to answer, in milliseconds. */
const TIMEOUT_MS = 2_000;

/** Returns whether the process can serve now. */
export async function readiness(
  { realtime, database, layer }: Pick<Site, "realtime" | "database" | "layer">,
): Promise<Readiness> {
  if (realtime.isDraining) return { status: "draining" };
  const [hasDatabase, hasLayer] = await Promise.all([
    answers(database.check()),
    answers(layer.check()),
  ]);
  const missing = [...hasDatabase ? [] : ["database"], ...hasLayer ? [] : ["layer"]];
  return missing.length === 0 ? { status: "ok" } : { status: "unavailable", missing };
}

async function answers(check: Promise<void>): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), TIMEOUT_MS);
  try {
    return await Promise.race([check.then(() => true, () => false), late]);
  } finally {
    clearTimeout(timer);
  }
}
