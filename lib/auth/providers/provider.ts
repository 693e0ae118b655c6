import type { SignInRequest } from "../sign_in_request.ts";
import type { Profile } from "../user.ts";

/** What a provider is asked to prove. */
export interface AuthorizationRequest {
  /** Where the provider sends the person back: an absolute address of this site. */
  readonly redirectUri: string;
  readonly state: string;
  readonly nonce: string;
  /** The secret of PKCE, whose SHA-256 goes into the request. */
  readonly codeVerifier: string;
  /** Whom the person wants to sign in as, as far as they said. */
  readonly loginHint: string | undefined;
}

/** What a provider sent back, and what it has to fit. */
export interface AuthorizationAnswer {
  /** The callback's query. */
  readonly parameters: URLSearchParams;
  readonly redirectUri: string;
  readonly state: string;
  readonly nonce: string;
  readonly codeVerifier: string;
}

/** Somebody who can vouch for people: GitHub, an OpenID Connect provider, or one of your own. */
export interface Provider {
  /** In addresses and in the database: `github`. */
  readonly id: string;
  /** For people: `GitHub`. */
  readonly name: string;

  /**
   * Returns if a request may use this provider, at the beginning and at the callback; `LOCAL_ONLY` if
   * it may not. Without it every request may.
   */
  accepts?(request: SignInRequest): boolean;

  /**
   * Returns where to send the person.
   *
   * @throws {SignInError} `PROVIDER_UNAVAILABLE`.
   */
  authorizationUrl(request: AuthorizationRequest): Promise<URL>;

  /**
   * Checks what the provider sent back, exchanges the code and returns who it is. Nothing of the
   * provider's tokens is kept.
   *
   * @throws {SignInError} `TRANSACTION_INVALID`, `PROVIDER_DENIED`, `PROVIDER_UNAVAILABLE` or
   * `PROFILE_INCOMPLETE`.
   */
  profile(answer: AuthorizationAnswer): Promise<Profile>;
}
