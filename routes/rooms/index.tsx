import { page } from "fresh";
import { Head } from "fresh/runtime";
import { define } from "../../app/define.ts";
import { RoomPicker } from "../../components/RoomPicker.tsx";
import { ONLY_GET } from "../(_pages)/only_get.ts";
import { PRIVATE } from "../(_pages)/private_page.ts";
import { isRoomName } from "../(_pages)/room_name.ts";
import { signInFirst } from "../(_pages)/sign_in_first.ts";

export const handlers = define.handlers({
  ...ONLY_GET,
  async GET(ctx) {
    if (!await ctx.state.person()) return signInFirst(ctx);
    const name = ctx.url.searchParams.get("room")?.trim();
    if (name === undefined) return page({ rejected: undefined }, { headers: PRIVATE });
    if (isRoomName(name)) return ctx.redirect(`/rooms/${name}`, 303);
    return page({ rejected: name.slice(0, 200) }, { status: 400, headers: PRIVATE });
  },
});

/** Rooms to enter, and any other by its name. */
export default define.page<typeof handlers>(function Rooms({ data }) {
  return (
    <section class="page">
      <Head>
        <title>Rooms · Sluice</title>
      </Head>
      <h1>Rooms</h1>
      <p class="lead">A room is there as soon as somebody enters it, and keeps nothing.</p>
      <RoomPicker rejected={data.rejected} />
    </section>
  );
});
