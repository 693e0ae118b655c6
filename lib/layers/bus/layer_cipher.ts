import { Buffer } from "node:buffer";
import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from "node:crypto";

/** Minimum length of a key of {@linkcode LayerCipher}, in characters. */
const MIN_KEY_LENGTH = 32;

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
 * Encrypts and authenticates the messages of a layer with AES-256-GCM. The place of a text (the name
 * of its group, process or channel) is the additional data, so a text is refused at any other place.
 *
 * Synchronous, so that messages keep their order. *Security*: nonces are random; rotate keys before
 * 2³² messages.
 */
export class LayerCipher {
  readonly #keys: readonly [Key, ...Key[]];

  /**
   * @param secrets The first one encrypts, all of them decrypt. To rotate keys, append the new one on
   * all hosts, move it to the front on all hosts, then remove the old one.
   * @throws {TypeError} There is no secret, or one is shorter than 32 characters. The error does not
   * contain the secret.
   */
  constructor(secrets: readonly string[]) {
    const [first, ...others] = secrets.map(deriveKey);
    if (first === undefined) throw new TypeError("Encryption requires at least one key");
    this.#keys = [first, ...others];
  }

  encrypt(text: string, place: string): string {
    const [{ id, key }] = this.#keys;
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(ALGORITHM, key, nonce).setAAD(Buffer.from(place));
    const body = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
    return `${id}.${Buffer.concat([nonce, cipher.getAuthTag(), body]).toString("base64")}`;
  }

  /** Returns one proof per key that a key holder put `text` at a place; the first key's proof first. */
  sign(text: string, place: string): readonly [string, ...string[]] {
    const [first, ...others] = this.#keys;
    const proof = ({ signing }: Key) =>
      createHmac("sha256", signing).update(JSON.stringify([place, text])).digest("base64url");
    return [proof(first), ...others.map(proof)];
  }

  /** @throws {Error} The text was not encrypted for this place with a known key. */
  decrypt(text: string, place: string): string {
    const dot = text.indexOf(".");
    const key = this.#keys.find(({ id }) => id === text.slice(0, dot))?.key;
    if (dot < 0 || key === undefined) throw new Error("Not encrypted with a known key");
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
    throw new TypeError(`Encryption keys must have at least ${MIN_KEY_LENGTH} characters`);
  }
  const derive = (info: string, bytes: number) =>
    Buffer.from(hkdfSync("sha256", secret, "", `sluice channel layer ${info}`, bytes));
  return {
    id: derive("id", ID_BYTES).toString("hex"),
    key: derive("key", 32),
    signing: derive("signing", 32),
  };
}
