import type { Connection, ConnectionEnd, EndListener } from "@sluice/sluice/consumers";

/** A connection without a server, for what is tied to one: it is open until it is ended. */
export function fakeConnection(): Connection & { readonly sent: (string | Uint8Array)[] } {
  const listeners = new Set<EndListener>();
  const tell = (listener: EndListener, end: ConnectionEnd) =>
    typeof listener === "function" ? listener(end) : listener.ended(end);
  const sent: (string | Uint8Array)[] = [];
  let end: ConnectionEnd | undefined;
  const nothing = () => {};
  return {
    id: "fake",
    log: { debug: nothing, info: nothing, warn: nothing, error: nothing },
    get phase() {
      return end === undefined ? "open" as const : "ended" as const;
    },
    lastReceivedAt: 0,
    bufferedAmount: 0,
    sent,
    accept: nothing,
    acceptRequest: () => ({ respond: nothing, drained: () => Promise.resolve() }),
    refuse: nothing,
    takeMessage: () => true,
    takePing: () => true,
    send: (data) => end === undefined && sent.push(data) > 0,
    sendFrame(frame) {
      return this.send(frame);
    },
    end(code, reason = "") {
      if (end !== undefined) return;
      end = { code, reason, byServer: true };
      for (const listener of listeners) tell(listener, end);
    },
    onEnd(listener) {
      if (end !== undefined) tell(listener, end);
      else listeners.add(listener);
    },
    offEnd: (listener) => listeners.delete(listener),
    scopeChanged: nothing,
    deliver: () => true,
    gap: nothing,
    after: () => nothing,
  };
}
