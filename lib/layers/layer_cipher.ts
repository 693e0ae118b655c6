import { Buffer } from "node:buffer";
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from "node:crypto";

/** Shortest key of {@linkcode LayerCipher}, in characters. */
export const MIN_KEY_LENGTH = 32;

const ALGORITHM = "aes-256-gcm";
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const ID_BYTES = 4;

interface Key {
  readonly id: string;
  readonly key: Buffer;
  readonly signing: Buffer;
}

/**
 * Encrypts and authenticates what goes over a layer: AES-256-GCM with the place of a text, the name of
 * its group, process or channel, as additional data. A text of one place is refused at another.
 *
 * Synchronous, so that messages keep their order. *Security*: nonces are random; change keys before
 * 2³² messages.
 */
export class LayerCipher {
  readonly #keys: readonly [Key, ...Key[]];

  /**
   * @param secrets The first one encrypts, all of them decrypt. To change keys: add the new one at the
   * end everywhere, move it to the front everywhere, then take the old one away.
   * @throws {TypeError} There is none, or one is shorter than 32 characters. The message repeats nothing
   * of it.
   */
  constructor(secrets: readonly string[]) {
    const [first, ...others] = secrets.map(deriveKey);
    if (first === undefined) throw new TypeError("Cannot encrypt without a key");
    this.#keys = [first, ...others];
  }

  encrypt(text: string, place: string): string {
    const [{ id, key }] = this.#keys;
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(ALGORITHM, key, nonce).setAAD(Buffer.from(place));
    const body = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
    return `${id}.${Buffer.concat([nonce, cipher.getAuthTag(), body]).toString("base64")}`;
  }

  /** Returns proofs that a holder of a key put `text` at a place: one for each key, the first one's first. */
  sign(text: string, place: string): readonly [string, ...string[]] {
    const [first, ...others] = this.#keys;
    const proof = ({ signing }: Key) =>
      createHmac("sha256", signing).update(JSON.stringify([place, text])).digest("base64url");
    return [proof(first), ...others.map(proof)];
  }

  /** @throws {Error} It is no text of this place by a known key. */
  decrypt(text: string, place: string): string {
    const dot = text.indexOf(".");
    const key = this.#keys.find(({ id }) => id === text.slice(0, dot))?.key;
    if (dot < 0 || key === undefined) throw new Error("Encrypted with no known key");
    const bytes = Buffer.from(text.slice(dot + 1), "base64");
    const nonce = bytes.subarray(0, NONCE_BYTES);
    const tag = bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES);
    const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(place)).setAuthTag(tag);
    const body = bytes.subarray(NONCE_BYTES + TAG_BYTES);
    return Buffer.concat([decipher.update(body), decipher.final()]).toString("utf8");
  }
}

function deriveKey(secret: string): Key {
  if (secret.length < MIN_KEY_LENGTH) {
    throw new TypeError(`Cannot use an encryption key of under ${MIN_KEY_LENGTH} characters`);
  }
  const derive = (info: string, bytes: number) =>
    Buffer.from(hkdfSync("sha256", secret, "", `sluice channel layer ${info}`, bytes));
  return {
    id: derive("id", ID_BYTES).toString("hex"),
    key: derive("key", 32),
    signing: derive("signing", 32),
  };
}
