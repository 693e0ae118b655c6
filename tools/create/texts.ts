import type { Runtime } from "./arguments.ts";

/** The commands of a runtime. */
export interface Commands {
  /** Its name, as people write it. */
  readonly title: string;
  readonly install: string;
  /** What precedes the name of a command of the project. */
  readonly run: string;
  /** Installs a package. */
  readonly add: string;
  /** Installs the newest version of a package that the manifest allows. */
  readonly update: string;
}

/** The commands of each runtime. */
export const COMMANDS: Readonly<Record<Runtime, Commands>> = {
  deno: {
    title: "Deno",
    install: "deno install",
    run: "deno task",
    add: "deno add",
    update: "deno update",
  },
  node: {
    title: "Node",
    install: "npm install",
    run: "npm run",
    add: "npm install",
    update: "npm update",
  },
  bun: {
    title: "Bun",
    install: "bun install",
    run: "bun run",
    add: "bun add",
    update: "bun update",
  },
};

/** Returns the section of the README that explains how to upgrade Sluice. */
export function upgradeText(runtime: Runtime, tarball: string | undefined): string {
  const { install, add, update } = COMMANDS[runtime];
  if (tarball === undefined) {
    return `The project depends on the package \`@sluice/sluice\`. To upgrade it:

\`\`\`sh
${update} @sluice/sluice
\`\`\`
`;
  }
  const replace = runtime === "deno"
    ? `replace that folder with the contents of a newer package:

\`\`\`sh
rm -r ${tarball}
mkdir ${tarball}
tar -xzf NEWER.tgz --strip-components=1 -C ${tarball}
${install}
\`\`\`

Once Sluice is published, remove \`links\` from \`deno.json\` and the folder \`vendor\`, and run
\`${add} npm:@sluice/sluice\`.`
    : `put a newer package into \`vendor\` and install it:

\`\`\`sh
${add} ./vendor/NEWER.tgz
\`\`\`

Once Sluice is published, \`${add} @sluice/sluice\` replaces it, and the folder \`vendor\` can go.`;
  return `This project was created with a version of Sluice that is not published. Its package is in
\`${tarball}\`. To upgrade, ${replace}
`;
}
