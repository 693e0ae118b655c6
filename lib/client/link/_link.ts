import { CloseCode, type Messages } from "../../protocol/mod.ts";
import { SUBPROTOCOL, TICKET_PREFIX } from "../../protocol/limits.ts";
import { retryPauseMs } from "../../time/retry_pause.ts";
import { askWhy } from "./_ask_why.ts";
import { backoffMs } from "../backoff.ts";
import { type ClientWebSocket, isLoopback } from "../environment.ts";
import type { LinkOptions } from "./_link_options.ts";
import type { RealtimeSocket, SocketState } from "../realtime_socket.ts";
import { Pulse } from "./_pulse.ts";
import { judgeClose, judgeResponse, type Verdict } from "./_verdict.ts";
import { watchSocket } from "./_watch_socket.ts";

type Detail = RealtimeSocket<Messages>["detail"];

/** Events of {@linkcode Link}. */
export interface LinkEvents {
  text(text: string): void;
  /** Sends a ping; calls `answered` when its reply arrives. */
  ping(answered: () => void): void;
  change(state: SocketState, detail: Detail): void;
}

const OPEN = 1;

/** The minimum delay after a failure, whatever the options say. */
const FLOOR = { minMs: 100, maxMs: 1_000 };

const OFFLINE = { code: undefined, reason: "The machine is offline" };

/**
 * Maintains one connection: opens it, finds out why it was refused, and opens it again.
 *
 * It is in one phase at a time (attempt, live connection, delay, end). Each phase has a signal that
 * the next one aborts, so late events of an earlier phase have no effect.
 */
export class Link {
  readonly #url: string;
  readonly #options: LinkOptions;
  readonly #events: LinkEvents;
  readonly #unlisten: (() => void)[];
  #phase = new AbortController();
  #socket: ClientWebSocket | undefined;
  #state: SocketState = "connecting";
  #detail: Detail = { attempt: 0, retryInMs: undefined, code: undefined, reason: "" };
  #failures = 0;
  #pulse: Pulse | undefined;
  #waits = false;
  /** Time of the next attempt; `Infinity` while offline. */
  #dueAt = 0;
  #notBefore = 0;

  constructor(url: string, options: LinkOptions, events: LinkEvents) {
    this.#url = url;
    this.#options = options;
    this.#events = events;
    const { listen } = options.environment;
    this.#unlisten = [
      listen("online", () => this.#retrySoon()),
      listen("visible", () => this.#retrySoon()),
      listen("offline", () => this.#goOffline()),
    ];
  }

  get state(): SocketState {
    return this.#state;
  }

  get detail(): Detail {
    return this.#detail;
  }

  /** Whether a message can be sent now. */
  get isOpen(): boolean {
    return this.#state === "live" && this.#socket?.readyState === OPEN;
  }

  /** Whether it will connect or reconnect by itself. */
  get willConnect(): boolean {
    return ["connecting", "reconnecting", "live"].includes(this.#state);
  }

  send(text: string): void {
    this.#socket?.send(text);
  }

  /** Checks whether a live connection still responds. */
  check(): void {
    this.#pulse?.check();
  }

  /** Attempts to connect now, unless it is connected, connecting or closed. */
  retry(): void {
    if (this.#state === "signed-out" || this.#state === "refused") {
      this.#failures = 0;
      this.#state = "connecting";
      this.#attempt();
    } else if (this.#waits) {
      this.#attempt();
    }
  }

  /** Starts the first attempt. */
  open(): void {
    if (this.#canReach()) this.#attempt();
    else this.#wait(0, OFFLINE);
  }

  close(): void {
    if (this.#state === "closed") return;
    this.#enter("closed", { attempt: 0, code: undefined, reason: "" });
  }

  async #attempt(): Promise<void> {
    const { environment, ticket, openTimeoutMs } = this.#options;
    const state = this.#state === "connecting" ? "connecting" : "reconnecting";
    const signal = this.#enter(state, { attempt: this.#detail.attempt + 1 });
    if (signal.aborted) return;
    const reason = `No connection within ${openTimeoutMs} ms`;
    const stopTimer = environment.after(
      openTimeoutMs,
      () => this.#follow({ next: "retry", reason }),
    );
    signal.addEventListener("abort", stopTimer);
    const protocols = [SUBPROTOCOL];
    try {
      if (ticket) protocols.push(TICKET_PREFIX + await ticket());
      if (!signal.aborted) this.#dial(protocols, signal, stopTimer);
    } catch (error) {
      await this.#followThrown(error, signal);
    }
  }

  #dial(protocols: string[], signal: AbortSignal, stopTimer: () => void): void {
    const { environment, stableAfterMs } = this.#options;
    const socket = new environment.WebSocket(this.#url, protocols);
    this.#socket = socket;
    let liveSince: number | undefined;
    const ended = (code: number, reason: string) => {
      if (liveSince === undefined) {
        const unknown = () => this.#follow({ next: "retry", reason: "" });
        return void this.#learnWhy(signal).catch(unknown);
      }
      if (environment.now() - liveSince >= stableAfterMs) this.#failures = 0;
      this.#follow(judgeClose(code, reason, this.#options));
    };
    watchSocket(socket, environment, signal, {
      ended,
      opened: () => {
        stopTimer();
        liveSince = environment.now();
        const lost = () => ended(CloseCode.abnormal, "The connection went silent");
        this.#pulse = new Pulse(environment, this.#events.ping, lost);
        this.#show("live", { attempt: 0, retryInMs: undefined, code: undefined, reason: "" });
      },
      message: (data) => {
        this.#pulse?.heard();
        if (typeof data === "string") this.#events.text(data);
      },
    });
  }

  async #learnWhy(signal: AbortSignal): Promise<void> {
    try {
      const verdict = await askWhy(this.#url, this.#options, signal);
      if (!signal.aborted) this.#follow(verdict);
    } catch (error) {
      await this.#followThrown(error, signal);
    }
  }

  async #followThrown(error: unknown, signal: AbortSignal): Promise<void> {
    const verdict: Verdict = error instanceof Response
      ? await judgeResponse(error, this.#options)
      : { next: "retry", reason: error instanceof Error ? error.message : String(error) };
    if (!signal.aborted) this.#follow(verdict);
  }

  #follow(verdict: Verdict): void {
    const { next, code, reason, waitMs } = verdict;
    if (next !== "retry") {
      this.#enter(next, { code, reason });
      return;
    }
    const { environment, maxDelayMs } = this.#options;
    this.#notBefore = environment.now() + (waitMs ?? 0);
    const floorMs = this.#failures && retryPauseMs(this.#failures, FLOOR);
    let delayMs = Math.max(waitMs ?? backoffMs(this.#failures, this.#options), floorMs);
    if (this.#failures > 0 && environment.isHidden()) delayMs = Math.max(delayMs, maxDelayMs);
    this.#failures += 1;
    this.#wait(delayMs, { code, reason });
  }

  /** Waits for the next attempt, or for the network while offline. */
  #wait(delayMs: number, why: Partial<Detail> = {}): void {
    const { environment } = this.#options;
    const canReach = this.#canReach();
    const retryInMs = canReach ? delayMs : undefined;
    this.#dueAt = environment.now() + (retryInMs ?? Infinity);
    const signal = this.#enter("reconnecting", { ...why, retryInMs }, true);
    if (signal.aborted || !canReach) return;
    signal.addEventListener("abort", environment.after(delayMs, () => this.#attempt()));
  }

  /** Ends a delay early, except one set by the server; checks a live connection. */
  #retrySoon(): void {
    if (!this.#waits) return this.check();
    const soonMs = this.#shortDelayMs();
    if (this.#options.environment.now() + soonMs < this.#dueAt) this.#wait(soonMs);
  }

  /** Handles the loss of the network, after which an open socket would just go silent. */
  #goOffline(): void {
    const waitsAnyway = this.#waits && this.#canReach();
    if (this.willConnect && !waitsAnyway) this.#wait(this.#shortDelayMs(), OFFLINE);
  }

  #shortDelayMs(): number {
    const floorMs = this.#notBefore - this.#options.environment.now();
    return Math.max(backoffMs(0, this.#options), floorMs);
  }

  #canReach(): boolean {
    return isLoopback(this.#url) || this.#options.environment.isOnline();
  }

  /** Ends the phase and starts the next; returns the signal of the new phase. */
  #enter(state: SocketState, detail: Partial<Detail>, waits = false): AbortSignal {
    this.#phase.abort();
    this.#phase = new AbortController();
    const { signal } = this.#phase;
    this.#waits = waits;
    this.#pulse?.stop();
    this.#pulse = undefined;
    this.#socket?.close(state === "closed" ? 1000 : undefined);
    this.#socket = undefined;
    if (state === "closed") { for (const unlisten of this.#unlisten) unlisten(); }
    this.#show(state, { ...this.#detail, retryInMs: undefined, ...detail });
    return signal;
  }

  #show(state: SocketState, detail: Detail): void {
    this.#state = state;
    this.#detail = detail;
    this.#events.change(state, detail);
  }
}
