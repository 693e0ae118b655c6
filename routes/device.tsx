import { type Context, page } from "fresh";
import { Head } from "fresh/runtime";
import type { DeviceApprover } from "@sluice/sluice/auth";
import { networkOf } from "@sluice/sluice/security";
import { formOf } from "../app/body.ts";
import { browserPerson } from "../app/browser_person.ts";
import { define, type State } from "../app/define.ts";
import { describeDevice } from "../app/describe_device.ts";
import { ONLY_GET_AND_POST } from "./(_pages)/only_get.ts";
import { PRIVATE } from "./(_pages)/private_page.ts";
import { signInFirst } from "./(_pages)/sign_in_first.ts";

async function approverOf(ctx: Context<State>): Promise<DeviceApprover | undefined> {
  const person = await browserPerson(ctx);
  return person && { ...person, address: networkOf(ctx.state.peer.address) };
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
  approved: "The program is signed in as you. You can close this page.",
  denied: "The program was turned away.",
  unknown: "No program waits for this code. It may have taken longer than ten minutes.",
};

/** Where a person lets a program without a browser sign in. */
export default define.page<typeof handlers>(function DevicePage({ data }) {
  const { code, device, outcome } = data;
  return (
    <section class="page narrow">
      <Head>
        <title>Sign in a program · Sluice</title>
      </Head>
      <h1>Sign in a program</h1>
      {outcome && <p class="lead" role="status">{WORDS[outcome]}</p>}
      {device
        ? (
          <form method="post" action="/device">
            <p class="lead">
              <bdi>{describeDevice(device.userAgent)}</bdi> at{" "}
              <bdi>{device.address ?? "an unknown address"}</bdi>{" "}
              wants to sign in as you, with the code <b>{device.userCode}</b>.
            </p>
            <p class="help">
              Go on only if you started it yourself, and it shows this code. Whoever sent you here
              could act as you.
            </p>
            <input type="hidden" name="user_code" value={device.userCode} />
            <div class="actions">
              <button type="submit" class="button" name="answer" value="approve">Sign it in</button>
              <button type="submit" class="button quiet" name="answer" value="deny">No</button>
            </div>
          </form>
        )
        : (
          <form method="get" action="/device" class="room-form">
            <label for="user_code">The code that the program shows</label>
            <div class="field">
              <input
                id="user_code"
                name="user_code"
                value={code}
                autocomplete="off"
                spellcheck={false}
                required
              />
              <button type="submit" class="button">Go on</button>
            </div>
          </form>
        )}
    </section>
  );
});
