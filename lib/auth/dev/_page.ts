import { escapeHtml as escape, plainPage } from "../_plain_page.ts";
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

function page(status: number, content: string): Response {
  // Chromium also checks redirects: a sign-in may return to a page of another origin.
  const formTargets = "'self' http: https:";
  return plainPage(status, content, { title: "Development sign-in", formTargets });
}
