import { isSendableCloseCode } from "../protocol/mod.ts";
import { CloseCode } from "../protocol/mod.ts";
import type { Log, Socket } from "../scope.ts";
import { truncateReason } from "./close_reason.ts";

/** The way to the peer: keeps what is sent before the socket is open, and never throws. */
export class Outbox {
  readonly #log: Log;
  #socket: Socket | undefined;
  #isOpen = false;
  #unsent: (string | Uint8Array)[] = [];
  #unsentBytes = 0;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Bytes that wait for the peer. */
  get bufferedAmount(): number {
    return this.#unsentBytes + (this.#socket?.bufferedAmount ?? 0);
  }

  attach(socket: Socket): void {
    this.#socket = socket;
  }

  /** Sends what was kept, and from now on at once. */
  open(): void {
    this.#isOpen = true;
    const unsent = this.#unsent;
    this.drop();
    for (const data of unsent) this.send(data);
  }

  /** Sends a message, or returns false: the socket took it not. */
  send(data: string | Uint8Array): boolean {
    if (!this.#isOpen) {
      this.#unsent.push(data);
      this.#unsentBytes += data.length;
      return true;
    }
    try {
      this.#socket!.send(data);
      return true;
    } catch (error) {
      this.#log.debug("A socket refused a message", { error });
      return false;
    }
  }

  /** Forgets what was kept. */
  drop(): void {
    this.#unsent = [];
    this.#unsentBytes = 0;
  }

  /** Begins the closing handshake. */
  close(code: number, reason: string): void {
    const sendable = isSendableCloseCode(code) ? code : CloseCode.internalError;
    try {
      this.#socket?.close(sendable, truncateReason(reason));
    } catch (error) {
      this.#log.debug("A socket refused to close", { error });
    }
  }
}
