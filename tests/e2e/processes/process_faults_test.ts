import { before, test } from "node:test";
import assert from "node:assert/strict";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as pause } from "node:timers/promises";
import { eventually } from "../../support/eventually.ts";
import { suspend } from "../../support/redis/suspend.ts";
import { AppProcess, buildApp } from "../../support/app/app_process.ts";
import { freePort } from "../../support/free_port.ts";
import { WsClient } from "../../support/app/ws_client.ts";

before(buildApp);

const skip = Deno.build.os === "linux" ? false : "processes are listed so on Linux alone";

/** Number of random sequences. For more, set `SLUICE_SEQUENCES=50`. */
const SEQUENCES = Number(process.env.SLUICE_SEQUENCES ?? 6);

/** Time limit on a busy machine, in milliseconds. */
const PATIENCE_MS = 40_000;

async function start(env: Record<string, string> = {}): Promise<AppProcess & AsyncDisposable> {
  const directory = await Deno.makeTempDir();
  const app = await AppProcess.start(
    {
      PORT: String(freePort()),
      DENO_KV_PATH: join(directory, "kv.sqlite3"),
      CHANNEL_LAYER: "kv:",
      DEV_SIGN_IN: "off",
      DRAIN_SECONDS: "0",
      ...env,
    },
    "serve",
    ["--processes", "2"],
  );
  void app.ended().then(() => Deno.remove(directory, { recursive: true })).catch(() => {});
  await app.listening(2);
  return app;
}

/** Returns whether a process is running. */
function runs(pid: number): boolean {
  try {
    return !/\) Z /.test(Deno.readTextFileSync(`/proc/${pid}/stat`));
  } catch {
    return false;
  }
}

/** Returns a pseudo-random number generator with a seed (Park and Miller). */
function* random(seed: number): Generator<number, never> {
  for (let value = seed + 1;; value = value * 48_271 % 2_147_483_647) yield value;
}

/** Kills, replaces and waits in an order determined by the seed. Returns the steps. */
async function disturb(app: AppProcess, seed: number): Promise<string> {
  const numbers = random(seed);
  const next = (below: number) => numbers.next().value % below;
  for (let skipped = 0; skipped < 3; skipped++) next(1);
  const done: string[] = [];
  for (let step = 2 + next(4); step > 0; step--) {
    const children = app.children();
    const action = next(4);
    if (action === 0) app.signal("SIGHUP");
    else if (action === 3) await pause(next(800));
    else if (children.length > 0) Deno.kill(children[next(children.length)]!, "SIGKILL");
    done.push(["SIGHUP", "kill", "kill", "pause"][action]!);
    assert.ok(app.children().length <= 3, `more than one process too many: ${done}`);
    await pause(next(120));
  }
  return done.join(", ");
}

test(
  `serve --processes keeps its number of processes in ${SEQUENCES} random orders of kills and replacements, and ends`,
  {
    skip,
    timeout: 480_000,
  },
  async () => {
    for (let seed = 1; seed <= SEQUENCES; seed++) {
      await using app = await start();
      const done = await disturb(app, seed);
      if (seed % 2 === 0) {
        // The state is stable when there are two processes for a while.
        await eventually(async () => {
          for (let look = 0; look < 10; look++) {
            assert.equal(app.children().length, 2, `seed ${seed}: ${done}`);
            await pause(100);
          }
        }, 3 * PATIENCE_MS);
      }
      const children = app.children();
      const since = performance.now();
      app.signal("SIGTERM");
      await app.ended();
      const tookMs = performance.now() - since;
      assert.ok(tookMs < PATIENCE_MS, `seed ${seed}: ${done}: ended after ${tookMs} ms`);
      for (const pid of children) assert.ok(!runs(pid), `seed ${seed}: ${done}: ${pid} still runs`);
    }
  },
);

test("all processes end when the first one is killed, even one that has just started", {
  skip,
}, async () => {
  await using app = await start();
  const [first] = app.children();
  Deno.kill(first!, "SIGKILL");
  await eventually(() => assert.equal(app.children().length, 2), PATIENCE_MS);
  const children = app.children();
  app.signal("SIGKILL");
  await eventually(() => assert.ok(!children.some(runs)), PATIENCE_MS);
});

test("a suspended process is killed after the drain plus 5 s", {
  skip,
}, async () => {
  await using app = await start();
  const children = app.children();
  suspend(children[0]!);
  app.signal("SIGTERM");
  assert.equal((await app.ended()).code, 137);
  assert.ok(!children.some(runs));
});

test("SIGHUP to the whole group, as from a closing terminal, only replaces the processes", {
  skip,
}, async () => {
  await using app = await start();
  const children = app.children();
  for (const pid of [...children, app.pid]) Deno.kill(pid, "SIGHUP");
  await app.listening(4);
  await eventually(() => {
    assert.equal(app.children().length, 2);
    assert.ok(!children.some(runs));
  }, PATIENCE_MS);
  assert.ok(!app.stderr.includes("ended unexpectedly"));
});

/** Reads the metrics as pairs of name and labels, with their values. */
async function scrape(app: AppProcess, init: RequestInit = {}): Promise<Map<string, number>> {
  const headers = { connection: "close", ...init.headers };
  const response = await fetch(`${app.origin}/metrics`, { headers });
  assert.equal(response.status, 200);
  const lines = (await response.text()).trimEnd().split("\n");
  const comments = lines.filter((line) => line.startsWith("#"));
  assert.equal(new Set(comments).size, comments.length, "HELP and TYPE once for each name");
  const samples = lines.filter((line) => !line.startsWith("#"));
  for (const line of samples) assert.match(line, /^\w+\{process="\d+"(,\w+="[^"]*")*\} [\d.e+-]+$/);
  const pairs = samples.map((line): [string, number] => {
    const [, sample = "", value = ""] = /^(.+) (\S+)$/.exec(line)!;
    return [sample, Number(value)];
  });
  assert.equal(new Set(pairs.map(([sample]) => sample)).size, pairs.length, "each sample once");
  return new Map(pairs);
}

test("/metrics answers for all processes except suspended or dead ones", {
  skip,
}, async () => {
  await using app = await start({ DEV_SIGN_IN: "off" });
  const children = app.children();
  const [one, other] = children as [number, number];
  const up = (samples: Map<string, number>, pid: number) =>
    samples.get(`sluice_process_up{process="${pid}"}`);
  const refused = (samples: Map<string, number>) =>
    children.map((pid) =>
      samples.get(`sluice_refusals_total{process="${pid}",code="NOT_SIGNED_IN"}`) ?? 0
    );
  for (let count = 0; count < 30; count++) {
    const headers = { origin: app.origin, connection: "close" };
    await assert.rejects(
      WsClient.connect(`${app.origin.replace("http", "ws")}/ws/echo`, { headers }),
    );
  }
  const all = await scrape(app);
  assert.deepEqual([up(all, one), up(all, other)], [1, 1]);
  const [here = 0, there = 0] = refused(all);
  assert.equal(here + there, 30);
  for (let again = 0; again < 8; again++) {
    assert.deepEqual(refused(await scrape(app)), [here, there]);
  }

  suspend(one);
  // Requests that reach the suspended process must be retried.
  const samples = await eventually(async () => {
    const leaving = AbortSignal.timeout(5_000);
    const text = await fetch(`${app.origin}/metrics`, {
      headers: { connection: "close" },
      signal: leaving,
    }).then((response) => response.text());
    return text;
  }, PATIENCE_MS);
  assert.match(samples, new RegExp(`^sluice_process_up\\{process="${one}"\\} 0$`, "m"));
  assert.match(samples, new RegExp(`^sluice_process_up\\{process="${other}"\\} 1$`, "m"));
  assert.ok(!samples.includes(`sluice_sockets_open{process="${one}"}`));
  Deno.kill(one, "SIGCONT");
  await eventually(async () => assert.equal(up(await scrape(app), one), 1), PATIENCE_MS);

  Deno.kill(one, "SIGKILL");
  await eventually(async () => {
    const pids = [...await scrape(app)].flatMap(([sample, value]) =>
      sample.startsWith("sluice_process_up") && value === 1 ? [sample] : []
    );
    assert.equal(pids.length, 2);
    assert.ok(!pids.join().includes(`"${one}"`));
  }, PATIENCE_MS);
});

test("METRICS_TOKEN protects /metrics of several processes", {
  skip,
}, async () => {
  await using app = await start({ METRICS_TOKEN: "s3cret" });
  const response = await fetch(`${app.origin}/metrics`);
  assert.equal(response.status, 401);
  await response.body?.cancel();
  const samples = await scrape(app, { headers: { authorization: "Bearer s3cret" } });
  assert.ok(samples.size > 10);
});
