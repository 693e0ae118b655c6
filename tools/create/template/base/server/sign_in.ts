/** How users sign in. */
import process from "node:process";
import { GitHubProvider, type Provider } from "@sluice/sluice/auth";
import type { KeyValue } from "@sluice/sluice/kv";
import type { Log } from "@sluice/sluice/server";

/**
 * Returns GitHub if its OAuth app is configured. Otherwise, the development sign-in: it asks for no
 * password, and works only in a browser on this machine.
 */
export async function createProviders(kv: KeyValue, log: Log): Promise<Provider[]> {
  const { GITHUB_CLIENT_ID: clientId = "", GITHUB_CLIENT_SECRET: clientSecret = "" } = process.env;
  if (clientId !== "" && clientSecret !== "") {
    return [new GitHubProvider({ clientId, clientSecret })];
  }
  if (clientId !== clientSecret) {
    throw new Error("Set both GITHUB_CLIENT_ID and GITHUB_CLIENT_SECRET, or neither");
  }
  const { DevIdentity, DevProvider } = await import("@sluice/sluice/auth/dev");
  return [new DevProvider(new DevIdentity({ log, kv }))];
}
