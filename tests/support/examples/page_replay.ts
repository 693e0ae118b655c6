import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { TreeCopy } from "../tree_copy.ts";
import { type Fence, readFences } from "../../../tools/docs/fences.ts";
import { applyDiff } from "./apply_diff.ts";
import { matchesText } from "./matches.ts";
import { ServerProcess } from "./server_process.ts";
import { SocketScript } from "./socket_script.ts";

/** The URL that the pages use. */
const WRITTEN_ORIGIN = /(http|ws):\/\/127\.0\.0\.1:8000/g;

const COMMAND_TIMEOUT_MS = 120_000;

/**
 * Follows the instructions of a documentation page in a copy of this repository, and fails if the
 * result differs from the page:
 *
 * - a block with `file=PATH` is written to that file; with the language `diff` it changes the file;
 * - `console` runs each `$ command` and compares its output, in which `…` matches anything;
 * - `frames` is played with real sockets: see {@linkcode SocketScript}.
 *
 * The app starts with the current files when a command or a socket first needs its URL.
 */
export class PageReplay implements AsyncDisposable {
  readonly #tree: TreeCopy;
  #app: ServerProcess | undefined;
  #sockets: SocketScript | undefined;
  /** Source files that were written but not compiled yet. */
  readonly #written = new Set<string>();
  /** Number of blocks played. */
  played = 0;

  private constructor(tree: TreeCopy) {
    this.#tree = tree;
  }

  static async create(): Promise<PageReplay> {
    return new PageReplay(await TreeCopy.create());
  }

  /** Plays a page; rejects with its name and the line of the block. */
  async play(page: string): Promise<void> {
    await this.playText(page, await readFile(new URL(`../../../${page}`, import.meta.url), "utf8"));
  }

  /** Plays the text of a page. */
  async playText(page: string, text: string): Promise<void> {
    for (const fence of readFences(text)) {
      try {
        await this.#playFence(fence);
      } catch (error) {
        throw new Error(`${page}:${fence.line}: ${error instanceof Error ? error.message : error}`);
      }
    }
  }

  /** Starts the app with the current files and returns its URL. */
  async start(): Promise<string> {
    await this.#startApp();
    return this.#app!.origin;
  }

  async #playFence({ language, attributes, text }: Fence): Promise<void> {
    const file = attributes.get("file");
    if (typeof file === "string") {
      await this.#stopApp();
      if (language === "diff") await this.#change(file, text);
      else await this.#write(file, text);
    } else if (language === "console") {
      await this.#runCommands(text);
    } else if (language === "frames") {
      await this.#startApp();
      await this.#sockets!.play(text);
    } else return;
    this.played++;
  }

  async #write(file: string, text: string): Promise<void> {
    await mkdir(dirname(join(this.#tree.root, file)), { recursive: true });
    await writeFile(join(this.#tree.root, file), text);
    if (/\.tsx?$/.test(file)) this.#written.add(file);
  }

  async #change(file: string, diff: string): Promise<void> {
    assert.ok(existsSync(join(this.#tree.root, file)), `There is no ${file} to change`);
    await this.#write(file, applyDiff(await this.#tree.read(file), diff));
  }

  async #runCommands(text: string): Promise<void> {
    for (const { command, output } of readCommands(text)) {
      const isForApp = command.search(WRITTEN_ORIGIN) >= 0;
      if (isForApp) await this.#startApp();
      const origin = this.#app?.origin ?? "";
      const actual = await this.#sh(command.replaceAll(WRITTEN_ORIGIN, `$1${origin.slice(4)}`));
      const shown = output.replaceAll(WRITTEN_ORIGIN, `$1${origin.slice(4)}`);
      assert.ok(matchesText(shown, actual), `$ ${command}\n${actual}\ninstead of\n${shown}`);
    }
  }

  async #sh(command: string): Promise<string> {
    const { stdout } = await new Deno.Command("sh", {
      args: ["-c", `exec 2>&1\n${command}`],
      cwd: this.#tree.root,
      env: { NO_COLOR: "1" },
      stdin: "null",
      signal: AbortSignal.timeout(COMMAND_TIMEOUT_MS),
    }).output();
    return new TextDecoder().decode(stdout);
  }

  async #startApp(): Promise<void> {
    if (this.#app !== undefined) return;
    await this.#compile();
    this.#app = await ServerProcess.start({
      args: ["run", "-A", "dev.ts", "start"],
      cwd: this.#tree.root,
    });
    this.#sockets = new SocketScript(this.#app.origin);
  }

  async #compile(): Promise<void> {
    const files = [...this.#written].filter((file) => existsSync(join(this.#tree.root, file)));
    this.#written.clear();
    if (files.length === 0) return;
    const { code, output } = await this.#tree.deno(["check", "--quiet", ...files]);
    assert.equal(code, 0, `The step does not compile:\n${output}`);
  }

  async #stopApp(): Promise<void> {
    this.#sockets?.[Symbol.dispose]();
    await this.#app?.stop();
    this.#app = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stopApp();
    await this.#tree[Symbol.asyncDispose]();
  }
}

/** Splits a transcript: a command starts with `$ ` and continues after a `\` at the end of a line. */
function readCommands(text: string): { command: string; output: string }[] {
  const commands: { command: string; output: string }[] = [];
  for (const line of text.trimEnd().split("\n")) {
    const last = commands.at(-1);
    if (line.startsWith("$ ")) commands.push({ command: line.slice(2), output: "" });
    else if (last === undefined) throw new Error(`A transcript begins with "$ ", not: ${line}`);
    else if (last.command.endsWith("\\") && last.output === "") last.command += `\n${line}`;
    else last.output += `${line}\n`;
  }
  return commands;
}
