import { test } from "node:test";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

const ROOT = new URL("../../", import.meta.url);
const read = (path: string) => readFileSync(new URL(path, ROOT), "utf8");

interface Threat {
  readonly attack: string;
  readonly defence: string;
  readonly path: string;
  readonly title: string;
}

/** Reads the table of attacks. A row with another form is an error. */
function readThreats(text: string): Threat[] {
  const [, section = ""] = /^## Attacks\n([^]*?)^## /m.exec(text) ?? [];
  const rows = section.split("\n").filter((line) => line.startsWith("| ")).slice(2);
  return rows.map((row) => {
    const match = /^\| (.+?) +\| (.+?) +\| `((?:tests|lib\/testing)\/\S+)`: "(.+)" +\|$/.exec(row);
    assert.ok(match, `not a row of the threat model: ${row}`);
    const [, attack, defence, path, title] = match;
    return { attack: attack!, defence: defence!, path: path!, title: title! };
  });
}

/** Returns whether a file contains a test with exactly this title. */
function hasTest(source: string, title: string): boolean {
  return [`"${title}"`, `\`${title}\``].some((quoted) =>
    source.includes(`test(${quoted}`) || source.includes(`it(${quoted}`)
  );
}

test("each attack in the threat model names an existing test", () => {
  const threats = readThreats(read("docs/security.md"));
  assert.ok(threats.length >= 30, `${threats.length} attacks`);
  const missing = threats.filter(({ path, title }) => !hasTest(read(path), title));
  assert.deepEqual(missing.map(({ path, title }) => `${path}: ${title}`), []);
});

test("each setting on the security page is read by the app", () => {
  const [, section = ""] =
    /^## Settings of this page\n([^]*?)^## /m.exec(read("docs/security.md")) ??
      [];
  const names = [...section.matchAll(/^\| `([A-Z_]+)` +\|/gm)].map(([, name]) => name!);
  assert.equal(names.length, 5);
  const settings = read("app/settings/settings.ts") + read("app/settings/layer_settings.ts");
  for (const name of names) assert.ok(settings.includes(`"${name}"`), name);
});
