/** The subprotocol that carries Sluice's frames: JSON, one or more a message, one per line. */
export const SUBPROTOCOL = "sluice.v1";

/** What a ticket begins with where it is offered beside {@linkcode SUBPROTOCOL}. */
export const TICKET_PREFIX = "sluice.ticket.";

/** Longest `type` of a frame, in UTF-16 code units. */
export const MAX_TYPE_LENGTH = 64;

/** Longest `id` of a frame, in UTF-16 code units. */
export const MAX_ID_LENGTH = 64;

/** Frames that are not valid within {@linkcode INVALID_WINDOW_MS} before the socket is closed. */
export const MAX_INVALID_FRAMES = 20;

/** The window in which frames that are not valid are counted, in milliseconds. */
export const INVALID_WINDOW_MS = 60_000;

/** Longest close reason that fits into a close frame, in bytes of UTF-8 (RFC 6455 §5.5). */
export const MAX_CLOSE_REASON_BYTES = 123;
