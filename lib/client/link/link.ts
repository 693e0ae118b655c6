import { askWhy } from "./_ask_why.ts";
import { backoffMs } from "../backoff.ts";
import { type ClientEnvironment, type ClientWebSocket, isLoopback } from "../environment.ts";
import { type Detail, type LinkEvents, type LinkOptions, QUIET } from "./link_options.ts";
import { openHttp, openWebSocket } from "./_open.ts";
import type { SocketState } from "../realtime_socket.ts";
import { type Pulse, startPulse } from "./_pulse.ts";
import { judgeClose, judgeResponse, type Verdict } from "./_verdict.ts";
import { ABNORMAL, watchSocket } from "./_watch_socket.ts";

const OPEN = 1;

/** Failures of WebSockets, while plain HTTP works, after which plain HTTP is used. */
const MAX_BROKEN = 2;

/** Limits of the minimum delay after a failure, whatever the options say, in milliseconds. */
const FLOOR_MS = 100;
const MAX_FLOOR_MS = 1_000;

const OFFLINE = { code: undefined, reason: "The machine is offline" };

/**
 * Maintains one connection: opens it, finds out why it was refused, and opens it again.
 *
 * It is in one phase at a time (attempt, live connection, delay, end). Each phase has a signal that
 * the next one aborts, so late events of an earlier phase have no effect.
 */
export class Link {
  /** Changed here alone. */
  state: SocketState = "connecting";
  /** Changed here alone. */
  detail = QUIET;
  readonly #environment: ClientEnvironment;
  readonly #options: LinkOptions;
  readonly #events: LinkEvents;
  readonly #unlisten: (() => void)[];
  #phase = new AbortController();
  #socket: ClientWebSocket | undefined;
  #failures = 0;
  /** Failures in a row that point to a proxy between client and server. */
  #broken = 0;
  #pulse: Pulse | undefined;
  #waits = false;
  /** Time of the next attempt; `Infinity` while offline. */
  #dueAt = 0;
  #notBefore = 0;

  constructor(options: LinkOptions, events: LinkEvents) {
    this.#environment = options.environment;
    this.#options = options;
    this.#events = events;
    const { listen } = this.#environment;
    this.#unlisten = [
      listen("online", () => this.#retrySoon()),
      listen("visible", () => this.#retrySoon()),
      listen("offline", () => this.#goOffline()),
    ];
  }

  /** Whether a message can be sent now. */
  get isOpen(): boolean {
    return this.state === "live" && this.#socket?.readyState === OPEN;
  }

  /** Whether it will connect or reconnect by itself. */
  get willConnect(): boolean {
    return /ing$|live/.test(this.state); // connecting, reconnecting
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
    if (this.state === "signed-out" || this.state === "refused") {
      this.#failures = 0;
      this.state = "connecting";
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
    if (this.state !== "closed") this.#enter("closed", QUIET);
  }

  #attempt(): void {
    const { openTimeoutMs } = this.#options;
    const state = this.state === "connecting" ? this.state : "reconnecting";
    const signal = this.#enter(state, { attempt: this.detail.attempt + 1 });
    if (signal.aborted) return;
    const reason = `No connection within ${openTimeoutMs} ms`;
    const late: Verdict = { next: "retry", reason, isBroken: true };
    const stopTimer = this.#after(openTimeoutMs, () => this.#follow(late));
    this.#decide(signal, async () => {
      const isHttp = this.#broken >= MAX_BROKEN;
      const opening = isHttp ? this.#openHttp(signal) : openWebSocket(this.#options, signal);
      this.#watch(opening instanceof Promise ? await opening : opening, signal, stopTimer, isHttp);
    });
  }

  /** Uses plain HTTP, and a WebSocket again once one works. */
  #openHttp(signal: AbortSignal): Promise<ClientWebSocket> {
    this.#broken = 0; // If plain HTTP fails, too, a WebSocket is next.
    const moveBack = () => {
      this.#broken = 0;
      this.#attempt();
    };
    return openHttp(this.#options, signal, { isIdle: this.#events.isIdle, moveBack });
  }

  #watch(
    socket: ClientWebSocket,
    signal: AbortSignal,
    stopTimer: () => void,
    isHttp: boolean,
  ): void {
    const { now } = this.#environment;
    this.#socket = socket;
    let liveSince: number | undefined;
    const ended = (code: number, reason: string) => {
      if (liveSince === undefined) {
        return this.#decide(signal, () => askWhy(this.#options, signal));
      }
      if (now() - liveSince >= this.#options.stableAfterMs) this.#failures = 0;
      if (!isHttp && code !== ABNORMAL) this.#broken = 0;
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
        // Until a message has arrived: proxies also break sockets that they have opened.
        this.#broken = isHttp ? MAX_BROKEN : this.#broken + 1;
        this.#show("live", { ...QUIET, transport: isHttp ? "http" : "websocket" });
      },
      message: (data) => {
        this.#pulse?.heard();
        if (!isHttp) this.#broken = 0;
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

  #follow({ next, code, reason, waitMs, isBroken }: Verdict): void {
    if (isBroken) this.#broken++;
    if (next !== "retry") {
      if (code === "ORIGIN_NOT_ALLOWED") console.warn(`${this.#options.url}: ${reason}`);
      this.#enter(next, { code, reason });
      return;
    }
    const { now, isHidden } = this.#environment;
    this.#notBefore = now() + (waitMs ?? 0);
    const floorMs = this.#failures && Math.min(MAX_FLOOR_MS, FLOOR_MS * 2 ** this.#failures);
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
    return isLoopback(this.#options.url) || this.#environment.isOnline();
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
    this.#show(state, { ...this.detail, retryInMs: undefined, ...detail });
    return signal;
  }

  #show(state: SocketState, detail: Detail): void {
    this.state = state;
    this.detail = detail;
    this.#events.change(state, detail);
  }
}
