import type { Clock } from "../../core/clock.ts";
import type { KvAccess } from "./kv_access.ts";

const RETRY_MS = 1_000;

/**
 * Calls `look` whenever a key changes, until `access` is closed.
 *
 * Polling continues alongside, in case the watch breaks silently.
 */
export function watchKey(
  access: KvAccess,
  clock: Clock,
  news: { readonly key: Deno.KvKey; look(): Promise<void> },
): void {
  const watch = async () => {
    const kv = await access.run((kv) => Promise.resolve(kv));
    const changes = kv.watch([[...news.key]]).getReader();
    access.onClose(() => void changes.cancel().catch(() => {}));
    while (!(await changes.read()).done) await news.look().catch(() => {});
  };
  const again = () => {
    if (!access.isClosed) {
      clock.after(RETRY_MS, () => void watch().then(again, again).catch(() => {}));
    }
  };
  void watch().then(again, again).catch(() => {});
}
