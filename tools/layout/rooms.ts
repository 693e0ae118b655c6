/** One sentence on each folder. `ARCHITECTURE.md` shows them beside the import rules. */
export const ROOMS: Readonly<Record<string, string>> = {
  "lib": "the toolkit: one package, of which `mod.ts` is the front door",
  "lib/protocol": "the wire protocol: frames, close codes, errors, message declarations",
  "lib/core": "the types that all other folders share: scope, consumer, connection, clock, log",
  "lib/time": "timers of many waiting things: deadlines, timeouts, token buckets",
  "lib/kv": "access to a key-value database: connection, retries, batches of reads",
  "lib/redis": "the Redis client: one connection, and a cluster of them; knows no channels",
  "lib/layers": "channel layers: the contract, and drivers for memory, KV and Redis",
  "lib/sessions": "sessions, their stores, and the sockets that end with them",
  "lib/routing": "paths to consumers: the middleware stack, the router, patterns",
  "lib/cluster": "state that processes share with each other through a layer",
  "lib/security": "origins, rate limits, limits of sockets",
  "lib/auth": "sign-in with providers, users, tickets, sign-in of devices, the audit log",
  "lib/consumers": "base classes of consumers",
  "lib/streams":
    "groups that keep their messages: offsets, history, commands that take effect once",
  "lib/presence": "lists of the users in a group, over all processes",
  "lib/server": "turns requests into connections, and ends them; one folder for each runtime",
  "lib/client": "the client for browsers, Deno, Node and Bun",
  "lib/workers": "processes that handle messages of named channels",
  "lib/testing": "the test kit, with the suite for channel layers",

  "app": "the app's services, and the settings they are created from",
  "app/settings": "the environment variables: names, parsers, defaults",
  "app/auth": "the user of a request; sign-in; sessions and tickets",
  "app/admin": "what admins see and change: users, roles, the audit log",
  "app/http": "middleware of every request: state, body, headers, origins",
  "app/pages": "what several pages share: errors, redirects, headers",
  "app/process": "one or several processes: start, metrics, stop",
  "consumers": "the consumers of the app's sockets, with their messages",
  "routes": "the pages and the HTTP API, by Fresh's conventions",
  "islands": "code that runs in the browser",
  "components": "components of pages and islands",
  "static": "stylesheets, icons and pictures",

  "compat": "a stand-in for Fresh on machines that cannot reach JSR",
  "examples": "complete programs of one file each",
  "deploy": "a container, a systemd unit, a proxy in front",
  "docs": "guides, the tutorial, specifications, decisions, benchmarks",
  "tests":
    "tests, in folders like those of the code that they test; their helpers are in `support/`",
  "bench": "benchmarks: questions, peers to compare with, the load generator, results",
  "tools":
    "the tasks `test`, `ok`, `new`, `pack`, `create` and others, the lint plugin, checks of docs",
};

/** Folders whose own folders need a sentence as well. */
const WITH_FOLDERS = ["lib", "app"];

/** Returns the folders of `files` that need a sentence in {@linkcode ROOMS}. */
export function roomsOf(files: readonly string[]): string[] {
  const rooms = new Set<string>();
  for (const file of files) {
    const [first = "", second, third] = file.split("/");
    if (second === undefined || first.startsWith(".")) continue;
    rooms.add(first);
    if (third !== undefined && WITH_FOLDERS.includes(first)) rooms.add(`${first}/${second}`);
  }
  return [...rooms];
}
