import type { ComponentChildren } from "preact";

/** Properties of {@linkcode Notice}. */
export interface NoticeProps {
  /** Whether it reports a failure. */
  readonly isWrong?: boolean;
  readonly children: ComponentChildren;
}

/**
 * The result of a form, or the reason why it failed. It has the focus when the page opens, with or
 * without scripts: a screen reader reads it, and the keyboard continues from there.
 */
export function Notice({ isWrong = false, children }: NoticeProps) {
  return (
    <p class={isWrong ? "notice wrong" : "notice"} role="status" tabIndex={-1} autofocus>
      {children}
    </p>
  );
}
