import type * as Esbuild from "esbuild";

export type { Esbuild };

/**
 * Runs `use` with esbuild: the native program, or WebAssembly if that cannot run or
 * `FRESH_ESBUILD_LOADER=portable` is set.
 */
export async function withEsbuild<T>(use: (esbuild: typeof Esbuild) => Promise<T>): Promise<T> {
  const esbuild = await startEsbuild();
  try {
    return await use(esbuild);
  } finally {
    await esbuild.stop();
  }
}

async function startEsbuild(): Promise<typeof Esbuild> {
  if (Deno.env.get("FRESH_ESBUILD_LOADER") === "portable") return await startPortable();
  try {
    const native = await import("esbuild");
    await native.transform("");
    return native;
  } catch (error) {
    console.warn(`esbuild cannot run natively; using its slower portable build: ${error}`);
    return await startPortable();
  }
}

let portable: Promise<typeof Esbuild> | undefined;

/** The portable build can be started only once per process, and keeps running. */
function startPortable(): Promise<typeof Esbuild> {
  return portable ??= (async () => {
    const esbuild = await import("esbuild-wasm") as unknown as typeof Esbuild;
    await esbuild.initialize({});
    return { ...esbuild, stop: () => Promise.resolve() };
  })();
}
