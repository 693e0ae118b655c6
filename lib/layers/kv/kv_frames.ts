import { type KeyValue, listAll } from "../../kv/mod.ts";

/** A stored frame: inline, or split into parts, because a value holds 64 KiB at most. */
export type StoredFrame =
  | { readonly frame: string }
  | { readonly id: string; readonly parts: number };

/** Characters that always fit into a value, at two bytes each. */
const MAX_INLINE = 16_000;
const PART_BYTES = 60_000;

/** How many parts one atomic operation deletes. */
const MAX_DELETIONS = 500;

/** Stores the parts of a large frame. Returns the frame inline, or a reference to its parts. */
export async function storeFrame(
  kv: KeyValue,
  prefix: string,
  frame: string,
  expireInMs: number,
): Promise<StoredFrame> {
  if (frame.length <= MAX_INLINE) return { frame };
  const id = crypto.randomUUID();
  const bytes = new TextEncoder().encode(frame);
  const parts = Math.ceil(bytes.length / PART_BYTES);
  for (let part = 0; part < parts; part++) {
    const slice = bytes.slice(part * PART_BYTES, (part + 1) * PART_BYTES);
    await kv.set([prefix, "part", id, part], slice, { expireInMs });
  }
  return { id, parts };
}

/** Thrown if parts of a frame are not in the database. */
export class MissingParts extends Error {
  override readonly name = "MissingParts";
}

/** Reads a frame. @throws {MissingParts} Some of its parts are missing. */
export async function loadFrame(
  kv: KeyValue,
  prefix: string,
  stored: StoredFrame,
): Promise<string> {
  const frame = await findFrame(kv, prefix, stored);
  if (frame === undefined) throw new MissingParts("Parts of a frame are missing");
  return frame;
}

/** Reads a frame. Returns `undefined` if parts of it are missing. */
export async function findFrame(
  kv: KeyValue,
  prefix: string,
  stored: StoredFrame,
): Promise<string | undefined> {
  if ("frame" in stored) return stored.frame;
  const slices: Uint8Array[] = [];
  for await (const { value } of listAll<Uint8Array>(kv, { prefix: [prefix, "part", stored.id] })) {
    slices.push(value);
  }
  if (slices.length !== stored.parts) return undefined;
  return await new Blob(slices as Uint8Array<ArrayBuffer>[]).text();
}

/** Deletes the parts of a frame in few operations, because each one locks the database. */
export async function deleteFrame(
  kv: KeyValue,
  prefix: string,
  stored: StoredFrame,
): Promise<void> {
  if ("frame" in stored) return;
  for (let part = 0; part < stored.parts;) {
    const operation = kv.atomic();
    const end = Math.min(stored.parts, part + MAX_DELETIONS);
    for (; part < end; part++) operation.delete([prefix, "part", stored.id, part]);
    await operation.commit();
  }
}
