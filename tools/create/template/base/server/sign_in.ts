/** How users sign in. */
import { GitHubProvider, type Provider } from "@sluice/sluice/auth";
import type { KeyValue } from "@sluice/sluice/kv";
import type { Log } from "@sluice/sluice/server";
import type { Settings } from "./settings.ts";

/**
 * Returns GitHub if its OAuth app is configured. Otherwise, the development sign-in: it asks for no
 * password, and works only in a browser on this machine.
 */
export async function createProviders(
  { github }: Settings,
  { kv, log }: { readonly kv: KeyValue; readonly log: Log },
): Promise<Provider[]> {
  if (github !== undefined) return [new GitHubProvider(github)];
  const { DevIdentity, DevProvider } = await import("@sluice/sluice/auth/dev");
  return [new DevProvider(new DevIdentity({ log, kv }))];
}
