import { HttpBrowser } from "../../tests/support/app/http_browser.ts";
import { appServer, buildApp } from "../harness/servers/app_server.ts";
import { type LoadOptions, provideGenerator, runLoad } from "../harness/servers/generator.ts";
import type { Lab } from "../harness/lab.ts";
import { toMeasure } from "../harness/load_contest.ts";
import type { Measure, Question } from "../harness/question.ts";
import { ServerProcess } from "../harness/servers/server_process.ts";

const RATES = [0, 1_000, 5_000];
const WARM_UP = 1;

/** How fast does the app serve pages while its sockets are busy? */
const pages: Question = {
  title: "Pages under load",
  about:
    "Eight clients request the home page of the built app, each again as soon as it has the response, " +
    "while 100 sockets of a signed-in user send messages to the echo consumer at a fixed rate.",
  isQuick: false,
  async contests(lab) {
    const generator = await provideGenerator(lab.note);
    await buildApp(lab);
    return [{
      id: "pages",
      title: "Home page, while sockets are busy",
      unit: "pages/s",
      better: "more",
      baseline: "sockets idle",
      absent: [],
      contestants: RATES.map((rate) => ({
        name: rate === 0 ? "sockets idle" : `${rate.toLocaleString("en")} messages/s`,
        isSluice: true,
        measure: () => measure(lab, generator, rate),
      })),
    }];
  },
};

export default pages;

async function measure(lab: Lab, generator: string, rate: number): Promise<Measure> {
  await using server = await ServerProcess.start(await appServer(lab));
  const { port, pid } = server;
  const asked: LoadOptions = { port, pid, connections: 8, expect: 200, seconds: lab.seconds };
  if (rate === 0) return toMeasure(await runLoad(generator, "pages", asked));
  const [page] = await Promise.all([
    runLoad(generator, "pages", asked),
    runLoad(generator, "echo", {
      port,
      rate,
      path: "/ws/echo",
      protocol: "sluice.v1",
      cookies: await signIn(lab, port),
      connections: 100,
      seconds: lab.seconds + WARM_UP,
      warmup: 0.1,
    }),
  ]);
  return toMeasure(page);
}

/** Returns a file with the cookie of a newly signed-in user. */
async function signIn(lab: Lab, port: number): Promise<string> {
  const browser = new HttpBrowser((request) => fetch(request), `http://127.0.0.1:${port}`);
  await browser.signIn("ada");
  const file = await Deno.makeTempFile({ dir: lab.scratch });
  await Deno.writeTextFile(file, `${browser.cookieHeader}\n`);
  return file;
}
