import { createHash } from "node:crypto";

const STYLE = `:root{color-scheme:light dark;--ink:#1c2126;--soft:#59636e;--paper:#fff;
--line:#d1d9e0;--accent:#0a58ca}
@media (prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9aa7b4;--paper:#14181d;
--line:#39424d;--accent:#79b8ff}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:1rem/1.5 system-ui,sans-serif}
main{max-width:26rem;margin:0 auto;padding:2rem 1rem}
h1{font-size:1.5rem;line-height:1.2;margin:0 0 .5rem}
ul{list-style:none;margin:1.5rem 0;padding:0;display:grid;gap:.5rem}
button,input{font:inherit;color:inherit;background:transparent;border:1px solid var(--line);
border-radius:.5rem;min-height:2.75rem;padding:.5rem .75rem}
button{cursor:pointer}
li button{width:100%;display:flex;justify-content:space-between;gap:1rem;text-align:start}
li span,.small{color:var(--soft)}
.small{font-size:.875rem;margin:.25rem 0 1.5rem}
label{display:block;font-weight:600;margin-bottom:.25rem}
.row{display:flex;gap:.5rem}
.row input{flex:1;min-width:0}
button:hover{border-color:var(--accent)}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
.quiet{border-color:transparent;text-decoration:underline;padding-inline:0}
a{color:var(--accent)}
[role=alert]{border-inline-start:4px solid var(--accent);padding-inline-start:.75rem}`;

const STYLE_HASH = createHash("sha256").update(STYLE).digest("base64");

/** Options of {@linkcode plainPage}. */
export interface PlainPageOptions {
  readonly title: string;
  readonly headers?: HeadersInit;
  /** Where forms, and the redirects that answer them, may lead, in the words of the policy. */
  readonly formTargets?: string;
}

/** Renders a small page without scripts. `content` is HTML; everything else is escaped. */
export function plainPage(
  status: number,
  content: string,
  { title, headers, formTargets = "'self'" }: PlainPageOptions,
): Response {
  const html = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title><style>${STYLE}</style></head>
<body><main>${content}</main></body>
</html>
`;
  const all = new Headers(headers);
  all.set("content-type", "text/html; charset=utf-8");
  all.set("content-security-policy", `${POLICY}; form-action ${formTargets}`);
  all.set("cache-control", "no-store");
  // With `no-referrer` browsers would send the forms with `Origin: null`.
  all.set("referrer-policy", "same-origin");
  all.set("x-content-type-options", "nosniff");
  return new Response(html, { status, headers: all });
}

const POLICY = `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; ` +
  "frame-ancestors 'none'; base-uri 'none'";

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
};

/** Returns text as HTML, also for attributes in double quotes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => ENTITIES[character]!);
}
