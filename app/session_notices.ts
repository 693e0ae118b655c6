import type { Application, Log, Scope } from "@sluice/sluice";
import type { ChannelLayer } from "@sluice/sluice/layers";
import type { Audit } from "@sluice/sluice/auth";
import type { Sessions } from "@sluice/sluice/sessions";
import { sessionsGroup } from "../consumers/sessions_consumer.ts";

/** Tells a person's open sessions pages that something has changed. */
export class SessionNotices {
  readonly #layer: ChannelLayer;
  readonly #log: Log;

  constructor(layer: ChannelLayer, log: Log) {
    this.#layer = layer;
    this.#log = log;
  }

  /** Tells them. A page that misses it is right again at the next change. */
  tell(userId: string): void {
    this.#layer.groupSend(sessionsGroup(userId), { type: "changed" }).catch((error) => {
      this.#log.debug("A sessions page was not told of a change", { error });
    });
  }

  /** Tells them of every sign-in, and of every end of a session, here or in another process. */
  follow(sessions: Sessions, audit: Audit): void {
    audit.subscribe(({ kind, userId }) => {
      if (kind === "signed-in" && userId !== undefined) this.tell(userId);
    });
    sessions.subscribe((event) => {
      if (event.type === "ended") this.tell(event.userId);
    });
  }
}

/** Tells them of every socket that opens or ends. */
export function withNotices<S extends Scope & { readonly user: { readonly id: string } }>(
  notices: SessionNotices,
  next: Application<S>,
): Application<S> {
  return (scope) => {
    const { connection, user } = scope;
    connection.onEnd(() => notices.tell(user.id));
    notices.tell(user.id);
    return next(scope);
  };
}
