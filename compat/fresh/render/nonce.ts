const nonces = new WeakMap<Response, string>();

/** Remembers which nonce a rendered page's inline scripts and styles carry. */
export function setNonce(response: Response, nonce: string): void {
  nonces.set(response, nonce);
}

/** The nonce of a rendered page; `undefined` for every other response. */
export function nonceOf(response: Response): string | undefined {
  return nonces.get(response);
}
