import { build, stop } from "esbuild";
import type { Lab } from "../harness/lab.ts";
import { type Packages, providePackages } from "../harness/servers/packages.ts";
import { VERSIONS } from "../harness/peers.ts";
import type { Absent, Contestant, Measure, Question } from "../harness/question.ts";
import { Unavailable } from "../harness/unavailable.ts";

/** The npm clients to compare with. */
const CLIENTS: readonly [name: string, packages: Packages, code: string][] = [
  [
    "socket.io-client",
    { "socket.io-client": VERSIONS.socketIo },
    `export { io } from "socket.io-client";`,
  ],
];

/** How large is the client? */
const bundle: Question = {
  title: "Client bundle",
  about:
    "The size of the client that a page loads, bundled and minified by esbuild for browsers, and " +
    "compressed with gzip.",
  isQuick: true,
  async contests(lab) {
    const contestants: Contestant[] = [{
      name: "Sluice",
      isSluice: true,
      measure: () => measure(`export { connect } from "./lib/client/mod.ts";`, lab.root),
    }];
    const absent: Absent[] = [];
    for (const [name, packages, code] of CLIENTS) {
      const folder = await provide(name, packages, lab, absent);
      if (folder) contestants.push({ name, measure: () => measure(code, folder) });
    }
    return [{
      id: "bundle",
      title: "Client, minified and compressed",
      unit: "KB, gzip",
      better: "less",
      baseline: "socket.io-client",
      contestants,
      absent,
    }];
  },
};

export default bundle;

async function provide(
  name: string,
  packages: Packages,
  lab: Lab,
  absent: Absent[],
): Promise<string | undefined> {
  try {
    return await providePackages(name, packages, lab);
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    absent.push({ name, reason: error.message });
    return undefined;
  }
}

async function measure(contents: string, resolveDir: string): Promise<Measure> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir },
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    platform: "browser",
    target: "es2022",
  });
  await stop();
  const compressed = new Blob([outputFiles[0]!.contents as Uint8Array<ArrayBuffer>]).stream()
    .pipeThrough(new CompressionStream("gzip"));
  return { value: (await new Response(compressed).arrayBuffer()).byteLength / 1000 };
}
