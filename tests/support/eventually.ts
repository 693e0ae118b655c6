/** Retries `attempt` until it resolves; rejects with its last error after `timeoutMs`. */
export async function eventually<T>(
  attempt: () => T | Promise<T>,
  timeoutMs = 5_000,
): Promise<T> {
  const until = performance.now() + timeoutMs;
  while (true) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() > until) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
