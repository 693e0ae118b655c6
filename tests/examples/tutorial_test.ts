import { test } from "node:test";
import { PageReplay } from "./page_replay.ts";

const PARTS = ["1_a_page", "2_a_consumer", "3_a_group", "4_tests"];

test("a reader of the tutorial sees what it says, from the first part to the last", async () => {
  await using replay = await PageReplay.create();
  for (const part of PARTS) await replay.play(`docs/tutorial/${part}.md`);
});
