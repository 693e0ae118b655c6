import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Entry } from "./room_state.ts";

/** Distance from the end that still counts as the end, in pixels. */
const NEAR = 40;

/** A list that follows its end, unless the user has scrolled up. */
export interface StickyList {
  readonly ref: RefObject<HTMLDivElement>;
  /** The number of new messages since the user scrolled up. */
  readonly unread: number;
  readonly scrollToEnd: () => void;
}

/** Keeps the end of a list in view if it was in view before; your own messages are always shown. */
export function useStickToBottom(entries: readonly Entry[], you: string): StickyList {
  const ref = useRef<HTMLDivElement>(null);
  const isAtEnd = useRef(true);
  const seen = useRef(new Set<string>());
  const anchor = useRef<Anchor>();
  const [unread, setUnread] = useState(0);

  function scrollToEnd() {
    const list = ref.current;
    if (list) list.scrollTop = list.scrollHeight;
    isAtEnd.current = true;
    setUnread(0);
  }

  useEffect(() => {
    const list = ref.current!;
    const onScroll = () => {
      isAtEnd.current = list.scrollHeight - list.scrollTop - list.clientHeight < NEAR;
      if (isAtEnd.current) setUnread(0);
      anchor.current = isAtEnd.current ? undefined : findAnchor(list);
    };
    const onResize = () => {
      if (isAtEnd.current) list.scrollTop = list.scrollHeight;
    };
    const observer = new ResizeObserver(onResize);
    observer.observe(list);
    list.addEventListener("scroll", onScroll, { passive: true });
    return () => {
      observer.disconnect();
      list.removeEventListener("scroll", onScroll);
    };
  }, []);

  useLayoutEffect(() => {
    const added = entries.filter((entry) => !seen.current.has(entry.key) && !isOlder(entry));
    seen.current = new Set(entries.map(({ key }) => key));
    const isYourOwn = added.some((entry) =>
      entry.kind === "line" && entry.status === "pending" && entry.user.id === you
    );
    if (isAtEnd.current || isYourOwn) return scrollToEnd();
    restore(ref.current!, anchor.current);
    if (added.length > 0) setUnread((count) => count + added.length);
  });

  return { ref, unread, scrollToEnd };
}

/** An element in view and its distance from the top of the list. */
interface Anchor {
  readonly element: HTMLElement;
  readonly top: number;
}

function findAnchor(list: HTMLElement): Anchor | undefined {
  for (const element of list.querySelectorAll<HTMLElement>("article")) {
    const top = element.offsetTop - list.scrollTop;
    if (top + element.offsetHeight > 0) return { element, top };
  }
}

/** Keeps an element at its place when messages above it were added or removed. */
function restore(list: HTMLElement, anchor: Anchor | undefined): void {
  if (anchor?.element.isConnected) list.scrollTop = anchor.element.offsetTop - anchor.top;
}

function isOlder(entry: Entry): boolean {
  return entry.kind === "line" && entry.isOlder === true;
}
