import type { RefObject } from "preact";
import { useEffect } from "preact/hooks";

/**
 * Keeps the keyboard focus in use: if an update of the page removes the focused element from
 * `container`, the focus moves to `target` instead of falling to the document (WCAG 2.4.3).
 */
export function useFocusRescue(
  container: RefObject<HTMLElement>,
  target: RefObject<HTMLElement>,
): void {
  useEffect(() => {
    const root = container.current;
    if (root === null) return;
    let focused: Element | undefined;
    const onFocusIn = (event: FocusEvent) => focused = event.target as Element;
    // Some browsers blur an element while it is being removed, so check after the removal.
    const onFocusOut = () =>
      queueMicrotask(() => {
        if (focused?.isConnected && focused !== document.activeElement) focused = undefined;
      });
    const observer = new MutationObserver(() => {
      if (focused === undefined || focused.isConnected) return;
      focused = undefined;
      if (document.activeElement === document.body) target.current?.focus();
    });
    observer.observe(root, { childList: true, subtree: true });
    root.addEventListener("focusin", onFocusIn);
    root.addEventListener("focusout", onFocusOut);
    return () => {
      observer.disconnect();
      root.removeEventListener("focusin", onFocusIn);
      root.removeEventListener("focusout", onFocusOut);
    };
  }, []);
}
