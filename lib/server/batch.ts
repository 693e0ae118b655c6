/**
 * Frames that go out as one message, one per line.
 *
 * Peers that are sent the same frames in the same order share one batch, and so its text: what a room
 * of a thousand hears in one turn is joined once.
 */
export class Batch {
  readonly #before: Batch | undefined;
  readonly #frame: string;
  /** How many there are. */
  readonly frames: number;
  /** What came after this one last. */
  #next: Batch | undefined;
  #text: string | undefined;
  /** UTF-16 code units of the text. */
  readonly length: number;

  /** Without a batch before it, it is the one without frames, where all begin. */
  constructor(before?: Batch, frame = "") {
    this.#before = before;
    this.#frame = frame;
    this.frames = before === undefined ? 0 : before.frames + 1;
    this.length = this.frames < 2 ? frame.length : before!.length + 1 + frame.length;
  }

  /** Returns the batch that has one frame more. */
  with(frame: string): Batch {
    const next = this.#next;
    if (next !== undefined && next.#frame === frame) return next;
    return this.#next = new Batch(this, frame);
  }

  /** Forgets what came after it. */
  forget(): void {
    this.#next = undefined;
  }

  /** The frames, joined. */
  get text(): string {
    return this.#text ??= this.#join();
  }

  #join(): string {
    if (this.frames === 1) return this.#frame;
    const frames = new Array<string>(this.frames);
    frames[this.frames - 1] = this.#frame;
    let batch = this.#before!;
    for (; batch.frames > 0; batch = batch.#before!) frames[batch.frames - 1] = batch.#frame;
    return frames.join("\n");
  }
}
