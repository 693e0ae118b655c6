/** Headers of a page that differs per user and must not be cached. */
export const PRIVATE: HeadersInit = { "cache-control": "private, no-store" };
