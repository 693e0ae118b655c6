import { realtime, signIn } from "./realtime.js";

const port = Number(Deno.env.get("PORT") ?? 8000);
const onListen = ({ hostname, port }) => console.log(`listening on http://${hostname}:${port}`);

const server = Deno.serve({ hostname: "127.0.0.1", port, onListen }, async (request, info) => {
  const { pathname, searchParams } = new URL(request.url);
  if (pathname.startsWith("/ws/")) return await realtime(request, info);
  if (pathname !== "/sign-in") return new Response("a page of Deno.serve");
  return new Response(null, { headers: { "set-cookie": await signIn(searchParams.get("as")) } });
});

Deno.addSignalListener("SIGTERM", async () => {
  await realtime.drain(1_000);
  await Promise.race([server.shutdown(), new Promise((resolve) => setTimeout(resolve, 1_000))]);
  Deno.exit(0);
});
