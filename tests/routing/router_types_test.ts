import { test } from "node:test";
import assert from "node:assert/strict";
import type { Scope } from "@sluice/sluice";
import { Consumer } from "@sluice/sluice/consumers";
import { route, router } from "@sluice/sluice/routing";
import type { PathParams } from "../../lib/routing/pattern.ts";

interface RoomScope extends Scope {
  readonly params: { readonly room: string };
}
interface PageScope extends Scope {
  readonly params: { readonly page: number };
}
interface TenantScope extends RoomScope {
  readonly tenant: string;
}
class Room extends Consumer<RoomScope> {}
class Page extends Consumer<PageScope> {}
class Tenant extends Consumer<TenantScope> {}

test("route() does not compile for a consumer that needs a missing parameter or scope", () => {
  const params: PathParams<"/a/:b/:c{int}/:d([a-z]+)"> = { b: "x", c: 1, d: "y" };
  assert.equal(params.c, 1);
  router<Scope>([route("/ws/:room", Room), route("/ws/:page{int}", Page)]);
  router<Scope & { readonly tenant: string }>([route("/ws/:room", Tenant)]);
  // @ts-expect-error The pattern has no parameter "room".
  router<Scope>([route("/ws/:rom", Room)]);
  // @ts-expect-error The parameter is not a number.
  router<Scope>([route("/ws/:page", Page)]);
  // @ts-expect-error No middleware adds the tenant.
  router<Scope>([route("/ws/:room", Tenant)]);
});
