/** Whose texts they are, and for which room. */
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
}

type GetStorage = () => Pick<Storage, "getItem" | "setItem" | "removeItem">;

/**
 * Keeps what a user wrote and has not sent, for one room and as long as the tab lives, so that a reload
 * or a new sign-in loses no text. Nothing fails if there is no storage, or if it is full.
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

  /** The half-written message. */
  get draft(): string {
    return this.#read("draft");
  }

  set draft(text: string) {
    this.#write("draft", text);
  }

  /** The messages that failed or have no answer yet. */
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
