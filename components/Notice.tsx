import type { ComponentChildren } from "preact";

/** Properties of {@linkcode Notice}. */
export interface NoticeProps {
  /** Whether it says that something failed. */
  readonly isWrong?: boolean;
  readonly children: ComponentChildren;
}

/**
 * Says what a form did, or why it did nothing. It has the focus when the page opens, with or without
 * scripts: a screen reader reads it, and the keyboard goes on from there.
 */
export function Notice({ isWrong = false, children }: NoticeProps) {
  return (
    <p class={isWrong ? "notice wrong" : "notice"} role="status" tabIndex={-1} autofocus>
      {children}
    </p>
  );
}
