import { Hono } from "hono";
import { signIn } from "./realtime.js";

export const app = new Hono();
app.post("/sign-in", async (context) => {
  context.header("set-cookie", await signIn(String(context.req.query("as"))));
  return context.body(null);
});
app.get("/page", (context) => context.text("a page of Hono"));
