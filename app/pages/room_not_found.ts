import { HttpError } from "fresh";

/** Thrown when a URL has an invalid room name. */
export class RoomNotFound extends HttpError {
  /** The invalid name. */
  readonly room: string;

  constructor(room: string) {
    super(404);
    this.room = room;
  }
}
