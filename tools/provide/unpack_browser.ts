/**
 * Unpacks the browser of `@sparticuz/chromium` into the temporary folder of this process.
 *
 * @module
 */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import chromium, { inflate } from "@sparticuz/chromium";

const module = fileURLToPath(import.meta.resolve("@sparticuz/chromium"));
const archives = join(dirname(dirname(module)), "bin");
await Promise.all([
  chromium.executablePath(archives),
  inflate(join(archives, "al2023.tar.br")),
]);
