/** Returns whether a text matches the expected one, where `…` matches anything. */
export function matchesText(written: string, text: string): boolean {
  const parts = written.trimEnd().split("…").map((part) =>
    part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")
  );
  return new RegExp(`^${parts.join("[^]*?")}$`).test(text.trimEnd());
}

/**
 * Returns whether a value matches the expected one: a string `"…"` matches any value, `…` within a
 * string any text, and a key `"…"` any additional keys.
 */
export function matchesValue(written: unknown, value: unknown): boolean {
  if (written === "…") return value !== undefined;
  if (typeof written === "string") return typeof value === "string" && matchesText(written, value);
  if (typeof written !== "object" || written === null) return Object.is(written, value);
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(written) !== Array.isArray(value)) return false;
  const expected = Object.entries(written).filter(([key]) => key !== "…");
  const isOpen = "…" in written;
  if (!isOpen && Object.keys(value).length !== expected.length) return false;
  return expected.every(([key, each]) =>
    Object.hasOwn(value, key) && matchesValue(each, (value as Record<string, unknown>)[key])
  );
}
