/** Of a listening socket, in the tables of the kernel (`TCP_LISTEN`). */
const LISTEN = "0A";

/** `SHUT_RDWR` of POSIX. */
const BOTH_WAYS = 2;

/**
 * Listens no more on a port of this process, and keeps what is open: so that other processes that
 * share the port take all that comes. Returns whether it could: on Linux, with `--allow-ffi`.
 *
 * Deno has no call for this: `shutdown()` and `abort()` of its server end the WebSockets too. So it is
 * asked of the kernel, which knows the listening sockets of this process. A connection that was made
 * and not yet accepted is reset.
 */
export function stopListening(port: number): boolean {
  if (Deno.build.os !== "linux") return false;
  try {
    const sockets = listeningSockets(port);
    using library = openLibrary();
    for (const descriptor of descriptorsOf(sockets)) {
      library.symbols.shutdown(descriptor, BOTH_WAYS);
    }
    return true;
  } catch {
    return false; // No permission, or another C library.
  }
}

function openLibrary() {
  const library = Deno.dlopen("libc.so.6", {
    shutdown: { parameters: ["i32", "i32"], result: "i32" },
  });
  return { symbols: library.symbols, [Symbol.dispose]: () => library.close() };
}

/** Returns the inodes of the sockets that listen on a port, of whatever process. */
function listeningSockets(port: number): ReadonlySet<string> {
  const inodes = new Set<string>();
  for (const table of ["/proc/self/net/tcp", "/proc/self/net/tcp6"]) {
    for (const line of readLines(table)) {
      const [, local = "", , state, , , , , , inode = ""] = line.trim().split(/\s+/);
      if (state === LISTEN && parseInt(local.split(":")[1] ?? "", 16) === port) inodes.add(inode);
    }
  }
  return inodes;
}

function readLines(path: string): string[] {
  try {
    return Deno.readTextFileSync(path).split("\n").slice(1);
  } catch {
    return []; // A machine without IPv6.
  }
}

/** Returns the descriptors of this process that are one of the sockets. */
function* descriptorsOf(sockets: ReadonlySet<string>): Generator<number> {
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    const [, inode = ""] = /^socket:\[(\d+)\]$/.exec(readLink(`/proc/self/fd/${name}`)) ?? [];
    if (sockets.has(inode)) yield Number(name);
  }
}

function readLink(path: string): string {
  try {
    return Deno.readLinkSync(path);
  } catch {
    return ""; // Closed meanwhile.
  }
}
