import { type BusAddress, type BusFrame, decodeBusFrame, encodeBusFrame } from "./bus_frame.ts";
import type { LayerCipher } from "./layer_cipher.ts";
import type { PlainMessage } from "../local/plain_message.ts";

/** Encodes and decodes the frames of one process, encrypted if there is a key. */
export class FrameCodec {
  readonly #process: string;
  readonly #cipher: LayerCipher | undefined;
  #serial = 0;

  constructor(process: string, cipher: LayerCipher | undefined) {
    this.#process = process;
    this.#cipher = cipher;
  }

  /** Encodes a frame for a place. Each frame is unique. */
  encode(place: string, to: BusAddress, { message }: PlainMessage): string {
    const id = `${this.#process}.${(++this.#serial).toString(36)}`;
    const frame = encodeBusFrame(id, to, message);
    return this.#cipher?.encrypt(frame, place) ?? frame;
  }

  /** Decodes a frame of a place. @throws {Error} It is not a frame, or not encrypted with a known key. */
  decode(text: string, place: string): BusFrame {
    return decodeBusFrame(this.#cipher?.decrypt(text, place) ?? text);
  }

  /**
   * Returns the forms in which a member may be stored at a place; new members use the first. With keys,
   * each form includes a proof, so that only key holders can add members.
   */
  memberForms(place: string, channel: string): readonly [string, ...string[]] {
    if (this.#cipher === undefined) return [channel];
    const [first, ...others] = this.#cipher.sign(channel, place);
    return [`${channel} ${first}`, ...others.map((proof) => `${channel} ${proof}`)];
  }

  /** Returns the channels of stored members, without those whose proof is invalid. */
  decodeMembers(place: string, forms: readonly string[]): readonly string[] {
    if (this.#cipher === undefined || forms.length === 0) return forms;
    const channels = forms.map((form) => form.split(" ", 1)[0]!);
    const valid = channels.filter((channel, index) =>
      this.memberForms(place, channel).includes(forms[index]!)
    );
    return [...new Set(valid)];
  }
}
