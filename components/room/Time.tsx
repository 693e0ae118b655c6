/** A moment in the reader's own zone, with its date unless that is today's. For the browser alone. */
export function Time({ at }: { readonly at: string }) {
  const { time, dateAndTime, full } = formats ??= createFormats();
  const date = new Date(at);
  const isToday = date.toDateString() === new Date().toDateString();
  const short = isToday ? time : dateAndTime;
  return <time datetime={at} title={full.format(date)}>{short.format(date)}</time>;
}

let formats: ReturnType<typeof createFormats> | undefined;

/** Made once, at the first use: they are slow to make. */
function createFormats() {
  const clock = { hour: "numeric", minute: "2-digit" } as const;
  return {
    time: new Intl.DateTimeFormat(undefined, clock),
    dateAndTime: new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", ...clock }),
    full: new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" }),
  };
}
