import { useEffect, useMemo, useReducer } from "preact/hooks";
import { RenderGate } from "./render_gate.ts";
import { type Before, openRoom, reduceAll, type RoomAction, type RoomState } from "./room_state.ts";

/** Shortest time between two updates of the page, in milliseconds, so that typing stays responsive. */
const RENDER_MS = 100;

/** A room whose page is updated at most every 100 ms, however many messages arrive. */
export interface GatedRoom {
  readonly state: RoomState;
  /** Dispatches an action of others; shown with the next update. */
  readonly dispatch: (action: RoomAction) => void;
  /** Dispatches an action of this user; shown at once. */
  readonly dispatchNow: (action: RoomAction) => void;
}

/** Keeps the state of a room, which begins with what was said before. */
export function useGatedRoom(you: RoomState["you"], before: Before): GatedRoom {
  const [state, apply] = useReducer(reduceAll, { you, before }, openRoom);
  const gate = useMemo(() => new RenderGate<RoomAction>(apply, { intervalMs: RENDER_MS }), []);
  useEffect(() => () => gate.stop(), [gate]);
  return {
    state,
    dispatch: (action) => gate.add(action),
    dispatchNow: (action) => {
      gate.add(action);
      gate.flush();
    },
  };
}
