/**
 * Frames that are sent as one message, one per line.
 *
 * Peers that receive the same frames in the same order share one batch, so the text for a group of a
 * thousand peers is joined once per turn.
 */
export class FrameChain {
  readonly #before: FrameChain | undefined;
  readonly #frame: string;
  /** Number of frames. */
  readonly frames: number;
  /** The batch that last extended this one. */
  #next: FrameChain | undefined;
  #text: string | undefined;
  /** Length of the text in UTF-16 code units. */
  readonly length: number;

  /** Without `before`, creates the empty batch that all others start from. */
  constructor(before?: FrameChain, frame = "") {
    this.#before = before;
    this.#frame = frame;
    this.frames = before === undefined ? 0 : before.frames + 1;
    this.length = this.frames < 2 ? frame.length : before!.length + 1 + frame.length;
  }

  /** Returns the batch with one more frame. */
  with(frame: string): FrameChain {
    const next = this.#next;
    if (next !== undefined && next.#frame === frame) return next;
    return this.#next = new FrameChain(this, frame);
  }

  /** Drops the reference to the batch that extends this one. */
  forget(): void {
    this.#next = undefined;
  }

  /** The frames, joined by line breaks. */
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
