import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { ExternalSessions } from "@sluice/sluice";
import { attach } from "@sluice/sluice/node";
import { anyOrigin } from "@sluice/sluice/security";
import { consoleLog } from "@sluice/sluice/server";
import { createRemoteJWKSet, jwtVerify } from "jose";
import { createServer } from "node:http";
import { createRealtime } from "./realtime.js";

// The service that issues the tokens.
const issuer = process.env.ISSUER ?? "https://id.example";
const keys = createRemoteJWKSet(new URL(`${issuer}/jwks.json`));
/** Shared with the service, which signs its webhooks. */
const webhookSecret = process.env.WEBHOOK_SECRET ?? randomBytes(32).toString("hex");

/** The error codes of `jose` that say that a token is not valid. */
const INVALID_TOKEN = /^ERR_(JWT_|JWS_|JOSE_ALG_|JWKS_NO_MATCHING_KEY)/;

const sessions = new ExternalSessions({
  async identify({ headers }) {
    const token = /^Bearer ([\w.-]+)$/.exec(headers.get("authorization") ?? "")?.[1];
    if (token === undefined) return undefined;
    try {
      const { payload } = await jwtVerify(token, keys, {
        issuer,
        audience: "sockets",
        algorithms: ["ES256"],
        requiredClaims: ["sub", "sid", "exp"],
      });
      const { sub, sid, exp, name = sub } = payload;
      return { sessionId: sid, userId: sub, expiresAt: exp * 1000, user: { id: sub, name } };
    } catch (error) {
      if (INVALID_TOKEN.test(error.code)) return undefined;
      throw error; // The keys cannot be read: 503.
    }
  },
  log: consoleLog,
});

/** Ends the session that the service names, `{ "sid": "…", "exp": 1790000000 }`. */
async function revoke(request, response) {
  let body = "";
  for await (const chunk of request) {
    body += chunk;
    if (body.length > 10_000) return response.writeHead(413).end();
  }
  const signature = createHmac("sha256", webhookSecret).update(body).digest();
  const shown = Buffer.from(String(request.headers["x-signature"]), "hex");
  if (shown.length !== signature.length || !timingSafeEqual(shown, signature)) {
    return response.writeHead(401).end();
  }
  const { sid, exp } = JSON.parse(body);
  // The token stays valid until it expires, so the session must be refused until then.
  await sessions.ended(sid, { reason: "revoked", until: exp * 1000 });
  response.writeHead(204).end();
}

const server = createServer((request, response) => {
  if (request.method !== "POST" || request.url !== "/webhooks/revoked") {
    return response.writeHead(404).end();
  }
  revoke(request, response).catch(() => response.writeHead(400).end());
});
// A browser never adds a bearer token by itself, so pages of other sites cannot misuse one.
attach(server, createRealtime(sessions, anyOrigin()));
server.listen(process.env.PORT ?? 8000, "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
