import { useEffect, useState } from "preact/hooks";

/** Counts down to a moment (milliseconds since the epoch), in whole seconds. */
export function useSecondsUntil(moment: number | undefined): number | undefined {
  const [now, setNow] = useState(0);
  useEffect(() => {
    if (moment === undefined) return;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 250);
    return () => clearInterval(timer);
  }, [moment]);
  if (moment === undefined) return undefined;
  return Math.max(0, Math.ceil((moment - (now || Date.now())) / 1000));
}
