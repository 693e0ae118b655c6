import type { AuthorizationAnswer, AuthorizationRequest, Provider } from "../../../lib/auth/mod.ts";

/** A provider that accepts every callback: refusals come from `SignIn` itself. */
export class Yes implements Provider {
  readonly id: string;
  readonly name = "Yes";
  answers: AuthorizationAnswer[] = [];
  requests: AuthorizationRequest[] = [];
  subject = "1";

  constructor(id = "yes") {
    this.id = id;
  }
  authorizationUrl(request: AuthorizationRequest): Promise<URL> {
    this.requests.push(request);
    const url = new URL(`https://${this.id}.example/authorize`);
    url.searchParams.set("state", request.state);
    return Promise.resolve(url);
  }
  profile(answer: AuthorizationAnswer) {
    this.answers.push(answer);
    return Promise.resolve({
      provider: this.id,
      subject: this.subject,
      login: "ada",
      name: "Ada",
      avatarUrl: undefined,
    });
  }
}
