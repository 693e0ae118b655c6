import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const LEFT_OUT =
  /^(?:\.git|bench|docs\/images)(?:\/|$)|(?:^|\/)(?:node_modules|_fresh|\.data)(?:\/|$)/;

/** The result of a command. */
export interface Ran {
  readonly code: number;
  /** Both outputs, without colours. */
  readonly output: string;
}

/** A copy of this repository in a temporary folder, for tests that change files. */
export class TreeCopy implements AsyncDisposable {
  readonly root: string;

  private constructor(root: string) {
    this.root = root;
  }

  static async create(): Promise<TreeCopy> {
    const root = await mkdtemp(join(tmpdir(), "sluice-tree-"));
    const filter = (source: string) => !LEFT_OUT.test(relative(ROOT, source));
    await cp(ROOT, root, { recursive: true, filter });
    return new TreeCopy(root);
  }

  read(path: string): Promise<string> {
    return readFile(join(this.root, path), "utf8");
  }

  write(path: string, text: string): Promise<void> {
    return writeFile(join(this.root, path), text);
  }

  /** Runs `deno` in the copy. */
  async deno(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [...args],
      cwd: this.root,
      env: { NO_COLOR: "1", ...env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).output();
    return { code, output: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.root, { recursive: true, force: true });
  }
}
