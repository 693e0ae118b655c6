import type { Client } from "pg";
import type { ChangeListeners } from "../base_key_value.ts";
import type { PostgresPool } from "./postgres_pool.ts";
import { SERVER_TIME, type ServerClock } from "./server_clock.ts";

/** The channel of all notifications. */
const CHANNEL = "sluice_kv";

const NOTIFY = {
  name: "sluice_kv_notify",
  text: `SELECT pg_notify('${CHANNEL}', payload) FROM unnest($1::text[]) AS payload`,
};

/** The pause before a lost connection is replaced, in milliseconds. */
const RETRY_MS = 500;

/** How often the connection is checked, in milliseconds: a silent network is no error by itself. */
const CHECK_MS = 15_000;

/** Parts of {@linkcode PostgresNotifications}. */
export interface PostgresNotificationsOptions {
  /** The connections. */
  readonly pool: PostgresPool;
  /** The listeners of this process. */
  readonly listeners: ChangeListeners;
  /** The clock of pauses, which gets the time of the server. */
  readonly clock: ServerClock;
}

/**
 * Sends and hears the hints of {@linkcode KeyValue.onChange} with `NOTIFY` and `LISTEN`.
 *
 * Topics are sent after the commit, in a statement of their own: a commit with `NOTIFY` would wait
 * for all others. At most one statement is under way, and takes all topics that came meanwhile. One
 * connection listens while there are listeners. When it was lost, all listeners are called once it is
 * back.
 */
export class PostgresNotifications {
  readonly #options: PostgresNotificationsOptions;
  readonly #id = crypto.randomUUID();
  #waiting = new Set<string>();
  #isSending = false;
  #client: Client | undefined;
  #isConnecting = false;
  #isClosed = false;
  #cancel: (() => void) | undefined;

  constructor(options: PostgresNotificationsOptions) {
    this.#options = options;
    options.listeners.onTopic = () => void this.#update().catch(() => {});
  }

  /** Tells other processes of committed topics, some time soon. */
  send(topics: readonly string[]): void {
    for (const topic of topics) this.#waiting.add(`${this.#id} ${topic}`);
    if (topics.length > 0 && !this.#isSending) void this.#send().catch(() => {});
  }

  /** Stops hearing. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancel?.();
    await this.#leave();
  }

  async #send(): Promise<void> {
    this.#isSending = true;
    while (this.#waiting.size > 0 && !this.#isClosed) {
      const payloads = [...this.#waiting];
      this.#waiting = new Set();
      // A lost hint only means that a reader waits for its next poll.
      await this.#options.pool.query(NOTIFY, [payloads]).catch(() => {});
    }
    this.#isSending = false;
  }

  /** Connects if there are listeners, and leaves if there are none. Never rejects. */
  async #update(): Promise<void> {
    const isWanted = !this.#isClosed && this.#options.listeners.topics.length > 0;
    if (!isWanted) return await this.#leave();
    if (this.#client !== undefined || this.#isConnecting) return;
    this.#isConnecting = true;
    this.#cancel?.();
    try {
      await this.#listen();
    } catch {
      this.#again(RETRY_MS * (0.5 + Math.random()));
    } finally {
      this.#isConnecting = false;
    }
    // Listeners may have come or gone meanwhile.
    if (this.#isClosed || this.#options.listeners.topics.length === 0) await this.#leave();
  }

  async #listen(): Promise<void> {
    const { pool, listeners } = this.#options;
    const client = await pool.connectAlone();
    const lost = () => {
      if (this.#client !== client) return;
      this.#client = undefined;
      this.#again(RETRY_MS * (0.5 + Math.random()));
    };
    client.on("error", lost);
    client.on("end", lost);
    client.on("notification", ({ payload = "" }) => {
      const [sender, topic = ""] = payload.split(" ");
      if (sender !== this.#id) listeners.call([topic]);
    });
    try {
      await client.query(`LISTEN ${CHANNEL}`);
    } catch (error) {
      void client.end().catch(() => {});
      throw error;
    }
    this.#client = client;
    this.#check(client);
    listeners.call(); // Hints may have been missed.
  }

  /** Ends a connection that does not answer, and observes the time of the server. */
  #check(client: Client): void {
    const { clock } = this.#options;
    this.#cancel = clock.after(CHECK_MS, () => {
      const askedAt = clock.elapsed();
      client.query(`SELECT ${SERVER_TIME}`).then(({ rows }) => {
        clock.observe(Number(rows[0]?.now), askedAt);
        if (this.#client === client) this.#check(client);
      }, async () => {
        await this.#leave();
        this.#again(0);
      }).catch(() => {});
    });
  }

  #again(ms: number): void {
    if (this.#isClosed) return;
    this.#cancel?.();
    this.#cancel = this.#options.clock.after(ms, () => void this.#update().catch(() => {}));
  }

  #leave(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    if (client === undefined) return Promise.resolve();
    this.#cancel?.();
    return client.end().catch(() => {});
  }
}
