import { test } from "node:test";
import assert from "node:assert/strict";
import type { User } from "@sluice/sluice/auth";
import { FakeClock } from "@sluice/sluice/testing";
import { acceptedTokens, type Credential, CREDENTIALS } from "../../app/auth/credentials.ts";
import manifest from "../../fresh.gen.ts";
import { TestApp } from "../support/app/test_app.ts";

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
const NAME = "Ada of the matrix";

/** Sessions of one user: one per credential of a request, and one more. */
type Label = "cookie" | "bearer" | "third";

/** A request of a route. */
interface Sample {
  readonly path?: (fixture: Fixture) => string;
  readonly body?: BodyInit;
  readonly headers?: Headers;
  /** The sessions that end, by the accepted credential. */
  readonly ends?: (by: Credential) => Label[];
}

const others = (by: Credential): Label[] =>
  (["cookie", "bearer", "third"] as const).filter((label) => label !== by);

const STREAM = "/streams/chat/lobby";

/** Routes that answer all clients in the same way. */
const PUBLIC = ["/auth/signout", "/auth/callback/:provider"];

/** Special cases by route and method. */
const SAMPLES: Readonly<Record<string, Sample>> = {
  "GET /rooms/:room": { path: () => "/rooms/lobby" },
  "GET /people/:id": { path: ({ user }) => `/people/${user.id}` },
  "POST /people/:id": {
    path: ({ user }) => `/people/${user.id}`,
    body: form("do=end"),
    ends: others,
  },
  "POST /sessions": { body: form("end=others"), ends: others },
  "DELETE /api/sessions": { ends: others },
  "DELETE /api/sessions/:id": {
    path: ({ sessions }) => `/api/sessions/${sessions.third.id}`,
    ends: () => ["third"],
  },
  "POST /api/tickets": { body: '{"path":"/ws/echo"}' },
  "POST /auth/signout": { ends: (by) => by === "ticket" ? [] : [by] },
  // A signed-in user sent by another site is asked.
  "GET /auth/signin": {
    headers: { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate" },
  },
  "GET /auth/callback/:provider": { path: () => "/auth/callback/dev" },
  "GET /auth/dev/:path*": { path: () => "/auth/dev/.well-known/openid-configuration" },
  "POST /auth/dev/:path*": { path: () => "/auth/dev/nothing" },
  "GET /ws/:path*": { path: () => "/ws/echo" },
  "POST /ws/:path*": { path: () => "/ws/echo" },
  "GET /streams/:path*": { path: () => STREAM },
  "POST /streams/:path*": {
    path: () => STREAM,
    body: '{"type":"say","data":{"text":"hello"}}',
    headers: { "content-type": "application/json" },
  },
};

function form(text: string): URLSearchParams {
  return new URLSearchParams(text);
}

/** The built routes by pattern, without files that are not routes. */
const ROUTES: ReadonlyMap<string, { handlers: object }> = new Map(
  Object.entries(manifest.routes)
    .filter(([file]) => !/(?:^|\/)_\w+\.tsx?$/.test(file))
    .map(([file, module]) => [patternOf(file), module as { handlers: object }]),
);

function patternOf(file: string): string {
  const id = `/${file.replace(/\.tsx?$/, "")}`.replace(/\/index$/, "") || "/";
  return id.replace(/\[\.\.\.(\w+)\]/g, ":$1*").replace(/\[(\w+)\]/g, ":$1");
}

/** A function answers every method, some with 405. */
function hasHandler(route: string, method: string): boolean {
  const { handlers } = ROUTES.get(route)!;
  return typeof handlers === "function" || Object.hasOwn(handlers, method);
}

interface Proof {
  readonly id: string;
  readonly token: string;
}

interface Fixture {
  readonly app: TestApp;
  readonly user: User;
  readonly sessions: Readonly<Record<Label, Proof>>;
  readonly dead: string;
  readonly expired: string;
  readonly foreign: string;
  readonly banned: string;
  readonly ticket: string;
}

type Headers = Record<string, string>;

/** The credentials of a request, and which one counts if the route accepts all of them. */
type Variant = readonly [name: string, headers: (fixture: Fixture) => Headers, is?: Credential];

const cookie = (token: string) => ({ cookie: `session=${token}` });
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const offer = (ticket: string) => ({
  "sec-websocket-protocol": `sluice.v1, sluice.ticket.${ticket}`,
});
const MADE_UP = `${"A".repeat(16)}.${"A".repeat(59)}`;

const VARIANTS: readonly Variant[] = [
  ["nothing", () => ({})],
  ["a cookie", ({ sessions }) => cookie(sessions.cookie.token), "cookie"],
  ["a bearer token", ({ sessions }) => bearer(sessions.bearer.token), "bearer"],
  [
    "both",
    ({ sessions }) => ({ ...cookie(sessions.cookie.token), ...bearer(sessions.bearer.token) }),
    "bearer",
  ],
  [
    "a dead bearer token and a good cookie",
    ({ sessions, dead }) => ({ ...cookie(sessions.cookie.token), ...bearer(dead) }),
  ],
  [
    "a foreign bearer token and a good cookie",
    ({ sessions, foreign }) => ({ ...cookie(sessions.cookie.token), ...bearer(foreign) }),
  ],
  [
    "a malformed bearer token and a good cookie",
    ({ sessions }) => ({ ...cookie(sessions.cookie.token), authorization: "Bearer" }),
  ],
  [
    "a good bearer token and a dead cookie",
    ({ sessions, dead }) => ({ ...cookie(dead), ...bearer(sessions.bearer.token) }),
    "bearer",
  ],
  ["a ticket", ({ ticket }) => offer(ticket), "ticket"],
  ["a ticket as a bearer token", ({ ticket }) => bearer(ticket)],
  ["a ticket as a cookie", ({ ticket }) => cookie(ticket)],
  ["a session token as a ticket", ({ sessions }) => offer(sessions.bearer.token)],
  ...(["banned", "expired", "foreign", "dead"] as const).flatMap((of): Variant[] => [
    [`a cookie: ${of}`, (fixture) => cookie(fixture[of])],
    [`a bearer token: ${of}`, (fixture) => bearer(fixture[of])],
  ]),
  ["a cookie: made up", () => cookie(MADE_UP)],
  ["a bearer token: made up", () => bearer(MADE_UP)],
];

/** The app, with users and credentials that do not count. */
async function setUp() {
  const clock = new FakeClock();
  const app = await TestApp.create({ ADMINS: "dev:ada" }, { clock });
  const { users, sessions, tickets } = app.services;
  const profile = { provider: "dev", avatarUrl: undefined };
  const user = await users.save({ ...profile, subject: "ada", login: "ada", name: NAME });
  const create = async (userId: string): Promise<Proof> => {
    const { session, token } = await sessions.create({ userId, provider: "dev" });
    return { id: session.id, token };
  };
  const { token: expired } = await create(user.id);
  await clock.advance(8 * 24 * 3_600_000);
  const dead = await create(user.id);
  await sessions.end(dead.id, "signed-out");
  const eve = await users.save({ ...profile, subject: "eve", login: "eve", name: NAME });
  const banned = await create(eve.id);
  await users.update(eve.id, (known) => ({ ...known, bannedAt: clock.now() }));
  await using elsewhere = await TestApp.create({}, { clock });
  const foreign = await elsewhere.services.sessions.create({ userId: user.id, provider: "dev" });
  return {
    app,
    /** Creates new sessions, and a new ticket for the path, which counts once. */
    async renew(path = "/ws/echo"): Promise<Fixture> {
      await sessions.endAll(user.id);
      const fresh = {
        cookie: await create(user.id),
        bearer: await create(user.id),
        third: await create(user.id),
      };
      const session = await sessions.get(fresh.cookie.id);
      const binding = { path, origin: app.origin };
      const { ticket } = await tickets.issue(session!, binding);
      return {
        app,
        user,
        sessions: fresh,
        dead: dead.token,
        expired,
        foreign: foreign.token,
        banned: banned.token,
        ticket,
      };
    },
  };
}

/** The outcome of a request: the response, its user, and the ended sessions. */
async function outcomeOf(
  fixture: Fixture,
  { route, method, headers }: { route: string; method: string; headers: Headers },
) {
  const sample = SAMPLES[`${method === "HEAD" ? "GET" : method} ${route}`] ?? {};
  const { app, sessions } = fixture;
  const path = sample.path?.(fixture) ?? route.replace(/:\w+\*?/g, "x");
  const isForm = sample.body instanceof URLSearchParams;
  const request = new Request(app.origin + path, {
    method,
    redirect: "manual",
    ...(sample.body && !isForm ? { body: sample.body } : {}),
    ...(isForm ? { body: new URLSearchParams(sample.body as URLSearchParams) } : {}),
    headers: { origin: app.origin, ...sample.headers, ...headers },
  });
  const response = await app.handle(request);
  const text = await response.text();
  const ended: string[] = [];
  for (const [label, { id }] of Object.entries(sessions)) {
    if (await app.services.sessions.get(id) === undefined) ended.push(label);
  }
  const { status } = response;
  return {
    status,
    knows: text.includes(NAME),
    location: response.headers.get("location")?.split("?")[0],
    ended,
  };
}

test("the table of credentials has every route, with every method that it answers", async () => {
  const { app, renew } = await setUp();
  await using _app = app;
  assert.deepEqual(Object.keys(CREDENTIALS).sort(), [...ROUTES.keys()].sort());
  const fixture = await renew();
  for (const route of ROUTES.keys()) {
    const answered: string[] = [];
    for (const method of METHODS.filter((method) => method !== "HEAD")) {
      if (!hasHandler(route, method)) continue;
      const { status } = await outcomeOf(fixture, { route, method, headers: {} });
      if (status !== 405) answered.push(method);
    }
    assert.deepEqual(Object.keys(CREDENTIALS[route]!).sort(), answered.sort(), route);
  }
});

test("every route accepts exactly the credentials of the table", async () => {
  const { app, renew } = await setUp();
  await using _app = app;
  let fixture = await renew();
  for (const [route, byMethod] of Object.entries(CREDENTIALS)) {
    for (const method of METHODS) {
      const name = method === "HEAD" ? "GET" : method;
      const accepted = Object.entries(byMethod).find(([each]) => each === name)?.[1] ?? [];
      const { ends } = SAMPLES[`${method} ${route}`] ?? {};
      const ticketPath = route.startsWith("/streams/") ? STREAM : undefined;
      if (ticketPath !== undefined) fixture = await renew(ticketPath);
      const ask = async (headers: (fixture: Fixture) => Headers) => {
        const outcome = await outcomeOf(fixture, { route, method, headers: headers(fixture) });
        if (outcome.ended.length > 0) fixture = await renew(ticketPath);
        return outcome;
      };
      const nobody = await ask(() => ({}));
      const somebody = await ask(({ sessions, ticket }) =>
        accepted.includes("cookie") ? cookie(sessions.cookie.token) : offer(ticket)
      );
      assert.deepEqual(nobody.ended, [], `${method} ${route}`);
      for (const [variant, headers, is] of VARIANTS) {
        const outcome = await ask(headers);
        const counts = is !== undefined && accepted.includes(is);
        const ended = counts ? ends?.(is) ?? [] : [];
        // Only a browser is redirected to the sign-in page.
        const isBearer = "authorization" in headers(fixture) && nobody.location === "/signin";
        const refused = isBearer ? { ...nobody, status: 401, location: undefined } : nobody;
        const expected = { ...counts ? somebody : refused, ended };
        assert.deepEqual(outcome, expected, `${method} ${route} with ${variant}`);
      }
      const isPublic = method === "HEAD" || PUBLIC.includes(route);
      if (accepted.length > 0 && !isPublic) {
        assert.notDeepEqual(nobody, somebody, `${method} ${route} is the same for everybody`);
      }
    }
  }
});

test("the pages of /device, /people and errors treat a bearer token as anonymous", async () => {
  const { app, renew } = await setUp();
  await using _app = app;
  const { sessions, user } = await renew();
  const both = { ...cookie(sessions.cookie.token), ...bearer(sessions.bearer.token) };
  for (const headers of [bearer(sessions.bearer.token), both]) {
    for (const path of ["/device", "/people", `/people/${user.id}`, "/people/", "/nowhere"]) {
      const response = await app.handle(new Request(app.origin + path, { headers }));
      assert.ok([303, 401, 404].includes(response.status), `${path}: ${response.status}`);
      assert.ok(!(await response.text()).includes(NAME), path);
    }
  }
});

test("acceptedTokens() accepts only the cookie for a route that is not in the table", () => {
  const ask = (route: string | null, method: string, kind: "cookie" | "bearer") => {
    const req = new Request("http://127.0.0.1/", { method });
    return acceptedTokens({ route, req }, { kind, tokens: ["token"] });
  };
  for (const route of ["/applause", "/constructor", "toString", null]) {
    for (const method of ["GET", "POST"]) {
      assert.deepEqual(ask(route, method, "cookie"), ["token"], `${method} ${route}`);
      assert.deepEqual(ask(route, method, "bearer"), [], `${method} ${route}`);
    }
  }
  assert.deepEqual(ask("/api/me", "POST", "cookie"), []);
});
