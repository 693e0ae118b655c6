/** A time with its date unless it is today: in the reader's time zone, or in UTC on the server. */
export function Time({ at }: { readonly at: string }) {
  return <time datetime={at} title={allFormats().full.format(new Date(at))}>{timeWords(at)}</time>;
}

/** Formats a time briefly, such as "5:32 PM". */
export function timeWords(at: string): string {
  const { time, dateAndTime } = allFormats();
  const date = new Date(at);
  const isToday = date.toDateString() === new Date().toDateString();
  return (isToday ? time : dateAndTime).format(date);
}

let formats: ReturnType<typeof createFormats> | undefined;

/** Formats are slow to create, so they are created once, at the first use. */
function allFormats() {
  return formats ??= createFormats();
}

function createFormats() {
  const isServer = typeof document === "undefined";
  const zone = isServer ? { timeZone: "UTC", timeZoneName: "short" } as const : {};
  const clock = { hour: "numeric", minute: "2-digit", ...zone } as const;
  return {
    time: new Intl.DateTimeFormat(undefined, clock),
    dateAndTime: new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", ...clock }),
    full: new Intl.DateTimeFormat(undefined, {
      dateStyle: "medium",
      timeStyle: "medium",
      ...isServer ? { timeZone: "UTC" } : {},
    }),
  };
}
