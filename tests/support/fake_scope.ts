import type { OriginScope } from "../../lib/core/scope.ts";
import { parseCookies } from "../../lib/core/request_values.ts";
import { FakeConnection } from "./fake_connection.ts";

/** The scope of a request. */
export function fakeScope(
  address: string,
  options: { cookie?: string; authorization?: string } = {},
): OriginScope & {
  readonly connection: FakeConnection;
} {
  const url = new URL(address);
  const scope: Omit<OriginScope, "connection"> & { connection: FakeConnection } = {
    type: "websocket",
    id: "c1",
    method: "GET",
    url,
    path: url.pathname,
    query: url.searchParams,
    headers: new Headers(options),
    cookies: parseCookies(options.cookie),
    subprotocols: [],
    ticket: undefined,
    address: "192.0.2.1",
    params: {},
    pathRemaining: url.pathname,
    originChecked: true,
    connection: new FakeConnection(),
  };
  return scope as unknown as OriginScope & { readonly connection: FakeConnection };
}
