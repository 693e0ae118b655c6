import { ScaffoldError } from "./scaffold_error.ts";

/** Longest name of a consumer, in characters. */
export const MAX_NAME_LENGTH = 32;

/** What a new consumer and its parts are called. */
export interface ConsumerNames {
  /** `price_feed` */
  readonly name: string;
  /** `priceFeed` */
  readonly camel: string;
  /** `PriceFeed` */
  readonly pascal: string;
  /** Where it is mounted: `/ws/price_feed`. */
  readonly path: string;
}

/**
 * Reads the name of a new consumer.
 *
 * @throws {ScaffoldError} It is none.
 */
export function parseConsumerName(name: string): ConsumerNames {
  if (!/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/.test(name) || name.length > MAX_NAME_LENGTH) {
    throw new ScaffoldError(
      `Cannot name a consumer ${
        JSON.stringify(name)
      }: a name is small letters, digits and single ` +
        `underscores, begins with a letter, and has ${MAX_NAME_LENGTH} characters at most.`,
    );
  }
  if (/(^|_)consumer$/.test(name)) {
    throw new ScaffoldError(
      `Cannot name a consumer "${name}": leave out the word "consumer", which is added to it.`,
    );
  }
  const pascal = name.split("_").map((word) => word[0]!.toUpperCase() + word.slice(1)).join("");
  const camel = pascal[0]!.toLowerCase() + pascal.slice(1);
  return { name, camel, pascal, path: `/ws/${name}` };
}
