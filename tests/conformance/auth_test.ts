import assert from "node:assert/strict";
import type { Scope } from "@sluice/sluice";
import {
  type AuthScope,
  login,
  logout,
  MemoryUserStore,
  requireUser,
  type SignedInScope,
  type User,
} from "@sluice/sluice/auth";
import { currentUser } from "../../lib/auth/login.ts";
import { withAuth } from "../../lib/auth/with_auth.ts";
import { Consumer, HttpConsumer } from "@sluice/sluice/consumers";
import { route, router } from "@sluice/sluice/routing";
import { MemorySessionStore, Sessions } from "@sluice/sluice/sessions";
import { communicate, communicateHttp } from "@sluice/sluice/testing";
import { silent } from "../support/silent_log.ts";
import { beyond, conforms } from "../support/conformance/conforms.ts";

async function setUp() {
  const sessions = new Sessions(new MemorySessionStore(), { log: silent });
  const users = new MemoryUserStore();
  const save = (login: string) =>
    users.save({ provider: "dev", subject: login, login, name: login, avatarUrl: undefined });
  const [bob, bill] = [await save("bob"), await save("bill")];
  const signIn = async (user: User) => {
    const { session, token } = await sessions.create({ userId: user.id, provider: "dev" });
    return { session, headers: { cookie: `session=${token}` } };
  };
  return { sessions, users, bob, bill, signIn };
}

/** An HttpConsumer that runs `work` and responds with the result. */
function doing(work: (consumer: HttpConsumer<AuthScope>) => Promise<unknown>) {
  return class extends HttpConsumer<AuthScope> {
    override async handle() {
      const result = await work(this);
      await this.sendResponse(200, JSON.stringify(result ?? null));
    }
  };
}

/** A socket that sends its user on request, and exposes its scope. */
class Asking extends Consumer<AuthScope> {
  override async receive(data: string | Uint8Array) {
    if (data === "logout") await logout(this.scope);
    else this.send((await currentUser(this.scope))?.login ?? "nobody");
  }
}

conforms(
  "channels/security/test_auth.py::test_login_no_session_in_scope",
  "a stack without what login() needs does not compile",
  () => {
    class SigningIn extends Consumer<AuthScope> {}
    // @ts-expect-error No middleware adds the session: withAuth() is missing.
    router<Scope>([route("/", SigningIn)]);
    router<AuthScope>([route("/", SigningIn)]);
  },
);

conforms(
  "channels/security/test_auth.py::test_login_no_user_in_scope",
  "login() without a user does not compile",
  () => {
    // @ts-expect-error A user is required.
    const wrong = (scope: AuthScope) => login(scope, undefined);
    assert.ok(wrong);
  },
);

conforms(
  [
    "channels/security/test_auth.py::test_login_user_as_argument",
    "channels/security/test_auth.py::test_login_user_on_scope",
  ],
  "login() saves a new session at once, and the browser gets its cookie",
  async () => {
    const { sessions, users, bob } = await setUp();
    const application = withAuth<Scope>(
      { sessions, users },
      router<AuthScope>([
        route(
          "/",
          doing(async (consumer) => {
            assert.equal(await currentUser(consumer.scope), undefined);
            const { session, setCookie } = await login(consumer.scope, bob);
            consumer.addSetCookie(setCookie);
            assert.equal((await sessions.list(bob.id))[0]?.id, session.id);
            assert.equal((await currentUser(consumer.scope))?.login, "bob");
            return consumer.scope.user?.login;
          }),
        ),
      ]),
    );
    const answer = await communicateHttp(application).response();
    assert.equal(answer.text, '"bob"');
    const [cookie] = answer.headers.getSetCookie();
    assert.match(cookie!, /^session=[^;]+; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Lax$/);
    const token = cookie!.slice("session=".length).split(";")[0];
    assert.equal((await sessions.find(token)).state, "live");
  },
);

conforms(
  "channels/security/test_auth.py::test_login_change_user",
  "login() of another user ends the previous session and its other sockets, and never reuses its id",
  async () => {
    const { sessions, users, bob, bill, signIn } = await setUp();
    const { session: before, headers } = await signIn(bob);
    const consumer = doing(async (consumer) => {
      const { session } = await login(consumer.scope, bill);
      return session.id;
    });
    const application = withAuth<Scope>(
      { sessions, users },
      router<AuthScope>([route("/login", consumer), route("/ws", Asking)]),
    );
    const other = communicate(application, { path: "/ws", headers });
    await other.connect();
    const answer = await communicateHttp(application, { path: "/login", headers }).response();
    assert.equal(answer.status, 200);
    assert.notEqual(JSON.parse(answer.text), before.id);
    assert.deepEqual(await other.closed(), { code: 4401, reason: "replaced" });
    assert.equal(await sessions.get(before.id), undefined);
    assert.equal((await sessions.list(bill.id)).length, 1);
  },
);

conforms(
  "channels/security/test_auth.py::test_logout",
  "logout() ends the session with all its sockets, and a plain request can still be answered",
  async () => {
    const { sessions, users, bob, signIn } = await setUp();
    const { session, headers } = await signIn(bob);
    const consumer = doing(async (consumer) => {
      consumer.addSetCookie(await logout(consumer.scope));
      assert.equal(await currentUser(consumer.scope), undefined);
      return consumer.scope.sessionState;
    });
    const application = withAuth<Scope>(
      { sessions, users },
      router<AuthScope>([route("/logout", consumer), route("/ws", Asking)]),
    );
    const peers = [1, 2].map(() => communicate(application, { path: "/ws", headers }));
    for (const peer of peers) await peer.connect();
    const answer = await communicateHttp(application, { path: "/logout", headers }).response();
    assert.deepEqual([answer.status, answer.text], [200, '"none"']);
    assert.match(answer.headers.getSetCookie()[0]!, /^session=; Path=\/; Max-Age=0/);
    for (const peer of peers) assert.equal((await peer.closed()).code, 4401);
    assert.equal(await sessions.get(session.id), undefined);
    const again = await communicate(application, { path: "/ws", headers }).connect();
    assert.equal(again.accepted, true);
  },
);

conforms(
  "channels/security/test_auth.py::test_logout_not_logged_in",
  "logout() without a session ends nothing",
  async () => {
    const { sessions, users, bob, signIn } = await setUp();
    await signIn(bob);
    const application = withAuth<Scope>(
      { sessions, users },
      router<AuthScope>([route("/", doing(({ scope }) => logout(scope)))]),
    );
    assert.equal((await communicateHttp(application).response()).status, 200);
    assert.equal((await sessions.list(bob.id)).length, 1);
  },
);

conforms(
  [
    "channels/test_http.py::test_sessions",
    "channels/test_http.py::test_session_saves",
    "channels/test_http.py::test_multiple_sessions",
  ],
  "connections with different cookies have different sessions",
  async () => {
    const { sessions, users, bob, bill, signIn } = await setUp();
    const application = withAuth<Scope>(
      { sessions, users },
      router<AuthScope>([route("/", Asking)]),
    );
    const first = communicate(application, { headers: (await signIn(bob)).headers });
    const second = communicate(application, { headers: (await signIn(bill)).headers });
    await second.connect();
    await first.connect();
    for (const peer of [first, second]) peer.send("who?");
    assert.equal(await second.receive(), "bill");
    assert.equal(await first.receive(), "bob");
  },
);

conforms(
  "channels/test_http.py::test_session_save_update_error",
  "a session deleted during a request is never restored",
  async () => {
    const { sessions, users, bob, signIn } = await setUp();
    const { session, headers } = await signIn(bob);
    const consumer = doing(async () => {
      await sessions.end(session.id, "revoked");
    });
    const application = withAuth<Scope>(
      { sessions, users },
      router<AuthScope>([route("/", consumer)]),
    );
    assert.equal((await communicateHttp(application, { headers }).response()).status, 401);
    assert.equal(await sessions.touch(session), session);
    assert.equal(await sessions.get(session.id), undefined);
  },
);

beyond(
  "stale user",
  "currentUser() reads the user again, so it is never a previous one",
  async () => {
    const { sessions, users, bob, signIn } = await setUp();
    const { headers } = await signIn(bob);
    const application = withAuth<Scope>(
      { sessions, users },
      router<AuthScope>([route("/", Asking)]),
    );
    const peer = communicate(application, { headers });
    await peer.connect();
    peer.send("who?");
    assert.equal(await peer.receive(), "bob");
    await users.save({ ...bob, login: "robert", avatarUrl: undefined });
    peer.send("who?");
    assert.equal(await peer.receive(), "robert");
    await users.remove(bob.id);
    peer.send("who?");
    assert.equal(await peer.receive(), "nobody");
  },
);

beyond(
  "logout on a socket",
  "logout() on a socket closes it and its siblings with 4401",
  async () => {
    const { sessions, users, bob, signIn } = await setUp();
    const { headers } = await signIn(bob);
    const application = withAuth<Scope>(
      { sessions, users },
      router<AuthScope>([route("/", Asking)]),
    );
    const peers = [1, 2].map(() => communicate(application, { headers }));
    for (const peer of peers) await peer.connect();
    peers[0]!.send("logout");
    for (const peer of peers) {
      assert.deepEqual(await peer.closed(), {
        code: 4401,
        reason: "signed-out",
      });
    }
  },
);

beyond(
  "login on a socket",
  "login() before accept() gives the browser its cookie with the 101",
  async () => {
    const { sessions, users, bob } = await setUp();
    class SigningIn extends Consumer<AuthScope> {
      override async connect() {
        const { setCookie } = await login(this.scope, bob);
        await this.accept({ headers: { "set-cookie": setCookie } });
      }
    }
    const application = withAuth<Scope>(
      { sessions, users },
      router<AuthScope>([route("/", SigningIn)]),
    );
    const peer = communicate(application);
    const result = await peer.connect();
    assert.match(result.accepted ? result.headers.get("set-cookie")! : "", /^session=/);
    const [session] = await sessions.list(bob.id);
    await sessions.end(session!.id, "revoked");
    assert.equal((await peer.closed()).code, 4401);
  },
);

beyond(
  "AuthMiddlewareStack",
  "withAuth() and requireUser() refuse anonymous users with 401",
  async () => {
    const { sessions, users, bob, signIn } = await setUp();
    class Private extends Consumer<SignedInScope> {}
    const stack = withAuth<Scope>(
      { sessions, users },
      requireUser(router<AuthScope & SignedInScope>([route("/", Private)])),
    );
    const refused = await communicate(stack).connect();
    assert.deepEqual(refused, { accepted: false, status: 401, code: "NOT_SIGNED_IN" });
    const { headers } = await signIn(bob);
    assert.equal((await communicate(stack, { headers }).connect()).accepted, true);
  },
);

beyond("cookies", "a scope has its cookies, and the first of a name counts", async () => {
  let seen: ReadonlyMap<string, string> = new Map();
  class Looking extends Consumer {
    override connect() {
      seen = this.scope.cookies;
      return this.accept();
    }
  }
  await communicate(Looking, { headers: { cookie: 'a=1; b="2"; a=3; c=x%20y' } }).connect();
  assert.deepEqual([...seen], [["a", "1"], ["b", '"2"'], ["c", "x%20y"]]);
});
