import { attach } from "@sluice/sluice/node";
import express from "express";
import { realtime, signIn } from "./realtime.js";

const app = express();
app.post("/sign-in", async (request, response) => {
  response.set("set-cookie", await signIn(String(request.query.as))).end();
});
app.get("/page", (_request, response) => response.send("a page of Express"));

const server = app.listen(process.env.PORT ?? 8000, "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
const attachment = attach(server, realtime);

process.once("SIGTERM", async () => {
  await realtime.drain(1_000);
  attachment.terminateAll();
  server.close(() => process.exit(0));
  server.closeAllConnections();
});
