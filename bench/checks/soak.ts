/**
 * Do closed connections leak memory? Opens and closes many connections, each in two groups, in one
 * process without a network, and compares the memory at the end with that after the first tenth:
 * `deno run -A --v8-flags=--expose-gc bench/checks/soak.ts [connections]`. Fails above 10 % growth.
 *
 * @module
 */
import type { LayerMessage, Scope } from "@sluice/sluice";
import { allowAnonymous } from "@sluice/sluice/auth";
import { Consumer } from "@sluice/sluice/consumers";
import { layer as withLayer, type LayerScope, MemoryChannelLayer } from "@sluice/sluice/layers";
import { route, stack } from "@sluice/sluice/routing";
import { anyOrigin } from "@sluice/sluice/security";
import { toHandler } from "@sluice/sluice/server";
import type { Socket, SocketEvents, Transport } from "../../lib/core/transport.ts";

const CONNECTIONS = Number(Deno.args[0] ?? 100_000);
const AT_ONCE = 100;
const LIMIT = 1.1;

/** Returns the memory in use after garbage collection, in bytes. */
interface Memory {
  readonly heap: number;
  readonly rss: number;
}

class Member extends Consumer<Scope & LayerScope> {
  override get groups() {
    return ["all", `room.${this.scope.path.length}`];
  }
  override receive(data: string | Uint8Array) {
    return this.groupSend(`room.${this.scope.path.length}`, { type: "said", data: String(data) })
      .then(() => {});
  }
  override event({ data }: LayerMessage) {
    this.send(String(data));
  }
}

const sockets: SocketEvents[] = [];
let sent = 0;

const transport: Transport = {
  upgrade(_request, events) {
    sockets.push(events);
    const socket: Socket = { bufferedAmount: 0, send: () => void sent++, close() {} };
    return { response: new Response(), socket };
  },
};

const layer = new MemoryChannelLayer();
const application = stack()
  .use(anyOrigin())
  .use(allowAnonymous())
  .use(withLayer(layer))
  .routes([route("/*", Member)]);
const handler = toHandler(application, { transport });

const begun = performance.now();
let first: Memory | undefined;
for (let done = 0; done < CONNECTIONS; done += AT_ONCE) {
  await openAndClose(done);
  if (done + AT_ONCE === CONNECTIONS / 10) first = await measure("after the first tenth");
}
const last = await measure("at the end");
const { channels, groups } = layer.stats;
const { open, lingering } = handler.stats;
const seconds = (performance.now() - begun) / 1000;
console.log(
  `${CONNECTIONS} connections, ${sent} messages, ${seconds.toFixed(1)} s; ` +
    `left: ${channels} channels, ${groups} groups, ${open} open, ${lingering} lingering`,
);
const growth = last.heap / first!.heap;
console.log(`heap × ${growth.toFixed(3)}, rss × ${(last.rss / first!.rss).toFixed(3)}`);
if (growth > LIMIT || channels + groups + open + lingering > 0) Deno.exit(1);

async function openAndClose(serial: number): Promise<void> {
  await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => open1(serial + index)));
  for (const socket of sockets) socket.open();
  for (const socket of sockets.slice(0, 3)) socket.message("hello");
  await turn();
  for (const socket of sockets.splice(0)) socket.close(1000, "");
  await turn();
}

function open1(serial: number): Response | Promise<Response> {
  const headers = {
    upgrade: "websocket",
    connection: "Upgrade",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
  };
  const path = "x".repeat(1 + serial % 50);
  return handler(new Request(`http://sluice.test/${path}`, { headers }));
}

async function measure(when: string): Promise<Memory> {
  for (let count = 0; count < 5; count++) {
    await turn();
    (globalThis as { gc?: () => void }).gc?.();
  }
  const { heapUsed: heap, rss } = Deno.memoryUsage();
  console.log(`${when}: heap ${mega(heap)}, rss ${mega(rss)}`);
  return { heap, rss };
}

function mega(bytes: number): string {
  return `${(bytes / 1e6).toFixed(2)} MB`;
}

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
