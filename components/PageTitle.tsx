import { Head } from "fresh/runtime";

/** Properties of {@linkcode PageTitle}. */
export interface PageTitleProps {
  /** The parts of the title, from the specific to the general. */
  readonly of: readonly string[];
  /** Whether the page reports a failure: screen readers announce the title first. */
  readonly isError?: boolean;
}

/** The title of a page. */
export function PageTitle({ of, isError = false }: PageTitleProps) {
  const title = [...of, "Sluice"].join(" · ");
  return (
    <Head>
      <title>{isError ? `Error: ${title}` : title}</title>
    </Head>
  );
}
