import type { Messages } from "../../protocol/mod.ts";
import { SUBPROTOCOL, TICKET_PREFIX } from "../../protocol/limits.ts";
import { retryPauseMs } from "../../time/retry_pause.ts";
import { askWhy } from "./_ask_why.ts";
import { backoffMs } from "../backoff.ts";
import type { ConnectOptions } from "../connect_options.ts";
import { type ClientEnvironment, type ClientWebSocket, isLoopback } from "../environment.ts";
import { type LinkOptions, toLinkOptions } from "./_link_options.ts";
import type { RealtimeSocket, SocketState } from "../realtime_socket.ts";
import { type Pulse, startPulse } from "./_pulse.ts";
import { judgeClose, judgeResponse, type Verdict } from "./_verdict.ts";
import { ABNORMAL, watchSocket } from "./_watch_socket.ts";

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

/** The detail of a connection without a problem. */
const QUIET: Detail = { attempt: 0, retryInMs: undefined, code: undefined, reason: "" };

const OFFLINE = { code: undefined, reason: "The machine is offline" };

/**
 * Maintains one connection: opens it, finds out why it was refused, and opens it again.
 *
 * It is in one phase at a time (attempt, live connection, delay, end). Each phase has a signal that
 * the next one aborts, so late events of an earlier phase have no effect.
 */
export class Link {
  readonly #url: string;
  readonly #environment: ClientEnvironment;
  readonly #options: LinkOptions;
  readonly #events: LinkEvents;
  readonly #unlisten: (() => void)[];
  #phase = new AbortController();
  #socket: ClientWebSocket | undefined;
  #state: SocketState = "connecting";
  #detail = QUIET;
  #failures = 0;
  #pulse: Pulse | undefined;
  #waits = false;
  /** Time of the next attempt; `Infinity` while offline. */
  #dueAt = 0;
  #notBefore = 0;

  constructor(
    url: string,
    environment: ClientEnvironment,
    options: ConnectOptions,
    events: LinkEvents,
  ) {
    this.#url = url;
    this.#environment = environment;
    this.#options = toLinkOptions(environment, options);
    this.#events = events;
    const { listen } = environment;
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
    if (this.#state !== "closed") this.#enter("closed", QUIET);
  }

  #attempt(): void {
    const { ticket, openTimeoutMs } = this.#options;
    const state = this.#state === "connecting" ? this.#state : "reconnecting";
    const signal = this.#enter(state, { attempt: this.#detail.attempt + 1 });
    if (signal.aborted) return;
    const reason = `No connection within ${openTimeoutMs} ms`;
    const stopTimer = this.#after(openTimeoutMs, () => this.#follow({ next: "retry", reason }));
    this.#decide(signal, async () => {
      const protocols = [SUBPROTOCOL];
      if (ticket) protocols.push(TICKET_PREFIX + await ticket());
      if (!signal.aborted) this.#dial(protocols, signal, stopTimer);
    });
  }

  #dial(protocols: string[], signal: AbortSignal, stopTimer: () => void): void {
    const { now, WebSocket } = this.#environment;
    const socket = this.#socket = new WebSocket(this.#url, protocols);
    let liveSince: number | undefined;
    const ended = (code: number, reason: string) => {
      if (liveSince === undefined) {
        return this.#decide(signal, () => askWhy(this.#url, this.#options, signal));
      }
      if (now() - liveSince >= this.#options.stableAfterMs) this.#failures = 0;
      this.#follow(judgeClose(code, reason, this.#options));
    };
    watchSocket(socket, signal, {
      ended,
      after: (ms, callback) => this.#after(ms, callback),
      opened: () => {
        stopTimer();
        liveSince = now();
        const lost = () => ended(ABNORMAL, "The connection went silent");
        this.#pulse = startPulse(this.#environment, this.#events.ping, lost);
        this.#show("live", QUIET);
      },
      message: (data) => {
        this.#pulse?.heard();
        if (typeof data === "string") this.#events.text(data);
      },
    });
  }

  /** Follows the verdict of `work`, or its error, unless another phase has begun. */
  async #decide(signal: AbortSignal, work: () => Promise<Verdict | void>): Promise<void> {
    let verdict: Verdict | void;
    try {
      verdict = await work();
    } catch (error) {
      verdict = error instanceof Response
        ? await judgeResponse(error, this.#options)
        : { next: "retry", reason: error instanceof Error ? error.message : String(error) };
    }
    if (verdict && !signal.aborted) this.#follow(verdict);
  }

  #follow({ next, code, reason, waitMs }: Verdict): void {
    if (next !== "retry") {
      if (code === "ORIGIN_NOT_ALLOWED") console.warn(`${this.#url}: ${reason}`);
      this.#enter(next, { code, reason });
      return;
    }
    const { now, isHidden } = this.#environment;
    this.#notBefore = now() + (waitMs ?? 0);
    const floorMs = this.#failures && retryPauseMs(this.#failures, FLOOR);
    const hiddenMs = this.#failures && isHidden() ? this.#options.maxDelayMs : 0;
    const delayMs = waitMs ?? backoffMs(this.#failures, this.#options);
    this.#failures += 1;
    this.#wait(Math.max(delayMs, floorMs, hiddenMs), { code, reason });
  }

  /** Waits for the next attempt, or for the network while offline. */
  #wait(delayMs: number, why?: Partial<Detail>): void {
    const retryInMs = this.#canReach() ? delayMs : undefined;
    this.#dueAt = this.#environment.now() + (retryInMs ?? Infinity);
    const signal = this.#enter("reconnecting", { ...why, retryInMs }, true);
    if (!signal.aborted && retryInMs !== undefined) this.#after(retryInMs, () => this.#attempt());
  }

  /** Calls back after `ms` milliseconds, unless the phase ends first. */
  #after(ms: number, callback: () => void): () => void {
    const stop = this.#environment.after(ms, callback);
    this.#phase.signal.addEventListener("abort", stop);
    return stop;
  }

  /** Ends a delay early, except one set by the server; checks a live connection. */
  #retrySoon(): void {
    if (!this.#waits) return this.check();
    const soonMs = this.#shortDelayMs();
    if (this.#environment.now() + soonMs < this.#dueAt) this.#wait(soonMs);
  }

  /** Handles the loss of the network, after which an open socket would just go silent. */
  #goOffline(): void {
    const waitsAnyway = this.#waits && this.#canReach();
    if (this.willConnect && !waitsAnyway) this.#wait(this.#shortDelayMs(), OFFLINE);
  }

  #shortDelayMs(): number {
    const floorMs = this.#notBefore - this.#environment.now();
    return Math.max(backoffMs(0, this.#options), floorMs);
  }

  #canReach(): boolean {
    return isLoopback(this.#url) || this.#environment.isOnline();
  }

  /** Ends the phase and starts the next; returns the signal of the new phase. */
  #enter(state: SocketState, detail: Partial<Detail>, waits = false): AbortSignal {
    this.#phase.abort();
    const { signal } = this.#phase = new AbortController();
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
