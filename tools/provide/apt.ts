import { findProgram, run } from "./programs.ts";

const INSTALL_TIMEOUT_MS = 240_000;

/**
 * Installs Debian packages without their recommended packages.
 *
 * @returns The reason for a failure, or `undefined` on success.
 */
export async function aptInstall(...packages: string[]): Promise<string | undefined> {
  const apt = findProgram("apt-get");
  if (!apt) return "apt-get is not available";
  if (Deno.uid() !== 0) return "apt-get needs root";
  const options = { env: { DEBIAN_FRONTEND: "noninteractive" }, timeoutMs: INSTALL_TIMEOUT_MS };
  const install = () =>
    run(apt, ["install", "-y", "--no-install-recommends", ...packages], options);
  if ((await install()).success) return undefined;
  // A fresh machine or container has no package lists.
  await run(apt, ["update"], options);
  const { success, output } = await install();
  return success ? undefined : `apt-get failed: ${output.trim().split("\n").at(-1)}`;
}
