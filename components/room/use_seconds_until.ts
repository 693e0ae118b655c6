import { useEffect, useState } from "preact/hooks";

/** Counts down to a time (milliseconds since the epoch), in whole seconds. */
export function useSecondsUntil(moment: number): number {
  const leftMs = Math.max(0, moment - Date.now());
  const [, setTick] = useState(0);
  useEffect(() => {
    if (leftMs === 0) return;
    const timer = setTimeout(() => setTick((tick) => tick + 1), leftMs % 1000 || 1000);
    return () => clearTimeout(timer);
  }, [moment, leftMs]);
  return Math.ceil(leftMs / 1000);
}
