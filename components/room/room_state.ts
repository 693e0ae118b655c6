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
}

/** A period in which messages may have been missed. */
export interface Gap {
  readonly kind: "gap";
  readonly key: string;
  readonly from: string;
  readonly to: string;
  /** The side that was cut off: you, or the server from the other servers. */
  readonly who: "you" | "server";
}

/** An entry in the list of messages. */
export type Entry = Line | Gap;

/** The state of a room. */
export interface RoomState {
  readonly you: PublicUser;
  readonly people: readonly PublicUser[];
  /** Received messages and gaps, in the server's order. */
  readonly entries: readonly Entry[];
  /** Your unconfirmed messages: pending or failed. */
  readonly outbox: readonly Line[];
  /** Whether older messages were removed from the page. */
  readonly trimmed: boolean;
  /** Whether the room was entered at least once. */
  readonly entered: boolean;
  /** When the connection was lost. */
  readonly lostAt: string | undefined;
}

/** A message from the server. */
export interface Heard {
  readonly id: string;
  readonly text: string;
  readonly user: PublicUser;
  readonly at: string;
}

/** An event that changes a room. */
export type RoomAction =
  | { type: "welcome"; you: PublicUser; people: readonly PublicUser[]; at: string }
  | { type: "joined"; user: PublicUser }
  | { type: "left"; user: PublicUser }
  | { type: "heard"; said: Heard }
  | { type: "submitted"; key: string; text: string; at: string }
  | { type: "acknowledged"; key: string; id: string }
  | { type: "failed"; key: string; reason: string; uncertain: boolean }
  | { type: "discarded"; key: string }
  | { type: "lost"; at: string }
  | { type: "gap"; since: string; until: string };

/** Returns an empty room, before it is entered. */
export function emptyRoom(you: PublicUser): RoomState {
  const nothing = { entries: [], outbox: [], trimmed: false, entered: false };
  return { you, people: [you], ...nothing, lostAt: undefined };
}

/** Returns the room after several actions, in order. */
export function reduceAll(state: RoomState, actions: readonly RoomAction[]): RoomState {
  return actions.reduce(reduceRoom, state);
}

/** Returns the room after an action. */
export function reduceRoom(state: RoomState, action: RoomAction): RoomState {
  switch (action.type) {
    case "welcome":
      return enter(state, action);
    case "joined":
      return { ...state, people: [...without(state.people, action.user), action.user] };
    case "left":
      if (action.user.id === state.you.id) return state;
      return { ...state, people: without(state.people, action.user) };
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
    case "lost":
      return state.entered && !state.lostAt ? { ...state, lostAt: action.at } : state;
    case "gap":
      return miss(state, { from: action.since, to: action.until, who: "server" });
  }
}

function enter(
  state: RoomState,
  { you, people, at }: RoomAction & { type: "welcome" },
): RoomState {
  const present = [...without(people, you), you];
  const next = { ...state, you, people: present, entered: true, lostAt: undefined };
  if (state.lostAt === undefined) return next;
  return miss(next, { from: state.lostAt, to: at, who: "you" });
}

function miss(state: RoomState, gap: Pick<Gap, "from" | "to" | "who">): RoomState {
  return append(state, { kind: "gap", key: `gap ${gap.who} ${gap.to}`, ...gap });
}

function without(people: readonly PublicUser[], { id }: PublicUser): PublicUser[] {
  return people.filter((user) => user.id !== id);
}

/** Adds a message: of another user, or the echo of your own, which may come before or after its reply. */
function hear(state: RoomState, said: Heard): RoomState {
  const known = state.entries.find((entry) => entry.kind === "line" && entry.id === said.id);
  if (known) return replace(state, known.key, { ...known as Line, at: said.at });
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
  { key, text, at }: RoomAction & { type: "submitted" },
): RoomState {
  const { you: user, outbox } = state;
  const line: Line = { kind: "line", key, id: undefined, text, user, at, status: "pending" };
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
  if (entries.length <= MAX_ENTRIES) return { ...state, entries };
  return { ...state, entries: entries.slice(-TRIMMED_ENTRIES), trimmed: true };
}
