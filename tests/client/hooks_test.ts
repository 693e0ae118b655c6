import { test } from "node:test";
import assert from "node:assert/strict";
import type { RealtimeSocket } from "@sluice/sluice/client";
import type { HookPrimitives } from "../../lib/client/hooks/primitives.ts";
import { createUseHistory, type UsedHistory } from "../../lib/client/hooks/use_history.ts";
import { createUsePresence } from "../../lib/client/hooks/use_presence.ts";
import {
  createUseSocket,
  type UsedSocket,
  type UseSocketOptions,
} from "../../lib/client/hooks/use_socket.ts";
import { FakeSocket } from "../support/client/fake_environment.ts";
import type { ChatMessages } from "../support/client/chat_messages.ts";

function createHooks(library: HookPrimitives) {
  return {
    useSocket: createUseSocket(library),
    usePresence: createUsePresence(library),
    useHistory: createUseHistory(library),
  };
}

/** One mounted component: runs hooks as React and Preact do, without a page. */
class Component<T> {
  readonly #body: () => T;
  readonly #slots: unknown[] = [];
  #next = 0;
  #effects: { dependencies: readonly unknown[]; stop: void | (() => void) }[] = [];
  #pending: (() => void)[] = [];
  result!: T;

  constructor(body: (hooks: ReturnType<typeof createHooks>) => T) {
    const hooks = createHooks({
      useState: (initial) => {
        const index = this.#next++;
        if (!(index in this.#slots)) this.#slots[index] = initial;
        const set = (change: unknown) => {
          const before = this.#slots[index];
          const after = typeof change === "function" ? change(before) : change;
          if (after === before) return;
          this.#slots[index] = after;
          queueMicrotask(() => this.render());
        };
        return [this.#slots[index] as typeof initial, set];
      },
      useRef: (initial) => {
        const index = this.#next++;
        return (this.#slots[index] ??= { current: initial }) as { current: typeof initial };
      },
      useEffect: (effect, dependencies) => {
        const index = this.#next++;
        const known = this.#effects[index];
        if (known?.dependencies.every((value, at) => value === dependencies[at])) return;
        this.#pending.push(() => {
          known?.stop?.();
          this.#effects[index] = { dependencies, stop: effect() };
        });
      },
    });
    this.#body = () => body(hooks);
    this.render();
  }

  render(): void {
    this.#next = 0;
    this.result = this.#body();
    for (const effect of this.#pending.splice(0)) effect();
  }

  /** Runs the cleanups, and with `again` the effects: what Strict Mode and fast refresh do. */
  unmount({ again = false } = {}): void {
    for (const effect of this.#effects) effect?.stop?.();
    this.#effects = [];
    if (again) this.render();
  }
}

/** A new address for each test: sockets are shared by address. */
let count = 0;

function setUp() {
  const address = `ws://sluice.test/ws/${count++}`;
  const sockets: FakeSocket[] = [];
  class Socket extends FakeSocket {
    constructor(url: string, protocols: string[]) {
      super(url, protocols);
      sockets.push(this);
    }
  }
  const environment = { WebSocket: Socket, isOnline: () => true };
  const use = (options: UseSocketOptions<ChatMessages> = {}) =>
    new Component<UsedSocket<ChatMessages>>(({ useSocket }) =>
      useSocket<ChatMessages>(address, { ...options, environment })
    );
  return { address, environment, sockets, use };
}

/** Lets renders of this turn happen. */
const rendered = () => new Promise<void>((resolve) => setTimeout(resolve));

/** Lets released sockets close. */
const released = () => new Promise<void>((resolve) => setTimeout(resolve, 80));

test("useSocket() has no socket in the first render and the state of its socket afterwards", async () => {
  const { sockets, use } = setUp();
  const states: string[] = [];
  const component = use();
  states.push(component.result.state);
  await rendered();
  assert.equal(component.result.socket?.state, "connecting");
  sockets[0]!.open();
  await rendered();
  states.push(component.result.state);
  assert.deepEqual(states, ["connecting", "live"]);
  component.unmount();
  await released();
});

test("useSocket() closes its socket after the component is gone", async () => {
  const { sockets, use } = setUp();
  const component = use();
  await rendered();
  const { socket } = component.result;
  component.unmount();
  await released();
  assert.equal(socket?.state, "closed");
  assert.notEqual(sockets[0]!.closedWith, undefined);
});

test("useSocket() keeps its connection in Strict Mode and after a fast refresh", async () => {
  const { sockets, use } = setUp();
  const component = use();
  component.unmount({ again: true });
  component.unmount({ again: true });
  await released();
  assert.equal(sockets.length, 1);
  assert.equal(sockets[0]!.closedWith, undefined);
  component.unmount();
  await released();
});

test("useSocket() opens one connection for all components with the same address", async () => {
  const { sockets, use } = setUp();
  const [first, second] = [use(), use()];
  await rendered();
  assert.equal(sockets.length, 1);
  assert.equal(first.result.socket, second.result.socket);
  first.unmount();
  await released();
  assert.equal(second.result.socket?.state, "connecting");
  second.unmount();
  await released();
  assert.equal(sockets[0]!.closedWith !== undefined, true);
});

test("useSocket() opens one connection for an address that is written in two ways", async () => {
  const { address, environment, sockets, use } = setUp();
  const { pathname } = new URL(address);
  const onPage = { environment: { ...environment, baseUrl: "http://sluice.test/page#top" } };
  const relative = new Component<UsedSocket<ChatMessages>>(({ useSocket }) =>
    useSocket<ChatMessages>(pathname, onPage)
  );
  const first = use();
  assert.equal(sockets.length, 1);
  for (const component of [relative, first]) component.unmount();
  await released();
});

test("useSocket() opens a separate connection for another user", async () => {
  const { sockets, use } = setUp();
  const components = [use({ user: "ada" }), use({ user: "grace" })];
  assert.equal(sockets.length, 2);
  for (const component of components) component.unmount();
  await released();
});

test("useSocket() calls the handlers of the latest render", async () => {
  const { sockets, use } = setUp();
  const calls: string[] = [];
  let name = "first";
  const on = { said: () => void calls.push(name) };
  const component = use({ on });
  sockets[0]!.open();
  sockets[0]!.say({ type: "said", data: {} });
  name = "second";
  component.render();
  sockets[0]!.say({ type: "said", data: {} });
  assert.deepEqual(calls, ["first", "second"]);
  component.unmount();
  sockets[0]!.say({ type: "said", data: {} });
  assert.equal(calls.length, 2);
  await released();
});

test("usePresence() lists each present user once", async () => {
  interface User {
    readonly id: string;
    readonly name: string;
  }
  type Listener = (data: unknown) => void;
  const listeners = new Map<string, Listener>();
  const socket = {
    on(type: string, listener: Listener) {
      listeners.set(type, listener);
      return () => listeners.delete(type);
    },
  } as unknown as RealtimeSocket<never>;
  const component = new Component(({ usePresence }) =>
    usePresence<never, User>(socket, {
      all: { welcome: (data: { users: User[] }) => data.users } as never,
      joined: { joined: (data: User) => data } as never,
      left: { left: (data: User) => data } as never,
      keyOf: ({ id }) => id,
    })
  );
  const say = async (type: string, data: unknown) => {
    listeners.get(type)!(data);
    await rendered();
    return component.result.map(({ name }) => name);
  };
  const [ada, grace] = [{ id: "1", name: "Ada" }, { id: "2", name: "Grace" }];
  assert.deepEqual(await say("welcome", { users: [ada] }), ["Ada"]);
  assert.deepEqual(await say("joined", grace), ["Ada", "Grace"]);
  assert.deepEqual(await say("joined", { ...ada, name: "Ada L." }), ["Grace", "Ada L."]);
  assert.deepEqual(await say("left", grace), ["Ada L."]);
  assert.deepEqual(await say("welcome", { users: [grace] }), ["Grace"]);
  component.unmount();
  assert.equal(listeners.size, 0);
});

/** A room with a stream whose server is the test. */
function setUpHistory({ maxKept }: { maxKept?: number } = {}) {
  const { address, environment, sockets } = setUp();
  // Reconnects at once.
  const eager = { ...environment, random: () => 0 };
  const component = new Component<UsedHistory<string>>(({ useSocket, useHistory }) => {
    const { socket } = useSocket<ChatMessages>(address, { environment: eager });
    return useHistory(socket, {
      stream: "room",
      messages: { said: ({ text }, { offset }) => `${offset} ${text}` },
      limit: 2,
      maxKept,
    });
  });
  const socket = () => sockets.at(-1)!;
  return {
    component,
    socket,
    /** Connects to a room whose newest message has this offset. */
    async enter(offset: number, epoch = "e1") {
      await rendered();
      socket().open();
      socket().say({ type: "stream", data: { stream: "room", epoch, first: 1, offset } });
      await rendered();
    },
    /** A new message arrives. */
    async hear(offset: number, { epoch = "e1", type = "said" } = {}) {
      socket().say({ type, data: { text: "new" }, stream: "room", epoch, offset });
      await rendered();
    },
    /** Answers the last request for history, and returns its data. */
    async answer(offsets: readonly number[], { epoch = "e1", type = "said", more = true } = {}) {
      const { id, data } = socket().frames.filter((frame) => frame.type === "history").at(-1)!;
      const messages = offsets.map((offset) => ({ type, data: { text: "old" }, offset }));
      const recovered = epoch === "e1";
      const history = { epoch, first: 1, offset: 9, recovered, messages, more };
      socket().say({ type: "reply", id, ok: true, data: history });
      await rendered();
      return data as { before?: number; after?: number; limit: number };
    },
    async close() {
      component.unmount();
      await released();
    },
  };
}

test("useHistory() loads the newest messages, and adds each new one once", async () => {
  const room = setUpHistory();
  assert.deepEqual(room.component.result.messages, []);
  await room.enter(3);
  await room.hear(4);
  const { limit } = await room.answer([2, 3, 4]);
  assert.equal(limit, 2);
  await room.hear(4);
  await room.hear(5);
  const { messages, hasOlder } = room.component.result;
  assert.deepEqual(messages, ["2 old", "3 old", "4 new", "5 new"]);
  assert.equal(hasOlder, true);
  await room.close();
});

test("useHistory() loads older messages before its oldest one, with one request at a time", async () => {
  const room = setUpHistory({ maxKept: 3 });
  await room.enter(9);
  await room.answer([8, 9]);
  const { loadOlder } = room.component.result;
  const both = Promise.all([loadOlder(), loadOlder()]);
  assert.equal((await room.answer([6, 7])).before, 8);
  assert.deepEqual(await both, [2, 2]);
  // A page of other messages moves on, too.
  void loadOlder();
  await room.answer([4, 5], { type: "left" });
  void room.component.result.loadOlder();
  assert.equal((await room.answer([3], { more: false })).before, 4);
  assert.equal(room.component.result.hasOlder, false);
  const older = ["3 old", "6 old", "7 old"];
  assert.deepEqual(room.component.result.messages, [...older, "8 old", "9 old"]);
  for (const offset of [10, 11]) await room.hear(offset);
  // Of the newest, three are kept, and as many as were loaded.
  assert.equal(room.component.result.messages.length, 6);
  assert.equal(room.component.result.hasOlder, true);
  await room.close();
});

test("useHistory() loads again if the connection is lost before the reply", async () => {
  const room = setUpHistory();
  await room.enter(3);
  room.socket().end();
  await released();
  await room.enter(3);
  await room.answer([2, 3]);
  assert.deepEqual(room.component.result.messages, ["2 old", "3 old"]);
  assert.equal(room.component.result.error, undefined);
  assert.deepEqual(room.component.result.recovery, { stream: "room", recovered: true, missed: 0 });
  await room.close();
});

test("useHistory() begins anew when the history is another one", async () => {
  const room = setUpHistory();
  await room.enter(3);
  await room.answer([2, 3]);
  await room.hear(1, { epoch: "e2" });
  await room.answer([1], { epoch: "e2" });
  assert.deepEqual(room.component.result.messages, ["1 old"]);
  await room.close();
});

test("useHistory() reports why messages could not be loaded", async () => {
  const room = setUpHistory();
  await room.enter(3);
  const { id } = room.socket().frames.at(-1)!;
  room.socket().say({ type: "reply", id, ok: false, error: { code: "FORBIDDEN", message: "no" } });
  await rendered();
  assert.equal(room.component.result.error?.code, "FORBIDDEN");
  await room.close();
});

for (const library of ["react", "preact"] as const) {
  test(`the hooks of ${library} render on a server without a connection`, async () => {
    const { useSocket } = await import(`@sluice/sluice/client/${library}`);
    const seen: unknown[] = [];
    const View = () => {
      seen.push(useSocket("/ws/anywhere").state);
      return null;
    };
    if (library === "preact") {
      const { h } = await import("preact");
      const { render } = await import("preact-render-to-string");
      render(h(View, null));
    } else {
      const { createElement } = await import("react");
      const { renderToString } = await import("react-dom/server");
      renderToString(createElement(View));
    }
    assert.deepEqual(seen, ["connecting"]);
  });
}
