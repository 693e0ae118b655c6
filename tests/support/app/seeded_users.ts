import { KvUserStore } from "@sluice/sluice/auth";
import { DenoKeyValue } from "@sluice/sluice/kv/deno";
import { Sessions } from "@sluice/sluice/sessions";
import { KvSessionStore } from "../../../lib/sessions/kv_session_store.ts";

/** A signed-in user. */
export interface SeededUser {
  readonly id: string;
  readonly login: string;
  /** The cookie header of a browser on http. */
  readonly cookie: string;
}

/** Writes signed-in users to a database, like a thousand sign-ins. */
export async function seedUsers(kvPath: string, count: number): Promise<SeededUser[]> {
  await using kv = new DenoKeyValue(() => Deno.openKv(kvPath));
  const users = new KvUserStore(kv);
  const sessions = new Sessions(new KvSessionStore(kv), { log: console });
  const seeded: SeededUser[] = [];
  for (let serial = 0; serial < count; serial++) {
    const login = `user-${serial}`;
    const profile = { provider: "github", subject: login, login, name: login, avatarUrl: "" };
    const { id } = await users.save(profile);
    const { token } = await sessions.create({ userId: id, provider: "github" });
    seeded.push({ id, login, cookie: `session=${token}` });
  }
  return seeded;
}
