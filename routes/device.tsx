import { type Context, page } from "fresh";
import { formOf } from "../app/http/body.ts";
import { browserIdentity } from "../app/auth/browser_identity.ts";
import { define, type State } from "../app/http/define.ts";
import { describeDevice } from "../app/auth/describe_device.ts";
import { Notice } from "../components/Notice.tsx";
import { PageTitle } from "../components/PageTitle.tsx";
import { ONLY_GET_AND_POST } from "../app/pages/only_get.ts";
import { PRIVATE } from "../app/pages/private_page.ts";
import { signInFirst } from "../app/pages/sign_in_first.ts";

async function approverOf(ctx: Context<State>) {
  const identity = await browserIdentity(ctx);
  return identity && { ...identity, address: ctx.state.peer.address };
}

type Outcome = "approved" | "denied" | "unknown";

export const handlers = define.handlers({
  ...ONLY_GET_AND_POST,
  async GET(ctx) {
    const approver = await approverOf(ctx);
    if (!approver) return signInFirst(ctx);
    const code = ctx.url.searchParams.get("user_code") ?? "";
    const { deviceSignIn } = ctx.state.services;
    const device = code === "" ? undefined : await deviceSignIn.find(code, approver);
    const outcome: Outcome | undefined = code !== "" && !device ? "unknown" : undefined;
    return page({ code, device, outcome }, { headers: PRIVATE });
  },
  async POST(ctx) {
    const approver = await approverOf(ctx);
    if (!approver) return signInFirst(ctx);
    const form = await formOf(ctx);
    const code = String(form.get("user_code") ?? "");
    const isApproved = form.get("answer") === "approve";
    const { deviceSignIn } = ctx.state.services;
    const isDecided = await deviceSignIn.decide(code, approver, isApproved);
    const outcome: Outcome = !isDecided ? "unknown" : isApproved ? "approved" : "denied";
    return page({ code: "", device: undefined, outcome }, { headers: PRIVATE });
  },
});

const WORDS: Readonly<Record<Outcome, string>> = {
  approved: "The device is signed in as you. You can close this page.",
  denied: "The device was denied access.",
  unknown: "That code is wrong or has expired. Codes last 10 minutes.",
};

/** The page on which a user authorizes a device or program without a browser. */
export default define.page<typeof handlers>(function DevicePage({ data }) {
  const { code, device, outcome } = data;
  return (
    <section class="page narrow">
      <PageTitle of={["Authorize a device"]} isError={outcome === "unknown"} />
      <h1>Authorize a device</h1>
      {outcome && <Notice isWrong={outcome === "unknown"}>{WORDS[outcome]}</Notice>}
      {device
        ? (
          <form method="post" action="/device" class="decision">
            <p class="lead">
              <bdi>{describeDevice(device.userAgent)}</bdi> at{" "}
              <bdi>{device.address ?? "an unknown address"}</bdi>{" "}
              wants to sign in as you, with the code <b>{device.userCode}</b>.
            </p>
            <p class="help">
              Continue only if you started this and the codes match. If someone sent you this link,
              deny it: they would be able to act as you.
            </p>
            <input type="hidden" name="user_code" value={device.userCode} />
            <div class="actions">
              <button type="submit" class="button" name="answer" value="approve">Authorize</button>
              <button type="submit" class="button quiet" name="answer" value="deny">Deny</button>
            </div>
          </form>
        )
        : (
          <form method="get" action="/device" class="room-form">
            <label for="user_code">Code shown on the device</label>
            <div class="field">
              <input
                id="user_code"
                name="user_code"
                value={code}
                autocomplete="off"
                spellcheck={false}
                required
              />
              <button type="submit" class="button">Continue</button>
            </div>
          </form>
        )}
    </section>
  );
});
