import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { PACKAGES } from "../support/runtimes/installed_package.ts";

const GUIDES = new URL("../../docs/guides/", import.meta.url);

/** What `realtime.js` and Node need, whatever else a program imports. */
const ALWAYS = ["valibot", "ws"];

/** Returns the packages that a program imports, without Sluice and what Node has. */
function packagesOf(program: string): string[] {
  const found = [...program.matchAll(/from "((?:@[\w-]+\/)?[a-z][\w-]*)[^":]*"/g)];
  return found.map(([, name]) => name!).filter((name) => name !== "@sluice/sluice");
}

for (const guide of ["library.md", "node.md", "own_users.md"]) {
  test(`${guide} installs the packages that its programs import, in the tested versions`, async () => {
    const text = await readFile(new URL(guide, GUIDES), "utf8");
    let installed = new Set<string>();
    let programs = 0;
    for (const [, language, block] of text.matchAll(/^```(\w+)[^\n]*\n(.*?)^```/gms)) {
      if (language === "sh" && block!.includes("npm install")) {
        installed = new Set(block!.split(/\s+/));
      }
      if (language !== "js") continue;
      programs++;
      for (const name of [...packagesOf(block!), ...ALWAYS]) {
        const major = PACKAGES[name as keyof typeof PACKAGES].match(/\d+/)![0];
        assert.ok(
          installed.has(`${name}@${major}`),
          `${name}@${major} for ${block!.slice(0, 200)}`,
        );
      }
    }
    assert.ok(programs > 0);
  });
}
