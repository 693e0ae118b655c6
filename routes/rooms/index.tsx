import { page } from "fresh";
import { define } from "../../app/http/define.ts";
import { PageTitle } from "../../components/PageTitle.tsx";
import { RoomPicker } from "../../components/RoomPicker.tsx";
import { ONLY_GET } from "../../app/pages/only_get.ts";
import { PRIVATE } from "../../app/pages/private_page.ts";
import { isRoomName } from "../../app/pages/room_name.ts";
import { signInFirst } from "../../app/pages/sign_in_first.ts";

export const handlers = define.handlers({
  ...ONLY_GET,
  async GET(ctx) {
    if (!await ctx.state.identity()) return signInFirst(ctx);
    const name = ctx.url.searchParams.get("room")?.trim();
    if (name === undefined) return page({ rejected: undefined }, { headers: PRIVATE });
    if (isRoomName(name)) return ctx.redirect(`/rooms/${name}`, 303);
    return page({ rejected: name.slice(0, 200) }, { status: 400, headers: PRIVATE });
  },
});

/** A list of rooms, and a form to join any other. */
export default define.page<typeof handlers>(function Rooms({ data }) {
  return (
    <section class="page">
      <PageTitle of={["Rooms"]} isError={data.rejected !== undefined} />
      <h1>Rooms</h1>
      <p class="lead">Anyone who is signed in can enter a room and read what was said before.</p>
      <RoomPicker rejected={data.rejected} />
    </section>
  );
});
