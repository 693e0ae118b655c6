/**
 * Marks a link to the current page with `aria-current="page"` and `data-current`, and one to a
 * page above it with `aria-current="true"` and `data-ancestor`.
 */
export function markActiveLink(props: Record<string, unknown>, current: URL): void {
  const { href } = props;
  if (typeof href !== "string" || !href.startsWith("/") || props["aria-current"] !== undefined) {
    return;
  }
  const target = URL.parse(href, "http://localhost");
  if (target === null) return;
  const here = withoutSlash(current.pathname);
  const there = withoutSlash(target.pathname);
  const isSamePath = here === there;
  const isAbove = isSamePath || there === "/" || here.startsWith(there + "/");
  if (!isAbove) return;
  const isCurrent = isSamePath && (target.search === "" || target.search === current.search);
  props[isCurrent ? "data-current" : "data-ancestor"] = "true";
  props["aria-current"] = isCurrent ? "page" : "true";
}

function withoutSlash(pathname: string): string {
  return pathname !== "/" && pathname.endsWith("/") ? pathname.slice(0, -1) : pathname;
}
