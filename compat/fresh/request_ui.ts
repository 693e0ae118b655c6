import { emptySnapshot, type Snapshot } from "./snapshot.ts";
import type { RouteComponent } from "./types.ts";

/** What surrounds the page of one request, and where its files come from. */
export interface RequestUi {
  // The state's type differs from app to app; only the context's owner knows it.
  // deno-lint-ignore no-explicit-any
  app: RouteComponent<any> | null;
  // deno-lint-ignore no-explicit-any
  layouts: RouteComponent<any>[];
  snapshot: Snapshot;
}

const uis = new WeakMap<object, RequestUi>();

/** The surroundings of a request, shared by everything that handles its context. */
export function requestUi(ctx: object): RequestUi {
  let ui = uis.get(ctx);
  if (ui === undefined) {
    ui = { app: null, layouts: [], snapshot: emptySnapshot(".") };
    uis.set(ctx, ui);
  }
  return ui;
}
