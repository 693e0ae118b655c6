/**
 * The services of the app, created once per process.
 *
 * @module
 */
import type { Sessions } from "@sluice/sluice";
import type { DevIdentity } from "@sluice/sluice/auth/dev";
import {
  Audit,
  DeviceSignIn,
  KvUserStore,
  type PublicUser,
  type SignIn,
  Tickets,
  type UserStore,
} from "@sluice/sluice/auth";
import type { ChannelLayer } from "@sluice/sluice/layers";
import { Presence } from "@sluice/sluice/presence";
import { type Clock, createLog, type Log } from "@sluice/sluice/server";
import { createSessions } from "@sluice/sluice/sessions";
import { KvStreamStore, type StreamStore } from "@sluice/sluice/streams";
import { auditSessions } from "./admin/audit.ts";
import { parentProcess } from "./process/child_process.ts";
import { type Database, openDatabase } from "./database.ts";
import { createLayer } from "./layer.ts";
import { createCrossOriginAccess, type CrossOriginAccess } from "./http/cross_origin_access.ts";
import { createLimits, type Limits } from "./limits.ts";
import { reportMisspelt } from "./settings/setting_names.ts";
import { DEFAULT_PREFIX } from "./settings/layer_settings.ts";
import { readSettings, type Settings } from "./settings/settings.ts";
import { SessionNotices } from "./auth/session_notices.ts";
import { createSignIn } from "./auth/sign_in.ts";

/** The services that routes and the socket handler use. */
export interface Services {
  readonly settings: Settings;
  readonly log: Log;
  readonly database: Database;
  readonly sessions: Sessions;
  /** Open sockets over all processes. */
  readonly socketCounts: ReturnType<typeof createSessions>["socketCounts"];
  readonly users: UserStore;
  readonly tickets: Tickets;
  readonly layer: ChannelLayer;
  /** The history of rooms, and the keys of commands. */
  readonly streamStore: StreamStore;
  readonly presence: Presence<PublicUser>;
  readonly limits: Limits;
  /** Notifications that a user's sessions may have changed. */
  readonly notices: SessionNotices;
  /** The audit log. */
  readonly audit: Audit;
  readonly signIn: SignIn;
  /** Sign-in of programs without a browser. */
  readonly deviceSignIn: DeviceSignIn;
  /** Which other sites' pages may read responses. */
  readonly crossOrigin: CrossOriginAccess;
  /** The development identity provider, if it is on. */
  readonly devIdentity: DevIdentity | undefined;
  /** When the process started, in milliseconds since the epoch. */
  readonly startedAt: number;
  /** Closes the layer and the database. */
  close(): Promise<void>;
}

/** Replacements for tests. */
export interface ServiceOptions {
  readonly log?: Log;
  readonly clock?: Clock;
}

/** Creates the services. Each connects at first use. */
export function createServices(settings: Settings, options: ServiceOptions = {}): Services {
  const { log = createLog(logOptions(settings)) } = options;
  const database = openDatabase(settings, { ...options, log });
  const { clock } = database;
  const layer = createLayer(settings, database);
  const kept = createSessions(database.kv, {
    idleTtlMs: settings.sessionIdleTtlMs,
    maxTtlMs: settings.sessionMaxTtlMs,
    maxPerUser: settings.sessionsPerUser,
    layer,
    clock,
    log,
  });
  const { sessions, socketCounts, controlLog } = kept;
  const { channelPrefix } = settings;
  const streamStore = new KvStreamStore(database.kv, {
    ...channelPrefix === DEFAULT_PREFIX ? {} : { prefix: channelPrefix },
    maxMessages: settings.historyMessages,
    maxAgeMs: settings.historyAgeMs,
    clock,
  });
  const { auditRetentionMs: retentionMs } = settings;
  const audit = new Audit(database.kv, { retentionMs, log, clock });
  auditSessions(sessions, audit);
  const users = new KvUserStore(database.kv, { controlLog, clock });
  const tickets = new Tickets(database.kv, { clock });
  const crossOrigin = createCrossOriginAccess(settings.allowedOrigins);
  const presence = new Presence<PublicUser>(layer, {
    joined: (user) => ({ type: "joined", data: { user } }),
    left: (user) => ({ type: "left", data: { user } }),
  }, { log });
  const limits = createLimits(settings, layer, { clock, log });
  const { signIns: attempts } = limits;
  const signing = createSignIn({ settings, sessions, users, database, log, audit, attempts });
  const parts = {
    settings,
    log,
    audit,
    database,
    sessions,
    users,
    tickets,
    layer,
    streamStore,
    presence,
    limits,
    ...signing,
  };
  const notices = new SessionNotices(layer, { log, clock });
  notices.follow(sessions, audit);
  const deviceSignIn = new DeviceSignIn(
    { kv: database.kv, users, sessions },
    { audit, guesses: limits.userCodes, clock },
  );
  return {
    ...parts,
    notices,
    crossOrigin,
    deviceSignIn,
    socketCounts,
    startedAt: Date.now(),
    async close() {
      notices.close();
      await kept.close();
      await audit.close();
      await Promise.all([presence.close(), limits.close()]);
      await layer.close();
      await streamStore.close();
      await database.close();
    },
  };
}

let shared: Services | undefined;

/**
 * Returns the services of this process, created from the environment at the first call.
 *
 * @throws {SettingError} A setting is wrong.
 */
export function services(): Services {
  return shared ??= createFromEnvironment();
}

function createFromEnvironment(): Services {
  const env = Deno.env.toObject();
  const services = createServices(readSettings(env));
  // In a child process, the parent has reported it.
  if (parentProcess() === undefined) reportMisspelt(Object.keys(env), services.log);
  return services;
}

function logOptions({ logLevel: level, logFormat: format }: Settings) {
  return { level, format };
}
