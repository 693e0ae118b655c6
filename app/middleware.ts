import type { Context } from "fresh";
import { isCrossSite } from "@sluice/sluice/security";
import { bearerToken } from "@sluice/sluice/sessions";
import { type NetAddress, problem, resolvePeer } from "@sluice/sluice/server";
import { Refusal } from "@sluice/sluice";
import { answerPreflight, crossOriginHeaders, withHeaders } from "./cross_origin.ts";
import type { Person, State } from "./define.ts";
import { identify } from "./identify.ts";
import { renewCookie } from "./renew_cookie.ts";
import type { Services } from "./services.ts";

/** Puts what routes need into `ctx.state`, and refuses what another site's page sends. */
export function withServices(getServices: () => Services) {
  return async (ctx: Context<State>): Promise<Response> => {
    const services = getServices();
    const { publicUrl, trustProxy } = services.settings;
    const peer = resolvePeer(ctx.req, ctx.info.remoteAddr as NetAddress, { publicUrl, trustProxy });
    let identity: Promise<Person | Refusal> | undefined;
    ctx.state.services = services;
    ctx.state.peer = peer;
    ctx.state.identity = () => identity ??= identify(services, ctx.req, peer);
    ctx.state.person = async () => {
      const found = await ctx.state.identity();
      return found instanceof Refusal ? undefined : found;
    };
    const friend = crossOriginHeaders(ctx);
    if (friend !== undefined) {
      if (ctx.req.method === "OPTIONS") return answerPreflight(friend);
      return withHeaders(await answer(), friend);
    }
    if (isCrossSite(ctx.req, peer.url)) return problem(new Refusal("CROSS_SITE", CROSS_SITE));
    return await answer();

    async function answer(): Promise<Response> {
      const response = await ctx.next();
      if (identity === undefined || bearerToken(ctx.req.headers) !== undefined) return response;
      const person = await ctx.state.person().catch(() => undefined);
      return person === undefined ? response : await renewCookie(ctx, person, response);
    }
  };
}

const CROSS_SITE = { status: 403, detail: "The request comes from a page of another site" };
