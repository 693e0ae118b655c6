import { serve, type ServeOptions } from "@sluice/sluice/deno";
import { createLog } from "@sluice/sluice/server";
import { reportLayer } from "../layer.ts";
import { databaseFile, isWrongPath, withoutSecrets } from "../database.ts";
import type { Services } from "../services.ts";
import type { Site } from "../site.ts";
import { isLoopback, SettingError, type Settings } from "../settings/settings.ts";

/** Answers a request. */
export type Fetch = (request: Request, info: Deno.ServeHandlerInfo) => Response | Promise<Response>;

/** How long the start waits for the counts of other processes, in milliseconds. */
const JOIN_MS = 1_000;

/**
 * Serves the app until it is stopped.
 *
 * @throws {SettingError} The port is taken, or the database's file cannot be used.
 */
export async function serveApp(
  fetch: Fetch,
  site: Site,
  options: { reusePort?: boolean; signal?: AbortSignal } = {},
): Promise<void> {
  const { settings, limits, log, realtime } = site;
  await checkDatabase(site);
  warnOfPlainHttp(site);
  void reportLayer(site).catch((error) => log.warn("The layer was not checked", { error }));
  await Promise.race([limits.join(), new Promise((resolve) => setTimeout(resolve, JOIN_MS))]);
  try {
    serve(fetch, {
      hostname: settings.host,
      port: settings.port,
      publicUrl: settings.publicUrl,
      ...options,
      onListen: (address) => announce(address, site),
      drain() {
        void limits.leave().catch(() => {});
        return realtime.drain(settings.drainMs);
      },
      drainMs: settings.drainMs,
      close: () => close(site),
      log,
    });
  } catch (error) {
    throw listenError(error, settings);
  }
}

/**
 * Checks the database and the port, and releases both.
 *
 * @throws {SettingError} The port is taken, or the database's file cannot be used.
 */
export async function checkStart(
  services: Services,
  { reusePort = false }: { reusePort?: boolean } = {},
): Promise<void> {
  await checkDatabase(services);
  const { host: hostname, port } = services.settings;
  try {
    Deno.listen({ hostname, port, reusePort }).close();
  } catch (error) {
    throw listenError(error, services.settings);
  }
}

/** Runs after the last response: every connection has ended, and every consumer was notified. */
async function close({ log, realtime, close }: Site): Promise<void> {
  const { connected, disconnected } = realtime.stats;
  log.info("Stopped", { connected, disconnected });
  await close();
}

/** Over plain http, anyone on the network path can read session cookies. */
function warnOfPlainHttp({ settings: { publicUrl, host }, log }: Services): void {
  if (!/^http:/i.test(publicUrl ?? "") || isLoopback(host)) return;
  log.warn("PUBLIC_URL is http:// and HOST is not loopback: sessions are sent without encryption", {
    publicUrl,
    host,
  });
}

/** Returns the message of the innermost cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : reasonOf(error.cause);
}

/** An unreachable database may become reachable; an unusable path is an error. */
async function checkDatabase({ database, settings, log }: Services): Promise<void> {
  try {
    await database.check();
  } catch (error) {
    const file = databaseFile(settings);
    if (file === undefined || !await isWrongPath(file, error)) {
      return log.warn("The database cannot be reached; retrying at its next use", {
        why: withoutSecrets(reasonOf(error)),
      });
    }
    const { databaseUrl, kvPath } = settings;
    if (databaseUrl !== undefined) {
      throw new SettingError(
        "DATABASE_URL",
        `is ${JSON.stringify(databaseUrl)}, whose file cannot be opened as a database`,
      );
    }
    throw new SettingError(
      "DENO_KV_PATH",
      `is ${JSON.stringify(kvPath)}, which cannot be opened as a database, ` +
        'but accepts a file that can be written, ":memory:" or an https:// address',
    );
  }
}

function listenError(error: unknown, { host, port }: Settings): SettingError {
  if (error instanceof Deno.errors.AddrInUse) {
    return new SettingError(
      "PORT",
      `is "${port}", which is already in use; 0 selects a free port`,
    );
  }
  if (error instanceof Deno.errors.AddrNotAvailable) {
    return new SettingError("HOST", `is "${host}", but accepts an address of this machine`);
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return new SettingError("PORT", `is "${port}", which this user may not listen on`);
  }
  // A name that is malformed or cannot be resolved.
  return new SettingError("HOST", `is "${host}", but accepts an address of this machine`);
}

/** Prints the addresses and settings at the start; as a log line if the log is JSON. */
export function announce(
  address: Parameters<NonNullable<ServeOptions["onListen"]>>[0],
  services: Services,
): void {
  const { settings, database, signIn } = services;
  const host = address.hostname.includes(":") ? `[${address.hostname}]` : address.hostname;
  const title = `Sluice listens on http://${host}:${address.port}`;
  const layer = settings.channelLayer.replace(/\/\/.*@/, "//");
  if (settings.logFormat === "json") {
    const providers = signIn.providers.map(({ id }) => id);
    const log = createLog({ format: "json", write: (line) => console.log(line) });
    return log.info(title, { signIn: providers, data: database.place, layer });
  }
  const providers = signIn.providers.map(({ id, name }) => `${id} (${name})`).join(", ");
  console.log([
    title,
    `  sign-in   ${providers || "off: set GITHUB_CLIENT_ID and GITHUB_CLIENT_SECRET"}`,
    `  data      ${database.place}`,
    `  layer     ${layer}`,
  ].join("\n"));
}
