import { HttpError, page } from "fresh";
import { Head } from "fresh/runtime";
import { toPublicUser } from "@sluice/sluice/auth";
import { define } from "../../app/define.ts";
import Room from "../../islands/Room.tsx";
import { ONLY_GET } from "../(_pages)/only_get.ts";
import { PRIVATE } from "../(_pages)/private_page.ts";
import { isRoomName } from "../(_pages)/room_name.ts";
import { signInFirst } from "../(_pages)/sign_in_first.ts";

export const handlers = define.handlers({
  ...ONLY_GET,
  async GET(ctx) {
    const room = ctx.params.room!;
    if (!isRoomName(room)) throw new HttpError(404);
    const person = await ctx.state.person();
    if (!person) return signInFirst(ctx);
    return page({ room, you: toPublicUser(person.user) }, { headers: PRIVATE });
  },
});

/** A room. */
export default define.page<typeof handlers>(function RoomPage({ data }) {
  const { room, you } = data;
  return (
    <div class="room-page">
      <Head>
        <title>{room} · Sluice</title>
      </Head>
      <h1 class="room-title">{room}</h1>
      <noscript>
        <p class="notice needs-script">
          This room is live, and needs JavaScript to be so. Turn it on, and load the page again.
        </p>
      </noscript>
      <Room room={room} you={you} />
    </div>
  );
});
