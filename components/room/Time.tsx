/** A time in the reader's time zone, with the date unless it is today. For the browser only. */
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
  const clock = { hour: "numeric", minute: "2-digit" } as const;
  return {
    time: new Intl.DateTimeFormat(undefined, clock),
    dateAndTime: new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", ...clock }),
    full: new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" }),
  };
}
