import { findProgram, run } from "./programs.ts";

const INSTALL_TIMEOUT_MS = 240_000;

/**
 * Installs packages of Debian, without what they only recommend.
 *
 * @returns Why it could not; nothing where it could.
 */
export async function aptInstall(...packages: string[]): Promise<string | undefined> {
  const apt = findProgram("apt-get");
  if (!apt) return "there is no apt-get";
  if (Deno.uid() !== 0) return "apt-get needs root";
  const options = { env: { DEBIAN_FRONTEND: "noninteractive" }, timeoutMs: INSTALL_TIMEOUT_MS };
  const install = () =>
    run(apt, ["install", "-y", "--no-install-recommends", ...packages], options);
  if ((await install()).success) return undefined;
  // A fresh machine or container has no package lists.
  await run(apt, ["update"], options);
  const { success, output } = await install();
  return success ? undefined : `apt-get could not: ${output.trim().split("\n").at(-1)}`;
}
