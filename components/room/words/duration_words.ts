import { counted } from "../../counted.ts";

const UNITS = [["hour", 3_600_000], ["minute", 60_000], ["second", 1_000]] as const;

/** Formats a duration in its largest unit, rounded up, as at least one second. */
export function durationWords(ms: number): string {
  const [unit, unitMs] = UNITS.find(([, unitMs]) => ms >= unitMs) ?? UNITS[2];
  return counted(Math.max(1, Math.ceil(ms / unitMs)), unit);
}
