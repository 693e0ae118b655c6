import type { SessionEvent } from "./session.ts";

/** What was read of a control log. */
export interface ControlPage {
  /** What happened, in its order. */
  readonly events: readonly SessionEvent[];
  /** Where to read on from. */
  readonly position: number;
  /** Whether more is there already. */
  readonly hasMore: boolean;
  /**
   * Whether nothing is missing before or between the events. Where something is, it was forgotten:
   * whoever follows the log has to look at everything once.
   */
  readonly isComplete: boolean;
}

/**
 * A list of what happened to sessions and people, which every process over one database follows.
 *
 * Positions rise by one from entry to entry, whatever the clocks of the writers say. An entry is
 * kept for an hour or longer.
 */
export interface ControlLog {
  /**
   * Returns what came after a position. One read where nothing did.
   *
   * Without a position: where the log ends now, and no event.
   */
  read(after: number | undefined): Promise<ControlPage>;

  /** Adds an event that belongs to no other write. */
  append(event: SessionEvent): Promise<void>;

  /**
   * Calls back for every event that was written through this object, once that is confirmed and before
   * whoever wrote it learns so. Returns how to stop. A listener must not throw.
   */
  subscribe?(listener: (event: SessionEvent) => void): () => void;
}
