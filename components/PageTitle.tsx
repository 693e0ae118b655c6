import { Head } from "fresh/runtime";

/** Properties of {@linkcode PageTitle}. */
export interface PageTitleProps {
  /** What the page is, from the particular to the general. */
  readonly of: readonly string[];
  /** Whether it says that something failed: the title is what is announced first. */
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
