import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { buildApp } from "../../support/app/app_process.ts";
import { Hosts } from "../../support/app/hosts.ts";
import type { WsClient } from "../../support/app/ws_client.ts";
import { whyNoPostgres } from "../../support/postgres/postgres_server.ts";
import { whyNoRedis } from "../../support/redis/redis_server.ts";
import { raceTickets } from "../../support/app/race_tickets.ts";
import { eventually } from "../../support/eventually.ts";

const skip = whyNoPostgres() ?? whyNoRedis() ?? false;
const options = { skip, timeout: 120_000 };

let hosts: Hosts;
before(async () => {
  if (skip) return;
  await buildApp();
  hosts = await Hosts.start({ SOCKETS_PER_USER: "10000", SOCKETS_PER_ADDRESS: "10000" });
});
after(async () => await hosts?.[Symbol.asyncDispose]());

/** Sends a text, and returns the id of the message. */
async function say(socket: WsClient, text: string): Promise<string> {
  socket.sendJson({ type: "say", data: { text }, id: text });
  const { data } = await socket.frame("reply") as { readonly data: { readonly id: string } };
  return data.id;
}

/** Waits until all processes can use the database. */
async function areReady(): Promise<void> {
  for (const { origin } of hosts.processes) {
    await eventually(async () => {
      const response = await fetch(`${origin}/readyz`);
      await response.body?.cancel();
      assert.equal(response.status, 200);
    }, 30_000);
  }
}

test(
  "three processes of two hosts are one app: sign-in, a room, its history and sign-out",
  options,
  async () => {
    const [ada, grace] = [await hosts.signIn("ada"), await hosts.signIn("grace")];
    const listeners = await hosts.enterEverywhere(ada, "lobby");
    for (const [index, process] of hosts.processes.entries()) {
      using speaker = await hosts.open(process, "/ws/chat/lobby", { browser: grace });
      const id = await say(speaker, `from ${index}`);
      for (const listener of listeners) {
        assert.equal(((await listener.frame("said")).data as { id: string }).id, id);
      }
      speaker.sendJson({ type: "history", id: "h", data: { stream: "room" } });
      const { data } = await speaker.frame("reply") as { data: { messages: unknown[] } };
      assert.equal(data.messages.length, index + 1);
    }
    assert.equal(await hosts.signOut(ada, hosts.processes[1]!), 204);
    for (const { closed } of listeners) assert.equal((await closed).code, 4401);
    for (const process of hosts.processes) {
      await assert.rejects(hosts.open(process, "/ws/echo", { browser: ada }), { status: 401 });
    }
  },
);

test(
  "each of 100 tickets opens one socket, with 8 connections of all processes racing",
  options,
  async () => {
    const results = await raceTickets(hosts, await hosts.signIn("linus"), { tickets: 100 });
    assert.deepEqual(Object.fromEntries(results), { upgraded: 100, TICKET_INVALID: 700 });
  },
);

test("a sign-out ends the sockets of processes cut off from PostgreSQL", options, async () => {
  const ada = await hosts.signIn("ada");
  const sockets = await hosts.enterEverywhere(ada, "lobby");
  hosts.paths[1].cut();
  assert.equal(await hosts.signOut(ada, hosts.processes[0]!), 204);
  for (const { closed } of sockets) assert.equal((await closed).code, 4401);
  hosts.paths[1].move(hosts.postgres.port);
  await areReady();
});

test(
  "a sign-out that was acknowledged ends all sockets even if PostgreSQL is killed at once",
  options,
  async () => {
    const ada = await hosts.signIn("ada");
    const sockets = await hosts.enterEverywhere(ada, "lobby");
    assert.equal(await hosts.signOut(ada, hosts.processes[0]!), 204);
    await hosts.postgres.kill();
    for (const { closed } of sockets) assert.equal((await closed).code, 4401);
    await hosts.postgres.restart();
    await areReady();
    await assert.rejects(hosts.open(hosts.processes[2]!, "/ws/echo", { browser: ada }), {
      status: 401,
    });
  },
);

test(
  "a sign-out while PostgreSQL is down is 503, and the session and its sockets go on",
  options,
  async () => {
    const ada = await hosts.signIn("ada");
    const sockets = await hosts.enterEverywhere(ada, "lobby");
    await hosts.postgres.kill();
    assert.equal(await hosts.signOut(ada, hosts.processes[0]!), 503);
    await hosts.postgres.restart();
    await areReady();
    const id = await say(sockets[1]!, "still here");
    assert.equal(((await sockets[2]!.frame("said")).data as { id: string }).id, id);
    using _another = await hosts.open(hosts.processes[0]!, "/ws/echo", { browser: ada });
    assert.equal(await hosts.signOut(ada, hosts.processes[0]!), 204);
    for (const { closed } of sockets) assert.equal((await closed).code, 4401);
  },
);
