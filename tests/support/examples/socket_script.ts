import assert from "node:assert/strict";
import { HttpBrowser } from "../app/http_browser.ts";
import { type Refused, WsClient } from "../app/ws_client.ts";
import { matchesText, matchesValue } from "./matches.ts";

const STEP = /^(?:(\w+) )?([↔→←×⇒]) ?(.*)$/;

/**
 * Plays a page's transcript of sockets with real ones. A line has a name, a sign and a text, which may
 * continue on further lines:
 *
 * | | | | --- | --- | | `ada ↔ /ws/echo` | a page of Ada opens a socket | | `ada → text` | she sends |
 * | `ada ← text` | she receives the next frame; JSON is compared as such, `…` matches anything | |
 * `ada × 4401 reason` | the server closes | | `ada ⇒ POST /auth/signout` | her browser sends a request
 * |
 *
 * `ada2` is Ada's second tab; `anonymous` has no session.
 */
export class SocketScript implements Disposable {
  readonly #origin: string;
  readonly #browsers = new Map<string, HttpBrowser>();
  readonly #sockets = new Map<string, ScriptSocket>();

  constructor(origin: string) {
    this.#origin = origin;
  }

  /** Plays a block; rejects at the first line that does not happen. */
  async play(text: string): Promise<void> {
    for (const step of readSteps(text)) {
      try {
        await this.#playStep(step);
      } catch (error) {
        throw new Error(`${step.who} ${step.what} ${step.rest}\n${describe(error)}`);
      }
    }
  }

  async #playStep({ who, what, rest }: Step): Promise<void> {
    if (what === "↔") return await this.#open(who, rest);
    if (what === "⇒") return await this.#request(who, rest);
    const socket = this.#sockets.get(who);
    assert.ok(socket, `${who} has no socket: "${who} ↔ /path" comes first`);
    if (what === "→") socket.client.send(rest);
    if (what === "←") socket.expect(rest, await within(socket.nextFrame(), "a frame"));
    if (what === "×") {
      const { code, reason } = await within(socket.client.closed, "a close");
      assert.ok(matchesText(rest, `${code} ${reason}`), `It was closed with: ${code} ${reason}`);
    }
  }

  async #open(who: string, path: string): Promise<void> {
    const browser = await this.#browser(who);
    const client = await WsClient.connect(this.#origin.replace("http", "ws") + path, {
      protocols: ["sluice.v1"],
      headers: { origin: this.#origin, cookie: browser.cookieHeader },
    });
    this.#sockets.get(who)?.client[Symbol.dispose]();
    this.#sockets.set(who, new ScriptSocket(client));
  }

  async #request(who: string, request: string): Promise<void> {
    const [method = "", path = ""] = request.split(" ");
    const browser = await this.#browser(who);
    const response = await browser.request(path, { method, headers: { origin: this.#origin } });
    await response.body?.cancel();
    assert.ok(response.status < 400, `${response.status}`);
  }

  async #browser(who: string): Promise<HttpBrowser> {
    const user = who.replace(/\d+$/, "");
    const known = this.#browsers.get(user);
    if (known !== undefined) return known;
    const browser = new HttpBrowser((request) => fetch(request), this.#origin);
    if (user !== "anonymous") await browser.signIn(user);
    this.#browsers.set(user, browser);
    return browser;
  }

  [Symbol.dispose](): void {
    for (const { client } of this.#sockets.values()) client[Symbol.dispose]();
  }
}

/** One message may hold several frames. */
class ScriptSocket {
  readonly client: WsClient;
  readonly #frames: string[] = [];

  constructor(client: WsClient) {
    this.client = client;
  }

  async nextFrame(): Promise<string> {
    if (this.#frames.length === 0) {
      this.#frames.push(...(await this.client.next()).text.split("\n"));
    }
    return this.#frames.shift()!;
  }

  expect(written: string, text: string): void {
    const json = parse(written);
    const isThere = json === undefined
      ? matchesText(written, text)
      : matchesValue(json, parse(text));
    assert.ok(isThere, `It received: ${text}`);
  }
}

interface Step {
  readonly who: string;
  readonly what: string;
  rest: string;
}

function readSteps(text: string): Step[] {
  const steps: Step[] = [];
  for (const line of text.trimEnd().split("\n")) {
    const [, who = "ada", what, rest = ""] = STEP.exec(line) ?? [];
    if (what !== undefined) steps.push({ who, what, rest });
    else if (steps.length > 0) steps.at(-1)!.rest += `\n${line}`;
  }
  return steps;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Rejects if an event does not arrive; only failing tests wait this long. */
async function within<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Expected ${what}, but none arrived`)), 5_000);
  });
  return await Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

function describe(error: unknown): string {
  if (error instanceof Error) return error.message;
  const { status, code } = error as Refused;
  return `It was refused: ${status} ${code}`;
}
