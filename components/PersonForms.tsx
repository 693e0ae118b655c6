import type { ComponentChildren } from "preact";

/** Properties of {@linkcode PersonForms}. */
export interface PersonFormsProps {
  readonly person: {
    readonly id: string;
    readonly login: string;
    readonly roles: readonly string[];
    readonly bannedAt: string | undefined;
    readonly sessions: number;
  };
  readonly isYou: boolean;
  /** What was typed, where that were no roles. */
  readonly rejectedRoles?: string | undefined;
  /** Whether a removal was asked for, and the login did not fit. */
  readonly isUnconfirmed: boolean;
}

/** What can be done to somebody. */
export function PersonForms(props: PersonFormsProps) {
  const { person, isYou } = props;
  return (
    <div class="person-forms">
      <Roles {...props} />
      <Form person={person} title="Sessions" help={SESSIONS_HELP}>
        <button type="submit" name="do" value="end" class="button quiet">
          {isYou ? "End all my other sessions" : "End all sessions"}
        </button>
      </Form>
      {!isYou && <Ban {...props} />}
      {!isYou && <Remove {...props} />}
    </div>
  );
}

const SESSIONS_HELP = "They are signed out everywhere, and may sign in again.";

function Roles({ person, rejectedRoles }: PersonFormsProps) {
  const isWrong = rejectedRoles !== undefined;
  return (
    <form method="post" action={`/people/${person.id}`}>
      <h2>
        <label for="roles">Roles</label>
      </h2>
      <p id="roles-help" class={isWrong ? "help wrong" : "help"}>
        {isWrong && "These are no names of roles. "}
        With spaces between them: letters, digits, and <code>_ . : -</code>
      </p>
      <div class="field">
        <input
          id="roles"
          name="roles"
          value={rejectedRoles ?? person.roles.join(" ")}
          autocomplete="off"
          autocapitalize="none"
          spellcheck={false}
          aria-describedby="roles-help"
          aria-invalid={isWrong ? "true" : undefined}
        />
        <button type="submit" name="do" value="roles" class="button">Save</button>
      </div>
    </form>
  );
}

function Ban({ person }: PersonFormsProps) {
  const isBanned = person.bannedAt !== undefined;
  const help = isBanned
    ? "They may sign in again, with what they had."
    : "They are signed out everywhere, and cannot sign in until they are let back in.";
  return (
    <Form person={person} title={isBanned ? "Banned" : "Ban"} help={help}>
      <button type="submit" name="do" value={isBanned ? "unban" : "ban"} class="button quiet">
        {isBanned ? "Let back in" : "Ban"}
      </button>
    </Form>
  );
}

function Remove({ person, isUnconfirmed }: PersonFormsProps) {
  return (
    <form method="post" action={`/people/${person.id}`}>
      <h2>Remove</h2>
      <p class="help">
        They are signed out everywhere and forgotten. Who signs in with the same account later is
        somebody new: to keep them out, ban them instead.
      </p>
      <details open={isUnconfirmed}>
        <summary>Remove for good…</summary>
        <label for="confirm" class={isUnconfirmed ? "help wrong" : "help"}>
          {isUnconfirmed && "That was not the login. "}
          Type <b>{person.login}</b> to confirm
        </label>
        <div class="field">
          <input
            id="confirm"
            name="confirm"
            required
            autocomplete="off"
            autocapitalize="none"
            spellcheck={false}
            aria-invalid={isUnconfirmed ? "true" : undefined}
          />
          <button type="submit" name="do" value="remove" class="button danger">Remove</button>
        </div>
      </details>
    </form>
  );
}

interface FormProps {
  readonly person: { readonly id: string };
  readonly title: string;
  readonly help: string;
  readonly children: ComponentChildren;
}

function Form({ person, title, help, children }: FormProps) {
  return (
    <form method="post" action={`/people/${person.id}`}>
      <h2>{title}</h2>
      <p class="help">{help}</p>
      {children}
    </form>
  );
}
