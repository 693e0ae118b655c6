import { page } from "fresh";
import { toPublicUser } from "@sluice/sluice/auth";
import { define } from "../../app/http/define.ts";
import { PageTitle } from "../../components/PageTitle.tsx";
import Room from "../../islands/Room.tsx";
import { RoomNotFound } from "../../app/pages/room_not_found.ts";
import { ONLY_GET } from "../../app/pages/only_get.ts";
import { PRIVATE } from "../../app/pages/private_page.ts";
import { recentMessages } from "../../app/pages/recent_messages.ts";
import { isRoomName } from "../../app/pages/room_name.ts";
import { signInFirst } from "../../app/pages/sign_in_first.ts";

export const handlers = define.handlers({
  ...ONLY_GET,
  async GET(ctx) {
    const room = ctx.params.room!;
    if (!isRoomName(room)) throw new RoomNotFound(room);
    const identity = await ctx.state.identity();
    if (!identity) return signInFirst(ctx);
    const history = await recentMessages(ctx.state.services.streamStore, room);
    return page({ room, you: toPublicUser(identity.user), history }, { headers: PRIVATE });
  },
});

/** The page of a room. */
export default define.page<typeof handlers>(function RoomPage({ data }) {
  const { room, you, history } = data;
  return (
    <div class="room-page">
      <PageTitle of={[room]} />
      <h1 class="room-title">{room}</h1>
      <noscript>
        <p class="notice needs-script">
          You see the last messages. Sending needs JavaScript: turn it on and reload the page.
        </p>
      </noscript>
      <Room room={room} you={you} history={history} />
    </div>
  );
});
