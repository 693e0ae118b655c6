import type { ComponentChildren } from "preact";

/** Properties of {@linkcode UserForms}. */
export interface UserFormsProps {
  readonly user: {
    readonly id: string;
    readonly login: string;
    readonly roles: readonly string[];
    readonly bannedAt: string | undefined;
    readonly sessions: number;
  };
  readonly isYou: boolean;
  /** An input that is not a list of roles, and the reason. */
  readonly rejectedRoles?: { readonly typed: string; readonly problem: string } | undefined;
  /** Whether a removal was submitted with the wrong username. */
  readonly isUnconfirmed: boolean;
}

/** The forms with which an admin manages a user. */
export function UserForms(props: UserFormsProps) {
  const { user, isYou } = props;
  return (
    <div class="user-forms">
      <Roles {...props} />
      <Form user={user} title="Sessions" help={SESSIONS_HELP}>
        <button type="submit" name="do" value="end" class="button quiet">
          {isYou ? "End all my other sessions" : "End all sessions"}
        </button>
      </Form>
      {!isYou && <Ban {...props} />}
      {!isYou && <Remove {...props} />}
    </div>
  );
}

const SESSIONS_HELP = "Signs the user out everywhere. They can sign in again.";

function Roles({ user, rejectedRoles }: UserFormsProps) {
  const isWrong = rejectedRoles !== undefined;
  return (
    <form method="post" action={`/people/${user.id}`}>
      <h2>
        <label for="roles">Roles</label>
      </h2>
      <p id="roles-help" class={isWrong ? "help wrong" : "help"}>
        {isWrong && <>{rejectedRoles.problem}{" "}</>}
        Separate roles with spaces. A role has up to 32 letters, numbers and <code>_ . : -</code>
      </p>
      <div class="field">
        <input
          id="roles"
          name="roles"
          value={rejectedRoles?.typed ?? user.roles.join(" ")}
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

function Ban({ user }: UserFormsProps) {
  const isBanned = user.bannedAt !== undefined;
  const help = isBanned
    ? "They can sign in again and keep their roles."
    : "Signs the user out everywhere. They can't sign in until they are unbanned.";
  return (
    <Form user={user} title={isBanned ? "Banned" : "Ban"} help={help}>
      <button type="submit" name="do" value={isBanned ? "unban" : "ban"} class="button quiet">
        {isBanned ? "Unban" : "Ban"}
      </button>
    </Form>
  );
}

function Remove({ user, isUnconfirmed }: UserFormsProps) {
  return (
    <form method="post" action={`/people/${user.id}`}>
      <h2>Remove</h2>
      <p class="help">
        Signs the user out everywhere and deletes their account here. If they sign in again they get
        a new account. To keep them out, ban them instead.
      </p>
      <details open={isUnconfirmed}>
        <summary>Remove for good…</summary>
        <label for="confirm" class={isUnconfirmed ? "help wrong" : "help"}>
          {isUnconfirmed && "The username didn't match. "}
          Type <b>{user.login}</b> to confirm
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
  readonly user: { readonly id: string };
  readonly title: string;
  readonly help: string;
  readonly children: ComponentChildren;
}

function Form({ user, title, help, children }: FormProps) {
  return (
    <form method="post" action={`/people/${user.id}`}>
      <h2>{title}</h2>
      <p class="help">{help}</p>
      {children}
    </form>
  );
}
