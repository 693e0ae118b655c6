/**
 * `deno task bench [NAME] [arguments]`: asks one question, or without a name the quick ones in turn.
 *
 * @module
 */
const QUICK = ["layer_cost", "echo", "fan_out", "upgrade"];

const names = [...Deno.readDirSync(import.meta.dirname!)]
  .filter(({ isFile, name }) => isFile && name.endsWith(".ts") && name !== "main.ts")
  .map(({ name }) => name.slice(0, -".ts".length))
  .sort();

const [name, ...rest] = Deno.args;
if (name !== undefined && !names.includes(name)) {
  console.error(`There is no question "${name}"; there are ${names.join(", ")}.`);
  Deno.exit(1);
}
for (const each of name === undefined ? QUICK : [name]) {
  const script = new URL(`${each}.ts`, import.meta.url).pathname;
  const args = ["run", "-A", "--v8-flags=--expose-gc", script, ...rest];
  const { code } = await new Deno.Command(Deno.execPath(), { args }).spawn().status;
  if (code !== 0) Deno.exit(code);
}
