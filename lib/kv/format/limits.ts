/** Most bytes of an encoded key. */
export const MAX_KEY_BYTES = 2_048;

/** Most bytes of a value, by `sizeOf` of {@linkcode copyValue}. */
export const MAX_VALUE_BYTES = 65_000;

/** Most levels of arrays and objects in a value. */
export const MAX_DEPTH = 200;

/** Most conditions of an atomic operation. */
export const MAX_CHECKS = 10;

/** Most writes of an atomic operation. */
export const MAX_MUTATIONS = 500;

/** Most bytes of the keys and values of an atomic operation. */
export const MAX_TOTAL = 800_000;

/** Most bytes of the keys of an atomic operation. */
export const MAX_KEY_BYTES_TOTAL = 80_000;

/** Most entries in a page. */
export const MAX_PAGE = 1_000;

/** Returns a valid topic. @throws {TypeError} It is not 1 to 200 of `A-Z a-z 0-9 . _ : -`. */
export function checkTopic(topic: string): string {
  if (/^[\w.:-]{1,200}$/.test(topic)) return topic;
  throw new TypeError(`Cannot use "${topic}" as a topic: it has 1 to 200 of A-Z a-z 0-9 . _ : -`);
}
