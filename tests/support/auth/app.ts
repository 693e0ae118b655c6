import {
  type Audit,
  MemoryUserStore,
  type Provider,
  SignIn,
  SignInError,
} from "../../../lib/auth/mod.ts";
import type { KeyValue } from "../../../lib/kv/mod.ts";
import type { SignInOptions } from "../../../lib/auth/oauth/sign_in_options.ts";
import {
  credentialOf,
  findSession,
  MemorySessionStore,
  Sessions,
} from "../../../lib/sessions/mod.ts";
import { FakeClock } from "../../../lib/testing/fake_clock.ts";
import { FakeLog } from "../fake_log.ts";
import type { Handler } from "./browser.ts";

/** A test app. */
export interface TestApp {
  readonly clock: FakeClock;
  readonly log: FakeLog;
  readonly sessions: Sessions;
  readonly users: MemoryUserStore;
  readonly signIn: SignIn;
  /** Answers `/auth/signin`, `/auth/callback/:provider`, `/auth/signout`, `/api/me`. */
  readonly handle: Handler;
}

/** The routes that an application writes around `SignIn`. */
export function testApp(
  providers: readonly Provider[],
  options: {
    clock?: FakeClock;
    log?: FakeLog;
    kv?: KeyValue;
    elsewhere?: Handler;
    attempts?: SignInOptions["attempts"];
    audit?: (parts: { clock: FakeClock; log: FakeLog }) => Audit;
    /** The client address of requests. @default {"192.0.2.7"} */
    address?: string;
  } = {},
): TestApp {
  const clock = options.clock ?? new FakeClock();
  const log = options.log ?? new FakeLog();
  const sessions = new Sessions(new MemorySessionStore({ clock }), { clock, log });
  const users = new MemoryUserStore({ clock });
  const signIn = new SignIn({ providers, users, sessions }, {
    log,
    clock,
    attempts: options.attempts,
    ...(options.kv && { kv: options.kv }),
    ...(options.audit && { audit: options.audit({ clock, log }) }),
  });
  const handle = async (request: Request): Promise<Response> => {
    const url = new URL(request.url);
    const asked = { url, headers: request.headers, address: options.address ?? "192.0.2.7" };
    const secure = url.protocol === "https:";
    try {
      if (url.pathname === "/auth/signin") return await signIn.begin(asked);
      if (url.pathname === "/auth/signout") return await signIn.signOut(asked);
      const [, id] = url.pathname.match(/^\/auth\/callback\/([^/]+)$/) ?? [];
      if (id !== undefined) return await signIn.finish(asked, id);
    } catch (error) {
      if (!(error instanceof SignInError)) throw error;
      const { code, message, reason, status, provider, returnTo } = error;
      return Response.json({ code, message, reason, provider, returnTo }, { status });
    }
    if (url.pathname === "/api/me") {
      const found = await findSession(sessions, credentialOf(request.headers, { secure })?.tokens);
      const user = found.state === "live" ? await users.get(found.session.userId) : undefined;
      return user ? Response.json(user) : Response.json({ state: found.state }, { status: 401 });
    }
    return await options.elsewhere?.(request) ?? new Response("a page");
  };
  return { clock, log, sessions, users, signIn, handle };
}
