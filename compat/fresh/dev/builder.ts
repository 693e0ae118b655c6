import { App, setSnapshot } from "../app.ts";
import { StandInError } from "../error.ts";
import { type ListenOptions, serveApp } from "../http/listen.ts";
import { fromFileUrl } from "../http/paths.ts";
import { bundle } from "./bundle.ts";
import { type BuildOptions, resolveConfig, type ResolvedBuildConfig } from "./config.ts";
import { crawl } from "./crawl.ts";
import { writeBuild } from "./disk_build.ts";
import { liveReload } from "./live_reload.ts";
import { importManifest, writeManifest } from "./manifest.ts";
import { memorySnapshot } from "./memory_snapshot.ts";

export type { BuildOptions, ResolvedBuildConfig };

/** Builds an app's islands and static files, and serves the app in development. */
// As documented, a builder without a type argument accepts apps with any state.
// deno-lint-ignore no-explicit-any
export class Builder<State = any> {
  /** The options, with defaults filled in. */
  config: ResolvedBuildConfig;
  #islands = new Set<string>();

  /** Creates a builder. Reads and writes nothing yet. */
  constructor(options?: BuildOptions) {
    this.config = resolveConfig(options);
  }

  /** Adds a module outside the island directory whose exports are islands. */
  registerIsland(specifier: string): void {
    this.#islands.add(fromFileUrl(specifier));
  }

  /** @throws {StandInError} Only upstream Fresh has it. */
  onTransformStaticFile(..._arguments: unknown[]): void {
    throw new StandInError("Builder.onTransformStaticFile()");
  }

  /** Serves the app for development: pages reload and show errors. */
  async listen(
    importApp: () => Promise<{ app: App<State> } | App<State>>,
    options: ListenOptions = {},
  ): Promise<void> {
    this.config.mode = "development";
    const files = await this.#writeManifest();
    const imported = await importApp();
    const app = imported instanceof App ? imported : imported.app;
    app.config.mode = "development";
    setSnapshot(app, await this.#memorySnapshot(files.islands));
    serveApp(liveReload(app.handler()), app.config.basePath, options);
  }

  /**
   * Builds the app into `outDir`, or into memory for tests.
   *
   * @returns a function that makes an app serve a build in memory
   */
  async build(
    options: { mode?: ResolvedBuildConfig["mode"]; snapshot?: "disk" | "memory" } = {},
  ): Promise<(app: App<State>) => void> {
    this.config.mode = options.mode ?? "production";
    const { islands } = await this.#writeManifest();
    if (options.snapshot === "memory") {
      const snapshot = await this.#memorySnapshot(islands);
      return (app) => setSnapshot(app, snapshot);
    }
    await writeBuild(this.config, await bundle(this.config, islands));
    console.log(`Built into ${this.config.outDir}`);
    return () => {
      throw new Error('A build on disk is served by its server.js; use snapshot: "memory" here');
    };
  }

  async #writeManifest() {
    const files = await crawl(this.config, this.#islands);
    await writeManifest(this.config, files);
    return files;
  }

  async #memorySnapshot(islands: string[]) {
    const manifest = await importManifest(this.config.root);
    const scripts = await bundle(this.config, islands);
    return memorySnapshot(this.config, scripts, manifest);
  }
}
