/** Whether a client has what an `ETag` stands for: the comparison of `If-None-Match` (RFC 9110 §13.1.2). */
export function isKnownETag(headers: Headers, etag: string): boolean {
  const known = headers.get("if-none-match") ?? "";
  return known.split(",").some((entry) => {
    const tag = entry.trim();
    return tag === "*" || tag.replace(/^W\//, "") === etag;
  });
}
