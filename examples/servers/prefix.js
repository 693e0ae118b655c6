// Below a path prefix: a proxy, or another application, owns the rest of the site.
import { createServer } from "node:http";
import { Consumer } from "@sluice/sluice";
import { allowAnonymous } from "@sluice/sluice/auth";
import { attach } from "@sluice/sluice/node";
import { route, stack, withRootPath } from "@sluice/sluice/routing";
import { origins } from "@sluice/sluice/security";
import { toHandler } from "@sluice/sluice/server";

class Echo extends Consumer {
  receive(data) {
    this.send(data);
  }
}

const guarded = stack().use(origins()).use(allowAnonymous());
const routes = stack().routes([route("/ws/echo", Echo)]);
const handler = toHandler(guarded.around(withRootPath("/realtime", routes)));

async function answer(request, response) {
  let body = "";
  for await (const chunk of request) body += chunk;
  response.end(`another application: ${request.method} ${request.url} ${body}`);
}

const server = createServer((request, response) => {
  answer(request, response).catch(() => response.destroy()); // The client has gone.
});
attach(server, handler, { paths: ["/realtime"] });
server.listen(process.env.PORT ?? 8000, "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
