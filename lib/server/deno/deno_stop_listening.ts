/** State of a listening socket in the kernel's tables (`TCP_LISTEN`). */
const LISTEN = "0A";

/** POSIX `SHUT_RDWR`. */
const BOTH_WAYS = 2;

/**
 * Stops listening on a port of this process and keeps open connections, so that the other processes
 * that share the port receive all new ones. Returns whether this worked; it needs Linux and
 * `--allow-ffi`.
 *
 * Deno has no API for this: `shutdown()` and `abort()` of its server also close WebSockets. The
 * function therefore finds the process's listening sockets in the kernel's tables. A connection that
 * is established but not yet accepted is reset.
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

/** Returns the inodes of all sockets that listen on a port, in any process. */
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
    return []; // No IPv6.
  }
}

/** Yields this process's descriptors for the given sockets. */
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
