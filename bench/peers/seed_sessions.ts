/**
 * Creates users with one session each: `seed_sessions.ts FOLDER COUNT`. Writes `FOLDER/kv.sqlite3` and
 * `FOLDER/cookies.txt`, one cookie per line. Bare Deno finds the same sessions under
 * `["bench", token]`.
 *
 * @module
 */
import { KvUserStore } from "@sluice/sluice/auth";
import { DenoKeyValue } from "@sluice/sluice/kv/deno";
import { KvControlLog, KvSessionStore, Sessions } from "@sluice/sluice/sessions";

const AT_ONCE = 64;
const [folder, count] = Deno.args;

const log = { debug() {}, info() {}, warn() {}, error() {} };
const kv = new DenoKeyValue(() => Deno.openKv(`${folder}/kv.sqlite3`));
const controlLog = new KvControlLog(kv);
const sessions = new Sessions(new KvSessionStore(kv, { controlLog }), { controlLog, log });
const users = new KvUserStore(kv, { controlLog });

const cookies: string[] = [];
for (let made = 0; made < Number(count); made += AT_ONCE) {
  const some = Math.min(AT_ONCE, Number(count) - made);
  const tokens = await Promise.all(Array.from({ length: some }, (_, at) => signIn(made + at)));
  await keepForBareDeno(tokens);
  cookies.push(...tokens.map((token) => `session=${token}\n`));
}
await Deno.writeTextFile(`${folder}/cookies.txt`, cookies.join(""));
Deno.exit();

async function signIn(serial: number): Promise<string> {
  const [login, name] = [`user${serial}`, `User ${serial}`];
  const profile = { provider: "dev", subject: login, login, name, avatarUrl: undefined };
  const { id: userId } = await users.save(profile);
  const { token } = await sessions.create({ userId, provider: "dev" });
  return token;
}

async function keepForBareDeno(tokens: readonly string[]): Promise<void> {
  const stored = await Promise.all(
    tokens.map((token) => kv.get(["sessions", token.split(".")[0]!])),
  );
  const all = kv.atomic();
  tokens.forEach((token, index) => all.set(["bench", token], stored[index]!.value));
  await all.commit();
}
