/**
 * The format of properties sent to the browser. Each value has a position in one list. A value is a
 * JSON primitive, or a list whose first item is one of these.
 */
export type Special =
  /** array of positions */
  | "a"
  /** object: pairs of name and position */
  | "o"
  /** number without a JSON form */
  | "n"
  | "b"
  | "d"
  | "u"
  /** regular expression: source and flags */
  | "r"
  /** bytes in Base64 */
  | "y"
  | "s"
  | "m"
  /** Temporal: class and text */
  | "t"
  /** signal: position of its value */
  | "g"
  /** computed signal: position of its value */
  | "c"
  /** JSX: number and name of the slot */
  | "l";

/** The position of `undefined`. */
export const UNDEFINED = -1;

/** The position of a gap in an array. */
export const HOLE = -2;
