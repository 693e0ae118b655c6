/** Headers of a page that says something else to each person: no cache keeps it. */
export const PRIVATE: HeadersInit = { "cache-control": "private, no-store" };
