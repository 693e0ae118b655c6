/** The content of a page for a request that failed. */
export interface ProblemView {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  /** Where to go from here. */
  readonly action: { readonly href: string; readonly label: string };
  /** Details for developers; never in production. */
  readonly internal?: string | undefined;
}

/** Explains what went wrong, and links to a next step. */
export function ProblemPage({ view }: { readonly view: ProblemView }) {
  const { status, title, detail, action, internal } = view;
  return (
    <section class="page narrow problem">
      <p class="problem-status">{status}</p>
      <h1>{title}</h1>
      <p class="lead">{detail}</p>
      <p class="actions">
        <a class="button" href={action.href} aria-current="false">{action.label}</a>
        {action.href !== "/" && <a class="button quiet" href="/" aria-current="false">Home</a>}
      </p>
      {internal && <pre tabIndex={0}>{internal}</pre>}
    </section>
  );
}
