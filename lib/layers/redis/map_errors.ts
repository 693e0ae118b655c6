import { RedisError } from "../../redis/errors.ts";
import { closedError, LayerError } from "../layer_error.ts";

/** Settles as `work` does, with a {@linkcode LayerError} in place of an error of the Redis client. */
export async function mapErrors<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw error instanceof RedisError ? layerErrorOf(error) : error;
  }
}

function layerErrorOf({ code, message, cause }: RedisError): LayerError {
  return code === "CLOSED" ? closedError() : new LayerError(code, message, { cause });
}
