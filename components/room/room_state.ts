import type { PublicUser } from "@sluice/sluice/auth";

/** Maximum number of messages that a room keeps on the page. */
export const MAX_ENTRIES = 600;

/** Number of messages left when there are more. Removing a block costs one layout, not one per line. */
export const TRIMMED_ENTRIES = 500;

/** One message. */
export interface Line {
  readonly kind: "line";
  /** The key on the page; it does not change once the message is submitted. */
  readonly key: string;
  /** The server's id of the message, once known. */
  readonly id: string | undefined;
  readonly text: string;
  readonly user: PublicUser;
  /** The time, as ISO 8601. */
  readonly at: string;
  readonly status: "sent" | "pending" | "failed";
  /** The reason of a failure. */
  readonly reason?: string;
  /** Whether a failed message may have arrived nevertheless. */
  readonly uncertain?: boolean;
  /** Whether it is hidden, because it may be the echo of a message without a reply yet. */
  readonly held?: boolean;
  /** Its place in the history of the room, once known. */
  readonly offset?: number | undefined;
  /** Whether it was said before the page was opened, or was loaded by scrolling up. */
  readonly isOlder?: boolean;
  /** Whether it was said while the connection was lost. */
  readonly isMissed?: boolean;
  /** The key of the command that sends it: a repetition has no further effect. */
  readonly command?: string | undefined;
}

/** Marks the messages that were said while the connection was lost. */
export interface Away {
  readonly kind: "away";
  readonly key: string;
  /** The number of these messages. */
  readonly missed: number;
  /** Whether they are complete. */
  readonly recovered: boolean;
}

/** An entry in the list of messages. */
export type Entry = Line | Away;

/** The state of a room. */
export interface RoomState {
  readonly you: PublicUser;
  /** Received messages, in the server's order, and at most one mark of an absence. */
  readonly entries: readonly Entry[];
  /** Your unconfirmed messages: pending or failed. */
  readonly outbox: readonly Line[];
  /** Whether older messages can be loaded. */
  readonly hasOlder: boolean;
  /** How many messages were loaded by scrolling up. They count in addition to the maximum. */
  readonly loaded: number;
  /** Whether the room was entered at least once. */
  readonly entered: boolean;
}

/** A message from the server. */
export interface Heard {
  readonly id: string;
  readonly text: string;
  readonly user: PublicUser;
  readonly at: string;
  readonly offset?: number | undefined;
}

/** An event that changes a room. */
export type RoomAction =
  | { type: "welcome"; you: PublicUser }
  | { type: "heard"; said: Heard }
  | { type: "submitted"; key: string; text: string; at: string; command?: string }
  | { type: "acknowledged"; key: string; id: string }
  | { type: "failed"; key: string; reason: string; uncertain: boolean }
  | { type: "discarded"; key: string }
  | { type: "older"; messages: readonly Heard[]; more: boolean }
  | { type: "recovered"; missed: number; recovered: boolean };

/** What was said before the room is entered. */
export interface Before {
  readonly messages: readonly Heard[];
  readonly more: boolean;
}

/** Returns a room before it is entered. */
export function openRoom({ you, before }: { you: PublicUser; before: Before }): RoomState {
  const entries = before.messages.map(toOlder);
  const nothing = { outbox: [], loaded: 0, entered: false };
  return { you, entries, hasOlder: before.more, ...nothing };
}

/** Returns the offset of the oldest message on the page. */
export function oldestOffset({ entries }: RoomState): number | undefined {
  const oldest = entries.find((entry) => entry.kind === "line" && entry.offset !== undefined);
  return oldest?.kind === "line" ? oldest.offset : undefined;
}

/** Returns the room after several actions, in order. */
export function reduceAll(state: RoomState, actions: readonly RoomAction[]): RoomState {
  return actions.reduce(reduceRoom, state);
}

/** Returns the room after an action. */
export function reduceRoom(state: RoomState, action: RoomAction): RoomState {
  switch (action.type) {
    case "welcome":
      return { ...state, you: action.you, entered: true };
    case "heard":
      return hear(state, action.said);
    case "submitted":
      return submit(state, action);
    case "acknowledged":
      return acknowledge(state, action.key, action.id);
    case "failed":
      return fail(state, action);
    case "discarded":
      return release({ ...state, outbox: state.outbox.filter(({ key }) => key !== action.key) });
    case "older":
      return prepend(state, action);
    case "recovered":
      return mark(state, action);
  }
}

/** Adds older messages above the others. */
function prepend(state: RoomState, { messages, more }: RoomAction & { type: "older" }): RoomState {
  const known = new Set(state.entries.map(({ key }) => key));
  const older = messages.map(toOlder).filter(({ key }) => !known.has(key));
  const entries = [...older, ...state.entries];
  return { ...state, entries, hasOlder: more, loaded: state.loaded + older.length };
}

function toOlder(said: Heard): Line {
  return { kind: "line", key: said.id, status: "sent", isOlder: true, ...said };
}

/** Marks the messages that were missed, which are the last ones. An earlier mark disappears. */
function mark(
  state: RoomState,
  { missed, recovered }: RoomAction & { type: "recovered" },
): RoomState {
  if (missed === 0 && recovered) return state;
  const lines = state.entries.filter((entry) => entry.kind === "line");
  const index = Math.max(0, lines.length - missed);
  const entries: Entry[] = lines.map((line, at) => at < index ? line : { ...line, isMissed: true });
  const key = `away ${entries[index]?.key ?? "end"}`;
  entries.splice(index, 0, { kind: "away", key, missed, recovered });
  return { ...state, entries };
}

/** Adds a message: of another user, or the echo of your own, which may come before or after its reply. */
function hear(state: RoomState, said: Heard): RoomState {
  const known = state.entries.find((entry) => entry.kind === "line" && entry.id === said.id);
  if (known) {
    const { at, offset } = said;
    return replace(state, known.key, { ...known as Line, at, offset });
  }
  const isYours = said.user.id === state.you.id;
  const twins = isYours ? state.outbox.filter(({ text }) => text === said.text) : [];
  const line: Line = { kind: "line", key: said.id, status: "sent", ...said };
  if (twins.some(({ status }) => status === "pending")) {
    return append(state, { ...line, held: true });
  }
  const lost = twins.find(({ uncertain }) => uncertain);
  if (!lost) return append(state, line);
  const outbox = state.outbox.filter((each) => each !== lost);
  return append({ ...state, outbox }, { ...line, key: lost.key });
}

function submit(
  state: RoomState,
  { key, text, at, command }: RoomAction & { type: "submitted" },
): RoomState {
  const { you: user, outbox } = state;
  const status = "pending";
  const line: Line = { kind: "line", key, id: undefined, text, user, at, status, command };
  return { ...state, outbox: [...outbox.filter((each) => each.key !== key), line] };
}

/** Confirms your message. If its echo is already held back, the echo takes its place. */
function acknowledge(state: RoomState, key: string, id: string): RoomState {
  const own = state.outbox.find((line) => line.key === key);
  if (!own) return state;
  const next = { ...state, outbox: state.outbox.filter((line) => line !== own) };
  const echo = state.entries.find((entry) => entry.kind === "line" && entry.id === id);
  if (echo) return release(replace(next, echo.key, { ...echo as Line, key, held: false }));
  return release(append(next, { ...own, id, status: "sent" }));
}

/** Marks a message as failed, unless only its reply was lost: then its echo confirms it. */
function fail(
  state: RoomState,
  { key, reason, uncertain }: RoomAction & { type: "failed" },
): RoomState {
  const own = state.outbox.find((line) => line.key === key);
  if (!own) return state;
  const echo = state.entries.find((entry) =>
    entry.kind === "line" && entry.held && entry.text === own.text
  );
  if (uncertain && echo?.kind === "line" && echo.id) return acknowledge(state, key, echo.id);
  const failed: Line = { ...own, status: "failed", reason, uncertain };
  return release({ ...state, outbox: state.outbox.map((line) => line === own ? failed : line) });
}

/** Shows the lines that were held back for messages that are no longer pending. */
function release(state: RoomState): RoomState {
  const waits = (text: string) =>
    state.outbox.some((line) => line.status === "pending" && line.text === text);
  const isDue = (entry: Entry) => entry.kind === "line" && entry.held && !waits(entry.text);
  if (!state.entries.some(isDue)) return state;
  const entries = state.entries.map((entry) => isDue(entry) ? { ...entry, held: false } : entry);
  return { ...state, entries };
}

function replace(state: RoomState, key: string, line: Line): RoomState {
  return { ...state, entries: state.entries.map((entry) => entry.key === key ? line : entry) };
}

function append(state: RoomState, entry: Entry): RoomState {
  const entries = [...state.entries, entry];
  if (entries.length <= MAX_ENTRIES + state.loaded) return { ...state, entries };
  return { ...state, entries: entries.slice(-TRIMMED_ENTRIES), hasOlder: true, loaded: 0 };
}
