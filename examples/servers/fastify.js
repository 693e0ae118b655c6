import { attach } from "@sluice/sluice/node";
import Fastify from "fastify";
import { realtime, signIn } from "./realtime.js";

const app = Fastify({ forceCloseConnections: true });
app.post("/sign-in", async (request, reply) => {
  reply.header("set-cookie", await signIn(String(request.query.as)));
  return "";
});
app.get("/page", () => "a page of Fastify");

const attachment = attach(app.server, realtime);
const address = await app.listen({ port: Number(process.env.PORT ?? 8000), host: "127.0.0.1" });
console.log(`listening on ${address}`);

process.once("SIGTERM", async () => {
  await realtime.drain(1_000);
  attachment.terminateAll();
  await app.close();
  process.exit(0);
});
