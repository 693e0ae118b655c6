import { IMPORT_TABLE, type ImportRule } from "../lint/import_table.ts";
import { ROOMS, roomsOf } from "./rooms.ts";

const HEAD = ["folder", "contents", "may import"];

const TABLE = /(<!-- generated: deno run -A tools\/layout\.ts --write -->\n)[^]*?(\n<!-- end -->)/;

/** Returns a line for each folder of `files` without a sentence, and for each sentence without a folder. */
export function checkRooms(files: readonly string[]): string[] {
  const rooms = roomsOf(files);
  return [
    ...rooms.filter((room) => ROOMS[room] === undefined)
      .map((room) => `${room}/ has no sentence in tools/layout/rooms.ts`),
    ...Object.keys(ROOMS).filter((room) => !rooms.includes(room))
      .map((room) => `${room}/ is in tools/layout/rooms.ts, but does not exist`),
  ];
}

/**
 * Returns the text of `ARCHITECTURE.md` with its table of folders made anew.
 *
 * @throws {Error} The page has no place for the table.
 */
export function withFolderTable(page: string): string {
  if (!TABLE.test(page)) throw new Error("ARCHITECTURE.md has no place for the table of folders");
  return page.replace(TABLE, (_, start, end) => `${start}\n${folderTable()}${end}`);
}

/** Returns the table of folders, padded as `deno fmt` does. */
export function folderTable(): string {
  const rows = Object.entries(ROOMS).map((
    [room, holds],
  ) => [`\`${room}\``, holds, mayImport(room)]);
  const widths = HEAD.map((head, column) =>
    Math.max(head.length, ...rows.map((row) => row[column]!.length))
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")} |\n`;
  return [
    line(HEAD),
    line(widths.map((width) => "-".repeat(width))),
    ...rows.map(line),
  ].join("");
}

/** Returns the rule of a folder in words. A folder inside another one with the same rule has none. */
function mayImport(room: string): string {
  const rule = ruleOf(room);
  const parent = room.includes("/") ? ruleOf(room.slice(0, room.lastIndexOf("/"))) : undefined;
  if (rule === undefined || rule === parent) return "";
  const denied = rule.may.filter((entry) => entry.startsWith("!")).map((entry) => entry.slice(1));
  const allowed = rule.may.filter((entry) => !entry.startsWith("!") && entry !== "*");
  const types = (rule.mayType ?? []).filter((entry) => !entry.startsWith("!"));
  return [
    ...allowed.length > 0 ? [listed(allowed)] : [],
    ...rule.may.includes("*")
      ? [`anything${denied.length > 0 ? ` except ${listed(denied)}` : ""}`]
      : allowed.length === 0
      ? ["nothing"]
      : [],
    ...types.length > 0 ? [`types of ${listed(types)}`] : [],
  ].join("; ");
}

function ruleOf(room: string): ImportRule | undefined {
  return IMPORT_TABLE.find(({ files }) => `${room}/`.startsWith(files));
}

/** Lists entries of a rule, folders of the toolkit by their short names. */
function listed(entries: readonly string[]): string {
  return entries.map((entry) => entry.replace(/^lib\/(?=.)/, "").replace(/\/$/, ""))
    .map((name) => `\`${name}\``).join(", ");
}
