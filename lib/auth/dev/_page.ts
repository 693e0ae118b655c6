import { createHash } from "node:crypto";
import { MAX_LOGIN_LENGTH, PEOPLE } from "./_people.ts";

/** Renders the page on which a developer chooses an identity. `action` is the page's path. */
export function choicePage(action: string, problem: string | undefined): Response {
  const people = PEOPLE.map(({ login, name }) =>
    `<li><button name="login" value="${escape(login)}"><strong>${escape(name)}</strong>` +
    `<span>${escape(login)}</span></button></li>`
  ).join("");
  const hint = problem === undefined ? "" : `<p id="problem" role="alert">${escape(problem)}</p>`;
  const described = problem === undefined ? "" : ' aria-invalid="true" aria-describedby="problem"';
  return page(
    problem === undefined ? 200 : 422,
    `<h1>Who do you want to be?</h1>
<p>This is the development sign-in. It runs on this machine only and asks for no password.</p>
<form method="post" action="${escape(action)}"><ul>${people}</ul></form>
<form method="post" action="${escape(action)}">
<label for="login">Somebody else</label>
<div class="row"><input id="login" name="login" required maxlength="${MAX_LOGIN_LENGTH}"
 autocomplete="off" autocapitalize="none" spellcheck="false"${described}>
<button>Sign in</button></div>${hint}
<p class="small">Letters, digits and hyphens, ${MAX_LOGIN_LENGTH} at most.</p></form>
<form method="post" action="${escape(action)}">
<button name="cancel" value="yes" class="quiet">Cancel</button></form>`,
  );
}

/** Renders the page that explains why the development sign-in stopped. */
export function messagePage(status: number, message: string): Response {
  return page(
    status,
    `<h1>Not signed in</h1><p role="alert">${escape(message)}</p>
<p><a href="/auth/signin?provider=dev">Sign in again</a></p>`,
  );
}

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

function page(status: number, content: string): Response {
  const html = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Development sign-in</title><style>${STYLE}</style></head>
<body><main>${content}</main></body>
</html>
`;
  const policy = `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; form-action 'self'; ` +
    "frame-ancestors 'none'; base-uri 'none'";
  return new Response(html, {
    status,
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": policy,
      "cache-control": "no-store",
      // With `no-referrer` browsers would send the forms with `Origin: null`.
      "referrer-policy": "same-origin",
      "x-content-type-options": "nosniff",
    },
  });
}

function escape(text: string): string {
  const entities: Record<string, string> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
  };
  return text.replace(/[&<>"]/g, (character) => entities[character]!);
}
