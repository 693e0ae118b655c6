/** Thrown when nothing was written. Its message is one sentence for the user. */
export class ScaffoldError extends Error {
  override readonly name = "ScaffoldError";
}

/** Maximum length of a consumer's name, in characters. */
export const MAX_NAME_LENGTH = 32;

/** The names of a new consumer and its parts. */
export interface ConsumerNames {
  /** `price_feed` */
  readonly name: string;
  /** `priceFeed` */
  readonly camel: string;
  /** `PriceFeed` */
  readonly pascal: string;
  /** The path of its route: `/ws/price_feed`. */
  readonly path: string;
}

/**
 * Parses the name of a new consumer.
 *
 * @throws {ScaffoldError} The name is invalid.
 */
export function parseConsumerName(name: string): ConsumerNames {
  if (!/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/.test(name) || name.length > MAX_NAME_LENGTH) {
    throw new ScaffoldError(
      `Cannot name a consumer ${JSON.stringify(name)}: use lowercase letters, digits and single ` +
        `underscores, start with a letter, and use at most ${MAX_NAME_LENGTH} characters.`,
    );
  }
  if (/(^|_)consumer$/.test(name)) {
    throw new ScaffoldError(
      `Cannot name a consumer "${name}": omit the word "consumer", which is added automatically.`,
    );
  }
  const pascal = name.split("_").map((word) => word[0]!.toUpperCase() + word.slice(1)).join("");
  const camel = pascal[0]!.toLowerCase() + pascal.slice(1);
  return { name, camel, pascal, path: `/ws/${name}` };
}
