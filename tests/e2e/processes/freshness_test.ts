import { test } from "node:test";
import assert from "node:assert/strict";
import {
  KvUserStore,
  requireUser,
  type SignedInScope,
  type User,
  user,
  UserChanges,
} from "@sluice/sluice/auth";
import { Consumer } from "@sluice/sluice/consumers";
import { layer as withLayer, type LayerScope, MemoryChannelLayer } from "@sluice/sluice/layers";
import { route, stack } from "@sluice/sluice/routing";
import { anyOrigin } from "@sluice/sluice/security";
import { toHandler } from "@sluice/sluice/server";
import { session, Sessions } from "@sluice/sluice/sessions";
import { KvControlLog } from "../../../lib/sessions/revocation/kv_control_log.ts";
import { KvSessionStore } from "../../../lib/sessions/kv_session_store.ts";
import { WsClient } from "../../support/app/ws_client.ts";
import { silent } from "../../support/silent_log.ts";
import { type KeyValue, MemoryKeyValue } from "../../../lib/kv/mod.ts";

type RoomScope = SignedInScope & LayerScope;

/** Reports its user on request and after changes; one group is only for members. */
class RoomConsumer extends Consumer<RoomScope> {
  override authorize() {
    return !this.scope.user.roles?.includes("outlaw");
  }

  override async connect() {
    await this.accept();
    await this.groupAdd("lobby");
    const authorize = ({ user }: RoomScope) => user.roles?.includes("member") === true;
    await this.groupAdd("members", { authorize }).catch(() => {});
    this.send("ready");
  }

  override receive(data: string | Uint8Array) {
    if (data === "who") this.send(`${this.scope.user.name}, ${this.scope.session.expiresAt}`);
    else this.send(data);
  }

  override event({ type, data }: { type: string; data?: unknown }) {
    this.send(`${type}: ${data}`);
  }

  override scopeChanged(parts: readonly string[]) {
    this.send(`changed: ${parts}`);
  }

  override onGroupRevoked(group: string) {
    this.send(`withdrawn: ${group}`);
  }
}

/** One of several processes on a database, with its own gate and port. */
class Process implements AsyncDisposable {
  readonly sessions: Sessions;
  readonly users: KvUserStore;
  readonly layer = new MemoryChannelLayer();
  readonly server: Deno.HttpServer<Deno.NetAddr>;
  readonly #handler: ReturnType<typeof toHandler>;

  constructor(kv: KeyValue) {
    const controlLog = new KvControlLog(kv);
    this.sessions = new Sessions(new KvSessionStore(kv, { controlLog }), {
      controlLog,
      log: silent,
    });
    this.users = new KvUserStore(kv, { controlLog });
    const { sessions, users, layer } = this;
    const application = stack()
      .use(anyOrigin())
      .use(session(sessions))
      .use(user(users))
      .use(requireUser())
      .use(withLayer(layer))
      .routes([route("/ws/room", RoomConsumer)]);
    this.#handler = toHandler(application, { log: silent, freshness: sessions.freshness });
    this.server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, this.#handler);
  }

  async open(token: string): Promise<WsClient> {
    const client = await WsClient.connect(`ws://127.0.0.1:${this.server.addr.port}/ws/room`, {
      headers: { cookie: `session=${token}` },
    });
    assert.equal((await client.next()).text, "ready");
    return client;
  }

  async [Symbol.asyncDispose]() {
    this.#handler.endAll(1001, "the test is over");
    this.sessions.close();
    await this.server.shutdown();
  }
}

interface Stage extends AsyncDisposable {
  readonly here: Process;
  readonly there: Process;
  readonly ada: User;
  readonly token: string;
  readonly sessionId: string;
  save(name: string): Promise<User>;
}

async function setStage(): Promise<Stage> {
  const kv = new MemoryKeyValue();
  const [here, there] = [new Process(kv), new Process(kv)];
  const save = (name: string) =>
    here.users.save({ provider: "dev", subject: "1", login: "ada", name, avatarUrl: undefined });
  const ada = await save("Ada");
  const { session, token } = await here.sessions.create({ userId: ada.id, provider: "dev" });
  return {
    here,
    there,
    ada,
    token,
    sessionId: session.id,
    save,
    async [Symbol.asyncDispose]() {
      await here[Symbol.asyncDispose]();
      await there[Symbol.asyncDispose]();
      kv.close();
    },
  };
}

const texts = async (clients: readonly WsClient[]) =>
  await Promise.all(clients.map(async (client) => (await client.next()).text));

test("a name changed on one process reaches the scopes of the others within a second", async () => {
  await using stage = await setStage();
  const sockets = [await stage.there.open(stage.token), await stage.there.open(stage.token)];
  const since = performance.now();
  await stage.save("Countess Ada");
  assert.deepEqual(await texts(sockets), ["changed: user", "changed: user"]);
  assert.ok(performance.now() - since < 1000);
  for (const socket of sockets) socket.send("who");
  for (const text of await texts(sockets)) assert.match(text, /^Countess Ada, /);
});

test("removing a role ends only the membership of its group, on every process", async () => {
  await using stage = await setStage();
  const { here, there, ada } = stage;
  await new UserChanges(here).setRoles(ada.id, ["member"]);
  const sockets = [await here.open(stage.token), await there.open(stage.token)];
  await here.layer.groupSend("members", { type: "news", data: 1 });
  await there.layer.groupSend("members", { type: "news", data: 1 });
  assert.deepEqual(await texts(sockets), ["news: 1", "news: 1"]);
  await new UserChanges(here).setRoles(ada.id, []);
  for (const socket of sockets) {
    const said = [(await socket.next()).text, (await socket.next()).text].sort();
    assert.deepEqual(said, ["changed: user", "withdrawn: members"]);
  }
  for (const process of [here, there]) {
    await process.layer.groupSend("members", { type: "news", data: 2 });
    await process.layer.groupSend("lobby", { type: "news", data: 3 });
  }
  assert.deepEqual(await texts(sockets), ["news: 3", "news: 3"]);
});

test("withdrawing all permissions closes the socket with 4403", async () => {
  await using stage = await setStage();
  const socket = await stage.there.open(stage.token);
  await new UserChanges(stage.here).setRoles(stage.ada.id, ["outlaw"]);
  assert.equal((await socket.closed).code, 4403);
  await assert.rejects(stage.there.open(stage.token), { status: 403, code: "FORBIDDEN" });
});

test("a banned user loses all sockets with 4401, and gets no new ones", async () => {
  await using stage = await setStage();
  const sockets = [await stage.here.open(stage.token), await stage.there.open(stage.token)];
  await new UserChanges(stage.here).ban(stage.ada.id);
  for (const socket of sockets) assert.equal((await socket.closed).code, 4401);
  await assert.rejects(stage.there.open(stage.token), { status: 401 });
});

test("a recently admitted session is refused a second after its revocation on another process", async () => {
  await using stage = await setStage();
  const { here, there, token, sessionId } = stage;
  // Repeatedly, so that the read cache is used.
  for (let n = 0; n < 20; n++) (await here.open(token)).socket.close();
  await there.sessions.end(sessionId, "revoked");
  await assert.rejects(there.open(token), { status: 401 }, "at once where it was revoked");
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  await assert.rejects(here.open(token), { status: 401 });
});

test("a session that changes to another user closes its sockets with 4403", async () => {
  await using stage = await setStage();
  const socket = await stage.there.open(stage.token);
  const session = (await stage.there.sessions.get(stage.sessionId))!;
  const lastSeenAt = session.lastSeenAt + 1;
  stage.there.sessions.connections.apply({
    type: "renewed",
    session: { ...session, userId: "somebody else", lastSeenAt },
  });
  assert.equal((await socket.closed).code, 4403);
});

test("1,000 sockets stay open during a rotation of their session, and lose no message", async () => {
  await using stage = await setStage();
  const { here, there } = stage;
  const sockets: WsClient[] = [];
  for (let at = 0; at < 1000; at += 50) {
    const opening = Array.from(
      { length: 50 },
      (_, n) => (n % 2 ? here : there).open(stage.token),
    );
    sockets.push(...await Promise.all(opening));
  }
  const say = async (data: number) => {
    for (const { layer } of [here, there]) {
      await layer.groupSend("lobby", { type: "news", data });
    }
  };
  for (let n = 0; n < 5; n++) await say(n);
  const rotated = await here.sessions.rotate(stage.sessionId, { graceMs: 0 });
  for (let n = 5; n < 10; n++) await say(n);
  for (const socket of sockets) {
    const heard: string[] = [];
    while (heard.length < 11) heard.push((await socket.next()).text);
    const news = heard.filter((text) => text.startsWith("news"));
    assert.deepEqual(news, Array.from({ length: 10 }, (_, n) => `news: ${n}`));
    assert.ok(heard.includes("changed: session"));
    assert.equal(socket.socket.readyState, 1);
  }
  await assert.rejects(there.open(stage.token), { status: 401 }, "the old secret is no good");
  using _again = await there.open(rotated!.token);
});
