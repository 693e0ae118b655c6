/**
 * Does a message cost the same per member, whatever the number of members and of other groups and
 * channels? (Channels: 45 µs at 100 members, 6.6 ms at 10,000.)
 *
 * `deno run -A bench/checks/layers_fan_out.ts [redis://…]`
 *
 * @module
 */
import { type ChannelLayer, MemoryChannelLayer } from "@sluice/sluice/layers";
import { RedisChannelLayer } from "@sluice/sluice/layers/redis";

const DELIVERIES = 1_000_000;
const message = { type: "said", data: { text: "x".repeat(100) } };
const url = Deno.args[0];

for (const others of [0, 10_000]) {
  for (const members of [100, 1_000, 10_000]) {
    const layer = url === undefined ? new MemoryChannelLayer() : new RedisChannelLayer(url);
    for (let n = 0; n < others; n++) await join(layer, `other.${n}`);
    for (let n = 0; n < members; n++) await join(layer, "g");
    const rounds = DELIVERIES / members;
    for (let n = 0; n < rounds / 10; n++) await layer.groupSend("g", message);
    const startedAt = performance.now();
    for (let n = 0; n < rounds; n++) await layer.groupSend("g", message);
    const each = (performance.now() - startedAt) / DELIVERIES * 1000;
    console.log(`${members} members, ${others} other groups: ${each.toFixed(3)} µs a delivery`);
    await layer.close();
  }
}
Deno.exit();

async function join(layer: ChannelLayer, group: string): Promise<void> {
  const channel = layer.newChannel();
  layer.attach(channel, { deliver: () => true });
  await layer.groupAdd(group, channel);
}
