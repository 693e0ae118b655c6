import { test } from "node:test";
import assert from "node:assert/strict";
import { RoomStorage } from "../../components/room/room_storage.ts";

/** An in-memory replacement for the storage of a tab. */
function createStorage() {
  const items = new Map<string, string>();
  return {
    items,
    getItem: (key: string) => items.get(key) ?? null,
    setItem: (key: string, value: string) => void items.set(key, value),
    removeItem: (key: string) => void items.delete(key),
  };
}

const unsent = { text: "Hi", at: "2026-01-01T00:00:00.000Z", reason: "Lost", uncertain: true };

test("RoomStorage keeps a draft and unsent messages per user and room", () => {
  const tab = createStorage();
  const of = (userId: string, room: string) => new RoomStorage({ userId, room }, () => tab);
  of("ada", "lobby").draft = "half a thought";
  of("ada", "lobby").unsent = [unsent];
  assert.equal(of("ada", "lobby").draft, "half a thought");
  assert.deepEqual(of("ada", "lobby").unsent, [unsent]);
  for (const other of [of("grace", "lobby"), of("ada", "help")]) {
    assert.equal(other.draft, "");
    assert.deepEqual(other.unsent, []);
  }
});

test("RoomStorage removes its items when there is nothing to keep", () => {
  const tab = createStorage();
  const storage = new RoomStorage({ userId: "ada", room: "lobby" }, () => tab);
  storage.draft = "x";
  storage.unsent = [unsent];
  storage.draft = "";
  storage.unsent = [];
  assert.equal(tab.items.size, 0);
});

test("RoomStorage works without storage, and with a storage that throws", () => {
  const fail = () => {
    throw new DOMException("The quota has been exceeded", "QuotaExceededError");
  };
  const broken = [
    fail,
    () => ({ getItem: fail, setItem: fail, removeItem: fail }),
    () => undefined as never,
  ];
  for (const get of broken) {
    const storage = new RoomStorage({ userId: "ada", room: "lobby" }, get);
    storage.draft = "x";
    storage.unsent = [unsent];
    assert.equal(storage.draft, "");
    assert.deepEqual(storage.unsent, []);
  }
});

test("RoomStorage ignores stored messages that are not messages", () => {
  const tab = createStorage();
  const storage = new RoomStorage({ userId: "ada", room: "lobby" }, () => tab);
  storage.unsent = [unsent];
  const [key] = tab.items.keys();
  for (const value of ["{", "null", "{}", "[null]", '[{"text":1}]', '["text"]', "7"]) {
    tab.items.set(key!, value);
    assert.deepEqual(storage.unsent, [], value);
  }
});
