/** Starts the server, and builds the script of the page again when it changes. */
import * as esbuild from "esbuild";
import { pageBuild } from "./page/build.ts";

const page = await esbuild.context(pageBuild);
await page.rebuild();
await page.watch();
await import("./main.ts");
