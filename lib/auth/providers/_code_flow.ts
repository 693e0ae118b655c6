import * as oauth from "oauth4webapi";
import { SignInError } from "../errors.ts";
import type { FetchFunction } from "./back_channel.ts";
import type { AuthorizationAnswer, AuthorizationRequest } from "./provider.ts";

/** A provider, and this site as its client. */
export interface CodeFlow {
  readonly server: oauth.AuthorizationServer;
  readonly client: oauth.Client;
  readonly clientAuth: oauth.ClientAuth;
  readonly scope: string;
  /** Whether the provider speaks OpenID Connect: nonce and ID token. */
  readonly openId: boolean;
  readonly fetch: FetchFunction;
  readonly insecure: boolean;
}

/** Returns the options for oauth4webapi's requests of `flow`. */
export function callOptions(flow: Pick<CodeFlow, "fetch" | "insecure">) {
  return {
    [oauth.customFetch]: (url: string, init: object) => flow.fetch(url, init),
    [oauth.allowInsecureRequests]: flow.insecure,
  };
}

/** Returns the URL of an authorization request: code, PKCE S256, state, and nonce. */
export async function authorizationUrl(
  flow: CodeFlow,
  request: AuthorizationRequest,
): Promise<URL> {
  const url = new URL(flow.server.authorization_endpoint!);
  const parameters = {
    response_type: "code",
    client_id: flow.client.client_id,
    redirect_uri: request.redirectUri,
    scope: flow.scope,
    state: request.state,
    code_challenge: await oauth.calculatePKCECodeChallenge(request.codeVerifier),
    code_challenge_method: "S256",
    ...(flow.openId ? { nonce: request.nonce } : {}),
    ...(request.loginHint === undefined ? {} : { login_hint: request.loginHint }),
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url;
}

/** Checks a callback, exchanges its code for tokens, and checks these. */
export async function exchangeCode(
  flow: CodeFlow,
  answer: AuthorizationAnswer,
): Promise<oauth.TokenEndpointResponse> {
  const parameters = checkedParameters(flow, answer);
  try {
    const answered = await oauth.authorizationCodeGrantRequest(
      flow.server,
      flow.client,
      flow.clientAuth,
      parameters,
      answer.redirectUri,
      answer.codeVerifier,
      callOptions(flow),
    );
    const response = await readTokens(answered);
    const { server, client } = flow;
    if (!flow.openId) {
      return await oauth.processAuthorizationCodeResponse(server, client, response);
    }
    const expected = { expectedNonce: answer.nonce, requireIdToken: true };
    const tokens = await oauth.processAuthorizationCodeResponse(server, client, response, expected);
    await oauth.validateApplicationLevelSignature(server, response, callOptions(flow));
    return tokens;
  } catch (error) {
    throw fromBackChannel(error);
  }
}

/**
 * Reduces a token response to the fields in use, so that nothing else in it can fail a sign-in:
 * providers send `"expires_in": ""`, `"refresh_token": null`, or no `token_type`. An OAuth error
 * counts with any status below 500; GitHub sends it with 200.
 */
async function readTokens(response: Response): Promise<Response> {
  if (response.status >= 500) return response;
  const body: unknown = await response.clone().json().catch(() => undefined);
  const error = errorIn(body);
  if (error !== undefined) return Response.json(error, { status: 400 });
  if (!response.ok || typeof body !== "object" || body === null) return response;
  const { access_token, token_type, id_token } = body as Record<string, unknown>;
  return Response.json({
    access_token,
    token_type: typeof token_type === "string" && token_type.trim() || "bearer",
    ...(typeof id_token === "string" ? { id_token } : {}),
  });
}

/** Returns the OAuth error in a JSON body, regardless of the response status. */
export function errorIn(body: unknown): { error: string; error_description: unknown } | undefined {
  const { error, error_description } = (body ?? {}) as Record<string, unknown>;
  return typeof error === "string" && error !== "" ? { error, error_description } : undefined;
}

/** OAuth errors that mean that the provider refused the code. */
const REFUSED_CODE: readonly unknown[] = [
  "access_denied",
  "invalid_grant",
  "bad_verification_code",
];

/** Maps a failed request to the provider to a sign-in error. */
export function fromBackChannel(error: unknown): SignInError {
  if (error instanceof SignInError) return error;
  if (error instanceof oauth.ResponseBodyError) {
    const isRefusal = REFUSED_CODE.includes(error.error);
    const code = isRefusal ? "PROVIDER_DENIED" : "PROVIDER_UNAVAILABLE";
    return new SignInError(code, { reason: reasonOf(error), cause: error });
  }
  const answered = error instanceof oauth.OperationProcessingError ||
    error instanceof oauth.UnsupportedOperationError ||
    error instanceof oauth.WWWAuthenticateChallengeError || error instanceof SyntaxError;
  return new SignInError("PROVIDER_UNAVAILABLE", { status: answered ? 502 : 503, cause: error });
}

function checkedParameters(flow: CodeFlow, answer: AuthorizationAnswer): URLSearchParams {
  try {
    const { server, client } = flow;
    const parameters = oauth.validateAuthResponse(server, client, answer.parameters, answer.state);
    const codes = parameters.getAll("code");
    if (codes.length !== 1 || codes[0] === "") throw new SignInError("TRANSACTION_INVALID");
    return parameters;
  } catch (error) {
    if (!(error instanceof oauth.AuthorizationResponseError)) {
      throw new SignInError("TRANSACTION_INVALID", { cause: error });
    }
    if (error.error === "server_error" || error.error === "temporarily_unavailable") {
      throw new SignInError("PROVIDER_UNAVAILABLE", { status: 503, cause: error });
    }
    throw new SignInError("PROVIDER_DENIED", { reason: reasonOf(error), cause: error });
  }
}

function reasonOf(error: oauth.ResponseBodyError | oauth.AuthorizationResponseError): string {
  const description = error.error_description;
  return typeof description === "string" && description !== "" ? description : String(error.error);
}
