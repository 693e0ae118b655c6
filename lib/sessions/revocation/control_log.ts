import type { SessionEvent } from "../session.ts";

/**
 * A page of a control log.
 *
 * @internal
 */
export interface ControlPage {
  /** The events, in order. */
  readonly events: readonly SessionEvent[];
  /** The position of the last event, to continue reading from. */
  readonly position: number;
  /** Whether more events are available. */
  readonly hasMore: boolean;
  /**
   * Whether no events are missing before or between these. Missing events have expired: followers
   * must then check everything once.
   */
  readonly isComplete: boolean;
}

/** Called with an event that was written, and its position. */
export type CommitListener = (event: SessionEvent, position: number) => void;

/**
 * An ordered log of session and user events, which every process that shares the database follows.
 *
 * Positions increase by one per entry, regardless of the writers' clocks. An entry is kept for at
 * least an hour.
 *
 * @internal
 */
export interface ControlLog {
  /**
   * Returns the events after a position. One read if there are none.
   *
   * Without a position, returns the current end of the log and no events.
   */
  read(after: number | undefined): Promise<ControlPage>;

  /** Appends an event that is not part of another write. */
  append(event: SessionEvent): Promise<void>;

  /**
   * Calls `listener` for every event that is written through this object, with its position, after the
   * write is confirmed and before its promise resolves, even if its caller has given up. Returns a
   * function that unsubscribes. A listener must not throw.
   *
   * @internal
   */
  onCommit(listener: CommitListener): () => void;

  /**
   * Calls `listener` soon after any process has appended an entry, if the log can notice it. A hint:
   * calls may be missing. Returns a function that unsubscribes.
   */
  onAppend?(listener: () => void): () => void;
}
