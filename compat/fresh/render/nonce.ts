const nonces = new WeakMap<Response, string>();

/** Stores the nonce of a rendered page's inline scripts and styles. */
export function setNonce(response: Response, nonce: string): void {
  nonces.set(response, nonce);
}

/** The nonce of a rendered page; `undefined` for every other response. */
export function nonceOf(response: Response): string | undefined {
  return nonces.get(response);
}
