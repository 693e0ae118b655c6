/** How long a process may take to stop, in milliseconds. */
const TIMEOUT_MS = 5_000;

/** Sends SIGSTOP to a process, and returns when it has stopped, as it may keep running briefly. */
export function suspend(pid: number): void {
  Deno.kill(pid, "SIGSTOP");
  if (Deno.build.os !== "linux") return;
  const until = performance.now() + TIMEOUT_MS;
  while (!/\) T /.test(Deno.readTextFileSync(`/proc/${pid}/stat`))) {
    if (performance.now() > until) throw new Error(`The process ${pid} does not stand still`);
  }
}
