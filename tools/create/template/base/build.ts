/** Builds the script of the page into `build/page.js`. */
import * as esbuild from "esbuild";
import { pageBuild } from "./page/build.ts";

await esbuild.build(pageBuild);
await esbuild.stop();
