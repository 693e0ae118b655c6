import { createHash } from "node:crypto";
import type { Clock } from "../../core/clock.ts";
import type { KeyValue } from "../../kv/mod.ts";
import type { SavedRequest } from "./saved_request.ts";

/** How long the request behind a ticket is kept, in milliseconds: longer than the ticket is valid. */
const KEEP_MS = 90_000;

/** Most requests that a process keeps without a database. */
const MAX_KEPT = 10_000;

const encoder = new TextEncoder();

/**
 * Keeps the request that asked for a ticket, so that `identify()` can read it again when the ticket is
 * used: in the database if there is one, else in this process.
 *
 * *Security*: the request has cookies. It is stored encrypted with a key that only the ticket contains.
 */
export class TicketRequests {
  readonly #kv: KeyValue | undefined;
  readonly #prefix: readonly string[];
  readonly #clock: Clock;
  readonly #kept = new Map<string, { readonly sealed: Uint8Array; readonly until: number }>();

  constructor(
    kv: KeyValue | undefined,
    { prefix, clock }: { prefix: readonly string[]; clock: Clock },
  ) {
    this.#kv = kv;
    this.#prefix = prefix;
    this.#clock = clock;
  }

  /** Keeps the request of a ticket. */
  async keep(ticket: string, request: SavedRequest): Promise<void> {
    const sealed = await seal(ticket, JSON.stringify(request));
    const id = idOf(ticket);
    if (this.#kv !== undefined) {
      await this.#kv.set([...this.#prefix, id], sealed, { expireInMs: KEEP_MS });
      return;
    }
    const now = this.#clock.now();
    for (const [oldest, { until }] of this.#kept) {
      if (now < until && this.#kept.size < MAX_KEPT) break;
      this.#kept.delete(oldest);
    }
    this.#kept.set(id, { sealed, until: now + KEEP_MS });
  }

  /** Returns the request of a ticket, if it is known. */
  async find(ticket: string): Promise<SavedRequest | undefined> {
    const id = idOf(ticket);
    const sealed = this.#kv === undefined
      ? this.#kept.get(id)?.sealed
      : (await this.#kv.get<Uint8Array>([...this.#prefix, id])).value;
    return sealed && JSON.parse(await unseal(ticket, sealed));
  }
}

function idOf(ticket: string): string {
  return createHash("sha256").update(`id ${ticket}`).digest("base64url");
}

/** A key encrypts one text only, so its initialization vector can be constant. */
const ALGORITHM = { name: "AES-GCM", iv: new Uint8Array(12) };

async function keyOf(ticket: string): Promise<CryptoKey> {
  const bytes = createHash("sha256").update(`key ${ticket}`).digest();
  return await crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt", "decrypt"]);
}

async function seal(ticket: string, text: string): Promise<Uint8Array> {
  const key = await keyOf(ticket);
  return new Uint8Array(await crypto.subtle.encrypt(ALGORITHM, key, encoder.encode(text)));
}

async function unseal(ticket: string, sealed: Uint8Array): Promise<string> {
  const key = await keyOf(ticket);
  return new TextDecoder().decode(
    await crypto.subtle.decrypt(ALGORITHM, key, new Uint8Array(sealed)),
  );
}
