/** Longest subject without its issuer, in characters: the limit of an OpenID Connect `sub`. */
const MAX_SUBJECT_LENGTH = 255;

/** Longest issuer, in bytes: it is part of a database key. */
const MAX_ISSUER_BYTES = 1_000;

const MAX_PROVIDER_LENGTH = 64;

/**
 * Returns the subject of a `ProviderProfile` for a provider that has several servers: the issuer
 * (an http or https URL without white space), a space, and the issuer's name for the user. Without
 * an issuer, the subject is that name alone.
 *
 * *Security*: the same name at another server is another user.
 */
export function subjectAt(issuer: string | undefined, name: string): string {
  return issuer === undefined ? name : `${issuer} ${name}`;
}

/**
 * Returns the name that {@linkcode subjectAt} joined with this issuer; undefined for another
 * issuer.
 */
export function nameAt(issuer: string | undefined, subject: string): string | undefined {
  const parts = split(subject);
  return parts.issuer === issuer ? parts.name : undefined;
}

/**
 * Checks that an issuer can be part of a subject.
 *
 * @throws {RangeError} The issuer has white space, or more than 1,000 bytes.
 */
export function checkIssuer(issuer: string): void {
  if (/\s/u.test(issuer) || new TextEncoder().encode(issuer).length > MAX_ISSUER_BYTES) {
    throw new RangeError(
      `An issuer must have no white space and at most ${MAX_ISSUER_BYTES} bytes`,
    );
  }
}

/**
 * Checks that a profile has an identity.
 *
 * @throws {RangeError} The provider or the subject is empty, too long, or not valid Unicode.
 */
export function checkIdentity(
  { provider, subject }: { readonly provider: string; readonly subject: string },
): void {
  const { issuer, name } = split(subject);
  const isValid = isPart(provider, MAX_PROVIDER_LENGTH) && isPart(name, MAX_SUBJECT_LENGTH);
  if (!isValid) {
    throw new RangeError(
      `Cannot save a user: the provider must have 1 to ${MAX_PROVIDER_LENGTH} characters, ` +
        `the subject 1 to ${MAX_SUBJECT_LENGTH}`,
    );
  }
  if (issuer !== undefined) checkIssuer(issuer);
}

/** Two subjects with different lone surrogates could become the same key. */
function isPart(text: string, maxLength: number): boolean {
  return text.length > 0 && text.length <= maxLength && text.isWellFormed();
}

function split(subject: string): { issuer: string | undefined; name: string } {
  const [, issuer, name] = /^(https?:\/\/\S+) ([^]*)$/i.exec(subject) ?? [];
  return name === undefined ? { issuer: undefined, name: subject } : { issuer, name };
}
