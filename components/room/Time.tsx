let formats: { short: Intl.DateTimeFormat; full: Intl.DateTimeFormat } | undefined;

/** A moment in the reader's own zone. For what is drawn in the browser alone. */
export function Time({ at }: { readonly at: string }) {
  const { short, full } = formats ??= {
    short: new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" }),
    full: new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" }),
  };
  const date = new Date(at);
  return <time datetime={at} title={full.format(date)}>{short.format(date)}</time>;
}
