import type { ServerResponse } from "node:http";
import { clearImmediate, setImmediate } from "node:timers";

/**
 * Writes a response as fast as the client reads it. An error of its body closes the connection, so that
 * the client does not take it for complete. Never rejects.
 */
export async function writeResponse(target: ServerResponse, response: Response): Promise<void> {
  const { body } = response;
  if (target.destroyed) {
    body?.cancel().catch(() => {});
    return;
  }
  try {
    target.writeHead(response.status, headersOf(response.headers));
    if (body === null || target.req.method === "HEAD") {
      body?.cancel().catch(() => {});
      target.end();
    } else {
      await writeBody(target, body);
    }
  } catch {
    target.destroy();
  }
}

function headersOf(headers: Headers): Record<string, string | string[]> {
  const result: Record<string, string | string[]> = Object.fromEntries(headers);
  const cookies = headers.getSetCookie();
  if (cookies.length > 0) result["set-cookie"] = cookies;
  return result;
}

async function writeBody(target: ServerResponse, body: ReadableStream<Uint8Array>): Promise<void> {
  const reader = body.getReader();
  const gone = () => void reader.cancel().catch(() => {});
  target.once("close", gone);
  // At once if the body is ready: one packet instead of two.
  const flush = setImmediate(() => target.flushHeaders());
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done || target.destroyed) break;
      if (!target.write(value)) await drained(target);
    }
  } finally {
    clearImmediate(flush);
    target.off("close", gone);
  }
  target.end();
}

/** Resolves when the target takes more data, or when the client has disconnected. */
function drained(target: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      target.off("drain", done).off("close", done);
      resolve();
    };
    target.once("drain", done).once("close", done);
  });
}
