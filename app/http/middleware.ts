import type { Context } from "fresh";
import { isCrossSite } from "@sluice/sluice/security";
import { credentialOf } from "@sluice/sluice/sessions";
import { problem, resolvePeer } from "@sluice/sluice/server";
import { Refusal } from "@sluice/sluice";
import { acceptedTokens } from "../auth/credentials.ts";
import { answerPreflight, crossOriginGrant, withHeaders } from "./cross_origin.ts";
import type { State } from "./define.ts";
import { identify, type ProvenIdentity } from "../auth/identify.ts";
import { renewCookie } from "../auth/renew_cookie.ts";
import type { Site } from "../site.ts";

/**
 * Fills `ctx.state` for routes, and refuses requests from other sites' pages. Decides which
 * credentials count, by the table of {@linkcode acceptedTokens}.
 */
export function withSite(getSite: () => Site) {
  return async (ctx: Context<State>): Promise<Response> => {
    return await answer(ctx, getSite()).catch(asProblem);
  };
}

/** @throws {Refusal} `BAD_HOST`: the URL of the request is unknown. */
async function answer(ctx: Context<State>, services: Site): Promise<Response> {
  const { settings: { publicUrl, trustProxy }, log } = services;
  const peer = resolvePeer(ctx.req, ctx.info, { publicUrl, trustProxy, log });
  const shown = credentialOf(ctx.req.headers, { secure: peer.url.protocol === "https:" });
  let proven: Promise<ProvenIdentity | Refusal> | undefined;
  ctx.state.services = services;
  ctx.state.peer = peer;
  ctx.state.tokens = acceptedTokens(ctx, shown);
  ctx.state.identityOrRefusal = async () => {
    const found = await (proven ??= identify(services, ctx.state.tokens));
    return found instanceof Refusal ? found : found.identity;
  };
  ctx.state.identity = async () => {
    const found = await ctx.state.identityOrRefusal();
    return found instanceof Refusal ? undefined : found;
  };
  const { headers: granted, isShared } = crossOriginGrant(ctx);
  if (granted !== undefined) {
    if (ctx.req.method === "OPTIONS") return answerPreflight(granted);
    return withHeaders(await next().catch(asProblem), granted);
  }
  const response = !isGated(peer.url) && isCrossSite(ctx.req, peer.url)
    ? problem(new Refusal("CROSS_SITE", CROSS_SITE))
    : await next();
  return isShared ? withHeaders(response, VARY) : response;

  async function next(): Promise<Response> {
    const response = await ctx.next();
    // A program with a bearer token could not store a new one.
    if (proven === undefined || shown?.kind !== "cookie") return response;
    const found = await proven.catch(() => undefined);
    const isNobody = found === undefined || found instanceof Refusal;
    return isNobody ? response : await renewCookie(ctx, found, response);
  }
}

/** Returns whether the socket handler checks the origin: its refusal has the code of the gate. */
function isGated({ pathname }: URL): boolean {
  return /^\/(?:ws|streams)\//.test(pathname);
}

function asProblem(error: unknown): Response {
  if (error instanceof Refusal) return problem(error);
  throw error;
}

/** Of responses that are different for pages of other origins. */
const VARY = new Headers({ vary: "origin" });

const CROSS_SITE = { status: 403, detail: "The request comes from a page of another site" };
