import { page } from "fresh";
import { Head } from "fresh/runtime";
import { define } from "../app/http/define.ts";
import { GateArt } from "../components/site/GateArt.tsx";
import { Promises } from "../components/site/Promises.tsx";
import { RoomPicker } from "../components/RoomPicker.tsx";
import { SignInButtons } from "../components/SignInButtons.tsx";
import { ONLY_GET } from "../app/pages/only_get.ts";
import { PRIVATE } from "../app/pages/private_page.ts";

export const handlers = define.handlers({
  ...ONLY_GET,
  async GET({ state }) {
    const identity = await state.identity();
    const providers = state.services.signIn.providers.map(({ id, name }) => ({ id, name }));
    return page({ name: identity?.user.name, providers }, { headers: PRIVATE });
  },
});

/** The home page, with a link to sign in or to the rooms. */
export default define.page<typeof handlers>(function Home({ data }) {
  const { name, providers } = data;
  return (
    <div class="page home">
      <Head>
        <title>Sluice: realtime for signed-in users only</title>
        <meta name="description" content={SENTENCE} />
      </Head>
      <section class={name === undefined ? "hero welcome" : "hero"}>
        <h1>
          {name === undefined
            ? (
              <>
                Realtime for <span class="no-break">signed-in</span> users only
              </>
            )
            : (
              <>
                Hello, <bdi>{name}</bdi>
              </>
            )}
        </h1>
        <p class="lead">{name === undefined ? SENTENCE : ROOMS}</p>
        {name === undefined && <SignInButtons providers={providers} />}
        {name === undefined && <GateArt />}
      </section>
      {name === undefined && <Promises />}
      {name !== undefined && (
        <section aria-labelledby="rooms-heading">
          <h2 id="rooms-heading">Rooms</h2>
          <RoomPicker />
        </section>
      )}
    </div>
  );
});

const ROOMS = "Anyone who is signed in can enter a room and read what was said before.";

const SENTENCE =
  "Authenticated WebSockets for TypeScript. A socket opens only for a signed-in user, and closes the " +
  "moment the session ends.";
