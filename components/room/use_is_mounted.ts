import { useEffect, useState } from "preact/hooks";

/** Returns false while the page is as the server rendered it, which does not know the time zone. */
export function useIsMounted(): boolean {
  const [isMounted, setMounted] = useState(false);
  useEffect(() => setMounted(true), []);
  return isMounted;
}
