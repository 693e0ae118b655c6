import { emptySnapshot, type Snapshot } from "../build/snapshot.ts";
import type { RouteComponent } from "../types.ts";

/** The layouts around a request's page, and the source of its files. */
export interface RequestUi {
  // The state's type differs between apps; only the owner of the context knows it.
  // deno-lint-ignore no-explicit-any
  app: RouteComponent<any> | null;
  // deno-lint-ignore no-explicit-any
  layouts: RouteComponent<any>[];
  snapshot: Snapshot;
}

const uis = new WeakMap<object, RequestUi>();

/** The UI data of a request, shared by all handlers of its context. */
export function requestUi(ctx: object): RequestUi {
  let ui = uis.get(ctx);
  if (ui === undefined) {
    ui = { app: null, layouts: [], snapshot: emptySnapshot(".") };
    uis.set(ctx, ui);
  }
  return ui;
}
