import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { CloseCode, Refusal } from "@sluice/sluice";
import { SignInError } from "@sluice/sluice/auth";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const LIB = `${ROOT}lib/`;
const page = await readFile(new URL("../../../docs/errors.md", import.meta.url), "utf8");

/** The rows of the table below a heading, as cells. */
function rowsOf(heading: string): string[][] {
  const section = page.split(/^## /m).find((part) => part.startsWith(`\`${heading}\``));
  assert.ok(section !== undefined, heading);
  return [...section.matchAll(/^\| (.*) \|$/gm)].slice(2).map(([, row = ""]) =>
    row.split("|").map((cell) => cell.trim())
  );
}

function codesOf(heading: string): string[] {
  return rowsOf(heading).map(([code = ""]) => code.replaceAll("`", "")).sort();
}

/** The members of a closed union of codes. */
async function membersOf(file: string, type: string): Promise<string[]> {
  const text = await readFile(LIB + file, "utf8");
  const [, union = ""] = new RegExp(`export type ${type} =([^;]*);`).exec(text) ??
    /readonly code:([^;]*);/.exec(text) ?? [];
  return [...union.matchAll(/"([A-Z_]+)"/g)].map(([, code = ""]) => code).sort();
}

/** The codes of refusals that the files of a folder create. */
async function codesIn(folder: string): Promise<string[]> {
  const files = (await readdir(folder, { recursive: true })).filter((file) => /\.tsx?$/.test(file));
  const texts = await Promise.all(files.map((file) => readFile(folder + file, "utf8")));
  const code = texts.map((text) => text.replaceAll(/^ *\*.*$/gm, ""));
  return code.flatMap((text) => [...text.matchAll(/new Refusal\(\s*"([A-Z_]+)"/g)])
    .map(([, name = ""]) => name);
}

for (
  const [heading, file, type] of [
    ["FrameError", "protocol/errors.ts", "FrameErrorCode"],
    ["RequestError", "client/request_error.ts", "RequestErrorCode"],
    ["LayerError", "layers/layer_error.ts", "LayerErrorCode"],
    ["StreamError", "streams/stream_error.ts", "StreamErrorCode"],
    ["KeyValueError", "kv/key_value_error.ts", "KeyValueErrorCode"],
    ["PresenceError", "presence/presence_error.ts", "PresenceErrorCode"],
    ["SignInError", "auth/errors.ts", "SignInErrorCode"],
  ] as const
) {
  test(`docs/errors.md lists the codes of ${heading}, and no others`, async () => {
    const members = await membersOf(file, type);
    assert.ok(members.length > 0);
    assert.deepEqual(codesOf(heading), members);
  });
}

test("docs/errors.md lists the codes of all refusals, and no others", async () => {
  const members = await membersOf("protocol/refusal.ts", "RefusalCode");
  const all = [...new Set([...members, ...await codesIn(LIB)])].sort();
  assert.deepEqual(codesOf("Refusal"), all);
  for (const [cell = "", status] of rowsOf("Refusal")) {
    const code = cell.replaceAll("`", "");
    if (members.includes(code)) assert.equal(Number(status), new Refusal(code).status, code);
  }
});

test("docs/errors.md lists the refusals of the app, and no others", async () => {
  const used = (await Promise.all([codesIn(`${ROOT}app/`), codesIn(`${ROOT}routes/`)])).flat();
  const [, section = ""] = /^## Refusals of the app\n([^]*?)^## /m.exec(page) ?? [];
  const listed = [...section.matchAll(/^\| `([A-Z_]+)`/gm)].map(([, code = ""]) => code);
  const known = codesOf("Refusal");
  assert.deepEqual(listed, [...new Set(used)].filter((code) => !known.includes(code)).sort());
});

test("docs/errors.md has the statuses of SignInError", () => {
  for (const [cell = "", status] of rowsOf("SignInError")) {
    const code = cell.replaceAll("`", "") as SignInError["code"];
    assert.equal(Number(status), new SignInError(code).status, code);
  }
});

test("docs/errors.md lists all close codes", () => {
  const rows = rowsOf("CloseCode");
  const numbers = rows.flatMap(([codes = ""]) => codes.split(",").map(Number)).sort();
  assert.deepEqual(numbers, Object.values(CloseCode).sort());
  for (const name of Object.keys(CloseCode)) assert.ok(page.includes(`\`${name}\``), name);
});
