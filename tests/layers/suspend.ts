/** How long a process may take to stand still, in milliseconds. */
const TIMEOUT_MS = 5_000;

/** Sends SIGSTOP to a process, and returns when it stands still: it may run on for a moment. */
export function suspend(pid: number): void {
  Deno.kill(pid, "SIGSTOP");
  if (Deno.build.os !== "linux") return;
  const until = performance.now() + TIMEOUT_MS;
  while (!/\) T /.test(Deno.readTextFileSync(`/proc/${pid}/stat`))) {
    if (performance.now() > until) throw new Error(`The process ${pid} does not stand still`);
  }
}
