import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findProgram, run } from "../../../tools/provide/programs.ts";

/** Returns why certificates cannot be created; `undefined` if they can. */
export function whyNoCertificates(): string | undefined {
  return findProgram("openssl") === undefined ? "there is no openssl" : undefined;
}

/** A certificate authority for a test, its certificate for 127.0.0.1, and a second authority. */
export class Certificates implements AsyncDisposable {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async create(): Promise<Certificates> {
    const certificates = new Certificates(await mkdtemp(join(tmpdir(), "sluice-tls-")));
    await certificates.#create();
    return certificates;
  }

  get ca(): string {
    return this.#at("ca.pem");
  }
  get otherCa(): string {
    return this.#at("other-ca.pem");
  }
  get certificate(): string {
    return this.#at("server.pem");
  }
  get key(): string {
    return this.#at("server.key");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #create(): Promise<void> {
    const self = ["req", "-x509", "-days", "2", "-nodes", "-newkey", "ec", "-pkeyopt"];
    const ec = "ec_paramgen_curve:prime256v1";
    for (const name of ["ca", "other-ca"]) {
      const files = ["-keyout", this.#at(`${name}.key`), "-out", this.#at(`${name}.pem`)];
      await openssl([...self, ec, ...files, "-subj", `/CN=${name}`]);
    }
    await openssl([
      ...[...self, ec, "-keyout", this.key, "-out", this.certificate, "-subj", "/CN=redis"],
      ...["-CA", this.ca, "-CAkey", this.#at("ca.key")],
      ...["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"],
      ...["-addext", "basicConstraints=critical,CA:FALSE"],
    ]);
  }

  #at(name: string): string {
    return join(this.#folder, name);
  }
}

async function openssl(args: string[]): Promise<void> {
  const { success, output } = await run(findProgram("openssl")!, args, { timeoutMs: 10_000 });
  assert.ok(success, output);
}
