import type { Runtime } from "./arguments.ts";

/** The commands of a runtime. */
export interface Commands {
  /** Its name, as people write it. */
  readonly title: string;
  readonly install: string;
  /** What precedes the name of a command of the project. */
  readonly run: string;
}

/** The commands of each runtime. */
export const COMMANDS: Readonly<Record<Runtime, Commands>> = {
  deno: { title: "Deno", install: "deno install", run: "deno task" },
  node: { title: "Node", install: "npm install", run: "npm run" },
  bun: { title: "Bun", install: "bun install", run: "bun run" },
};

/** Returns the section of the README that explains how to upgrade Sluice. */
export function upgradeText(runtime: Runtime, tarball: string | undefined): string {
  const { install } = COMMANDS[runtime];
  if (tarball === undefined) {
    const update = { deno: "deno update @sluice/sluice", node: "npm update @sluice/sluice" };
    const command = runtime === "bun" ? "bun update @sluice/sluice" : update[runtime];
    return `The project depends on the package \`@sluice/sluice\`. To upgrade it:\n\n` +
      `${fence(command)}\n`;
  }
  const from = `This project was created with a version of Sluice that is not published. ` +
    `Its package is in \`${tarball}\`.`;
  if (runtime === "deno") {
    return `${from} To upgrade, replace that folder with the contents of a newer package, and ` +
      `install:\n\n${
        fence(
          `rm -r ${tarball}`,
          `mkdir ${tarball}`,
          `tar -xzf NEWER.tgz --strip-components=1 -C ${tarball}`,
          install,
        )
      }\n\nOnce Sluice is published, remove \`links\` from \`deno.json\` and the folder \`vendor\`.\n`;
  }
  const add = runtime === "bun" ? "bun add" : "npm install";
  return `${from} To upgrade, put a newer package into \`vendor\` and install it:\n\n${
    fence(`${add} ./vendor/NEWER.tgz`)
  }\n\nOnce Sluice is published, \`${add} @sluice/sluice\` replaces it, and the folder \`vendor\` can ` +
    "go.\n";
}

function fence(...lines: string[]): string {
  return ["```sh", ...lines, "```"].join("\n");
}
