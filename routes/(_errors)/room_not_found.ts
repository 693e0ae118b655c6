import { HttpError } from "fresh";

/** Thrown if an address has a name that no room can have. */
export class RoomNotFound extends HttpError {
  /** The name. */
  readonly room: string;

  constructor(room: string) {
    super(404);
    this.room = room;
  }
}
