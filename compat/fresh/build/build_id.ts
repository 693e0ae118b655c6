/**
 * The id of the current build, part of the URL of each file that can be cached forever. In a browser
 * bundle, a module with the id as a constant replaces this one.
 */
let current: string | undefined;

/** The id of the build that is being served. */
export function buildId(): string {
  return current ??= createBuildId();
}

/** Sets the current build. */
export function setBuildId(id: string): void {
  current = id;
}

function createBuildId(): string {
  for (const name of ["DENO_DEPLOYMENT_ID", "GITHUB_SHA", "CI_COMMIT_SHA"]) {
    const value = Deno.env.get(name);
    if (value) return value.replaceAll(/[^\w-]/g, "");
  }
  return crypto.randomUUID().replaceAll("-", "");
}
