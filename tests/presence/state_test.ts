import { test } from "node:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { syncDiff, syncState } from "@sluice/sluice/presence";
import { mergeEntries, type PresenceEntry, type PresenceState } from "../../lib/presence/state.ts";
import { Topic } from "../../lib/presence/topic.ts";

interface Member {
  readonly key: string;
  readonly mood: string;
}

const PLAIN = { noNullPrototype: true };
const key = fc.constantFrom("a", "b", "c", "__proto__", "constructor");
const people = fc.array(fc.record({ key, mood: fc.constantFrom("x", "y") }, PLAIN)).map(
  (list): PresenceState<Member> => new Map(list.map((member) => [member.key, member])),
);
const entry = fc.record({
  meta: fc.constantFrom("x", "y", "z"),
  since: fc.nat(3),
  at: fc.nat(3),
}, PLAIN);
const state = fc.array(fc.tuple(key, entry)).map(
  (list): State => new Map(list),
);

type State = PresenceState<PresenceEntry<string>>;

/** Merges the states of several processes, without the order of {@linkcode Topic}. */
function mergeStates(states: Iterable<State>): State {
  const merged = new Map<string, PresenceEntry<string>>();
  for (const [key, entry] of [...states].flatMap((state) => [...state])) {
    const known = merged.get(key);
    merged.set(key, known === undefined ? entry : mergeEntries(known, entry));
  }
  return merged;
}

const sorted = <T>(map: ReadonlyMap<string, T>) => [...map].sort(([a], [b]) => a < b ? -1 : 1);

test("syncDiff() applied to the result of syncState() returns the second state", () => {
  fc.assert(fc.property(people, people, (before, after) => {
    const diff = syncState(before, after);
    assert.deepEqual(sorted(syncDiff(before, diff, (member) => member.key)), sorted(after));
  }));
});

test("syncState() finds no change between equal states, and each changed user once", () => {
  fc.assert(fc.property(people, people, (before, after) => {
    const copy = structuredClone(before);
    assert.deepEqual(syncState(before, copy), { joined: [], left: [], updated: [] });
    const { joined, left, updated } = syncState(before, after);
    const keys = [...joined, ...left, ...updated].map((member) => member.key);
    assert.equal(new Set(keys).size, keys.length);
  }));
});

test("mergeEntries() is independent of order, grouping and repetition", () => {
  fc.assert(fc.property(state, state, state, (a, b, c) => {
    const expected = sorted(mergeStates([a, b, c]));
    assert.deepEqual(sorted(mergeStates([c, a, b])), expected);
    assert.deepEqual(sorted(mergeStates([mergeStates([a, b]), c])), expected);
    assert.deepEqual(sorted(mergeStates([a, mergeStates([b, c])])), expected);
    assert.deepEqual(sorted(mergeStates([a, b, a, c, b])), expected);
  }));
});

test("Topic agrees with mergeStates(), and its pages have one order", () => {
  const change = fc.tuple(fc.constantFrom("p", "q", "r"), key, fc.option(entry));
  fc.assert(fc.property(fc.array(change), fc.integer({ min: 1, max: 4 }), (changes, limit) => {
    const topic = new Topic<string>();
    const known = new Map<string, Map<string, PresenceEntry<string>>>();
    const there = new Set<string>();
    for (const [process, key, entry] of changes) {
      const told = topic.set(process, key, entry ?? undefined)?.kind;
      const state = known.get(process) ?? new Map();
      known.set(process, state);
      if (entry === null) state.delete(key);
      else state.set(key, entry);
      const isThere = mergeStates(known.values()).has(key);
      assert.equal(told === "joined", isThere && !there.has(key));
      assert.equal(told === "left", !isThere && there.has(key));
      if (isThere) there.add(key);
      else there.delete(key);
    }
    const expected = [...mergeStates(known.values())].sort(([a, one], [b, other]) =>
      one.since - other.since || (a < b ? -1 : 1)
    ).map(([, { meta }]) => meta);
    assert.deepEqual(topic.list(), expected);
    const paged: string[] = [];
    let next: string | undefined;
    do {
      const page = topic.page(next, limit);
      paged.push(...page.people);
      assert.equal(page.total, expected.length);
      next = page.next;
    } while (next !== undefined);
    assert.deepEqual(paged, expected);
  }));
});

test("Topic.page() continues at the right user after the last user of a page left", () => {
  const topic = new Topic<string>();
  for (const [index, name] of ["a", "b", "c", "d"].entries()) {
    topic.set("p", name, { meta: name, since: index, at: 0 });
  }
  const { next } = topic.page(undefined, 2);
  topic.set("p", "b", undefined);
  topic.set("p", "a", undefined);
  assert.deepEqual(topic.page(next, 2), { people: ["c", "d"], total: 2, next: undefined });
  assert.deepEqual(topic.page("nonsense", 9).people, ["c", "d"]);
});
