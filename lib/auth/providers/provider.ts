import type { SignInRequest } from "../oauth/sign_in_request.ts";
import type { ProviderProfile } from "../users/user.ts";

/** The parameters of an authorization request. */
export interface AuthorizationRequest {
  /** Where the provider sends the browser back: an absolute URL of this site. */
  readonly redirectUri: string;
  /** Binds the callback to the browser. */
  readonly state: string;
  /** Binds an ID token to the sign-in. */
  readonly nonce: string;
  /** The PKCE secret; its SHA-256 goes into the request. */
  readonly codeVerifier: string;
  /** The account that the user wants to sign in with, if given. */
  readonly loginHint: string | undefined;
}

/** A provider's callback, and the values that it must match. */
export interface AuthorizationAnswer {
  /** The callback's query. */
  readonly parameters: URLSearchParams;
  /** The callback URL that the request named. */
  readonly redirectUri: string;
  /** Binds the callback to the browser. */
  readonly state: string;
  /** Binds an ID token to the sign-in. */
  readonly nonce: string;
  /** The PKCE secret (RFC 7636). */
  readonly codeVerifier: string;
}

/** An identity provider: GitHub, an OpenID Connect provider, or your own implementation. */
export interface Provider {
  /** Identifier in URLs and in the database: `github`. */
  readonly id: string;
  /** Display name: `GitHub`. */
  readonly name: string;

  /**
   * Returns whether a request may use this provider; called at the beginning and at the callback.
   * False refuses the sign-in with `LOCAL_ONLY`. Without this method, every request may.
   */
  accepts?(request: SignInRequest): boolean;

  /**
   * Returns the URL to send the browser to.
   *
   * @throws {SignInError} `PROVIDER_UNAVAILABLE`.
   */
  authorizationUrl(request: AuthorizationRequest): Promise<URL>;

  /**
   * Checks the callback, exchanges the code and returns the user's profile. The provider's tokens
   * are not kept.
   *
   * @throws {SignInError} `TRANSACTION_INVALID`, `PROVIDER_DENIED`, `PROVIDER_UNAVAILABLE` or
   * `PROFILE_INCOMPLETE`.
   */
  profile(answer: AuthorizationAnswer): Promise<ProviderProfile>;

  /**
   * Answers a request for a page of the provider's own, as the development provider does; returns
   * undefined for every other path.
   */
  answer?(
    request: Request,
    peer: { readonly url: URL; readonly address: string },
  ): Promise<Response | undefined>;
}
