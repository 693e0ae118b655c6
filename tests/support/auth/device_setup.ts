import { DeviceSignIn, MemoryUserStore, type User } from "../../../lib/auth/mod.ts";
import { MemorySessionStore, type SessionRecord, Sessions } from "../../../lib/sessions/mod.ts";
import { FakeClock } from "../../../lib/testing/fake_clock.ts";
import { FakeLog } from "../fake_log.ts";
import type { GuessLimiter } from "../../../lib/auth/device/_guesses.ts";
import type { KeyValue } from "../../../lib/kv/mod.ts";
import type { DeviceApprover } from "../../../lib/auth/device/device_messages.ts";

/** A session store whose methods fail as often as a test requires. */
export class FaultyStore extends MemorySessionStore {
  /** How often creating a session fails. */
  failCreate = 0;
  /** Whether a failed creation stores the session anyway. */
  createsAllTheSame = false;
  /** How often deleting a session fails. */
  failDelete = 0;

  override async create(record: SessionRecord): Promise<void> {
    const fails = this.failCreate-- > 0;
    if (!fails || this.createsAllTheSame) await super.create(record);
    if (fails) throw new Error("the store is down");
  }
  override delete(id: string) {
    if (this.failDelete-- > 0) return Promise.reject(new Error("the store is down"));
    return super.delete(id);
  }
}

/** The parts of a device sign-in, and ada, signed in with a browser. */
export async function setUpDevices(
  kv: KeyValue,
  options: { maxPerUser?: number; guesses?: GuessLimiter } = {},
) {
  const { guesses, ...limits } = options;
  const clock = new FakeClock();
  const users = new MemoryUserStore({ clock });
  const store = new FaultyStore({ clock });
  const lifetime = { idleTtlMs: 3_600_000, maxTtlMs: 7_200_000, ...limits };
  const sessions = new Sessions(store, { clock, log: new FakeLog(), ...lifetime });
  const devices = new DeviceSignIn({ kv, users, sessions }, {
    clock,
    ...guesses === undefined ? {} : { guesses },
  });
  const profile = { provider: "dev", subject: "1", login: "ada", name: "Ada" };
  const user = await users.save({ ...profile, avatarUrl: undefined });
  /** Creates another browser session of a user. */
  const signIn = async (user: User): Promise<DeviceApprover & { token: string }> => ({
    user,
    ...await sessions.create({ userId: user.id, provider: "dev" }),
  });
  const ada = await signIn(user);
  const begin = () => devices.begin({ userAgent: "tv/1", address: "192.0.2.1" });
  return { clock, users, store, sessions, devices, signIn, ada, begin };
}
