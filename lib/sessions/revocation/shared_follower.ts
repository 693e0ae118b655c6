import type { Follower } from "../live/connection_registry.ts";

/** Runs one follower while any of its users needs it. */
export class SharedFollower {
  readonly #follower: Follower;
  readonly #wantedBy = new Set<Follower>();

  constructor(follower: Follower) {
    this.#follower = follower;
  }

  /** Returns a handle with which one user starts and stops it. */
  share(): Follower {
    const share: Follower = {
      start: () => {
        this.#wantedBy.add(share);
        this.#follower.start();
      },
      stop: () => {
        if (this.#wantedBy.delete(share) && this.#wantedBy.size === 0) this.#follower.stop();
      },
    };
    return share;
  }
}
