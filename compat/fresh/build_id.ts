/**
 * Name of the current build, part of the address of everything that may be cached forever. In a
 * browser bundle this module is replaced by one that holds the id as a constant.
 */
let current: string | undefined;

/** The id of the build that is being served. */
export function buildId(): string {
  return current ??= createBuildId();
}

/** Makes a stored build the current one. */
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
