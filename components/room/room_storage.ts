/** The user and the room that stored texts belong to. */
export interface TextPlace {
  readonly userId: string;
  readonly room: string;
}

/** A message that was not confirmed when the page was left. */
export interface UnsentText {
  readonly text: string;
  readonly at: string;
  readonly reason: string;
  readonly uncertain: boolean;
  /** The key of the command that sends it. */
  readonly command?: string | undefined;
}

type GetStorage = () => Pick<Storage, "getItem" | "setItem" | "removeItem">;

/**
 * Keeps a user's unsent text for one room and the lifetime of the tab, so that a reload or a new sign-in
 * loses no text. Works without storage, and with a full one.
 *
 * *Security*: the user's id is part of every name; the page of another user never reads it.
 */
export class RoomStorage {
  readonly #place: string;
  readonly #storage: GetStorage;

  constructor({ userId, room }: TextPlace, storage: GetStorage = () => sessionStorage) {
    this.#place = `${userId}:${room}`;
    this.#storage = storage;
  }

  /** The draft of a message. */
  get draft(): string {
    return this.#read("draft");
  }

  set draft(text: string) {
    this.#write("draft", text);
  }

  /** The messages that failed or have no reply yet. */
  get unsent(): readonly UnsentText[] {
    try {
      const stored: unknown = JSON.parse(this.#read("unsent") || "[]");
      return Array.isArray(stored) ? stored.filter(isUnsent) : [];
    } catch {
      return [];
    }
  }

  set unsent(texts: readonly UnsentText[]) {
    this.#write("unsent", texts.length === 0 ? "" : JSON.stringify(texts));
  }

  #read(name: string): string {
    try {
      return this.#storage().getItem(`sluice:${name}:${this.#place}`) ?? "";
    } catch {
      return "";
    }
  }

  #write(name: string, value: string): void {
    const key = `sluice:${name}:${this.#place}`;
    try {
      if (value === "") this.#storage().removeItem(key);
      else this.#storage().setItem(key, value);
    } catch { /* Private mode or a full storage: the text stays on the page alone. */ }
  }
}

function isUnsent(value: unknown): value is UnsentText {
  const { text, at, reason } = (value ?? {}) as Record<string, unknown>;
  return [text, at, reason].every((part) => typeof part === "string");
}
