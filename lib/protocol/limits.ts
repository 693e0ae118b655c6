/** The subprotocol of Sluice's JSON frames: one or more per message, one per line. */
export const SUBPROTOCOL = "sluice.v1";

/** Prefix of a ticket offered among the subprotocols beside {@linkcode SUBPROTOCOL}. */
export const TICKET_PREFIX = "sluice.ticket.";

/** Longest `type` of a frame, in UTF-16 code units. */
export const MAX_TYPE_LENGTH = 64;

/** Longest `id` of a frame, in UTF-16 code units. */
export const MAX_ID_LENGTH = 64;

/** Longest `key` of a frame. */
export const MAX_KEY_LENGTH = 64;

/** Number of invalid frames within {@linkcode INVALID_WINDOW_MS} that closes the socket. */
export const MAX_INVALID_FRAMES = 20;

/** The window in which invalid frames are counted, in milliseconds. */
export const INVALID_WINDOW_MS = 60_000;

/** Longest close reason that a close frame can hold, in bytes of UTF-8 (RFC 6455 §5.5). */
export const MAX_CLOSE_REASON_BYTES = 123;
