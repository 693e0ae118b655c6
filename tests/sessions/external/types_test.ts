/**
 * The users of an application have the type that `identify()` returns. Each `@ts-expect-error` marks a
 * line that must be an error.
 */
import { test } from "node:test";
import {
  Consumer,
  ExternalSessions,
  layer,
  MemoryChannelLayer,
  origins,
  requireUser,
  route,
  type SignedInScope,
  socketLimits,
  stack,
  toHandler,
} from "@sluice/sluice";
import { type Audit, Tickets } from "@sluice/sluice/auth";
import { MemoryKeyValue } from "@sluice/sluice/kv";

interface Member {
  readonly id: string;
  readonly plan: "free" | "paid";
}

declare function findMember(request: Request): Promise<Member | undefined>;
declare const audit: Audit;

class MemberRoom extends Consumer<SignedInScope<Member>> {
  readonly plan: "free" | "paid" = this.scope.user.plan;
}

class AnyRoom extends Consumer<SignedInScope<{ readonly id: string }>> {
  readonly id: string = this.scope.user.id;
}

/** Needs a user of Sluice. */
class SluiceRoom extends Consumer<SignedInScope> {
  readonly picture: string = this.scope.user.avatarUrl;
}

/** Never called: compiled only. */
export function complete(): void {
  const members = new ExternalSessions({
    async identify(request) {
      const user = await findMember(request);
      return user && { sessionId: "s1", userId: user.id, expiresAt: new Date(), user };
    },
    tickets: new Tickets(new MemoryKeyValue()),
    audit,
    log: console,
  });
  const gate = stack().use(origins()).use(members.session());
  const signedIn = gate.use(requireUser()).use(socketLimits()).use(layer(new MemoryChannelLayer()));
  toHandler(signedIn.routes([route("/", MemberRoom), route("/any", AnyRoom)]));
  // @ts-expect-error A member has no picture.
  toHandler(signedIn.routes([route("/", SluiceRoom)]));
  // @ts-expect-error There is no requireUser().
  toHandler(gate.routes([route("/", MemberRoom)]));
  // @ts-expect-error The origin is not checked.
  stack().use(members.session());

  const ids = new ExternalSessions({
    identify: () => ({ sessionId: "s1", userId: "u1", expiresAt: 0 }),
    log: console,
  });
  const plain = stack().use(origins()).use(ids.session()).use(requireUser());
  toHandler(plain.routes([route("/", AnyRoom)]));
  // @ts-expect-error Nothing but the id is known.
  toHandler(plain.routes([route("/", MemberRoom)]));
}

test("ExternalSessions gives consumers the type of the users of identify()", () => {});
