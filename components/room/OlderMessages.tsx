import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { counted } from "../counted.ts";

/** Properties of {@linkcode OlderMessages}. */
export interface OlderMessagesProps {
  /** The element that scrolls. */
  readonly list: RefObject<HTMLElement>;
  /** Loads older messages, and resolves with their number. */
  readonly load: () => Promise<number>;
  /** Whether there are any. */
  readonly hasOlder: boolean;
}

/** Distance from the top at which older messages are loaded, in pixels. */
const NEAR = 200;

/** Loads older messages when the list is scrolled up, or with its button. */
export function OlderMessages({ list, load, hasOlder }: OlderMessagesProps) {
  const [words, setWords] = useState("");
  const isLoading = useRef(false);

  async function loadMore() {
    if (isLoading.current) return;
    isLoading.current = true;
    setWords("Loading older messages…");
    try {
      setWords(`${counted(await load(), "older message")} loaded`);
    } catch {
      setWords("Older messages can't be loaded now");
    } finally {
      isLoading.current = false;
    }
  }

  useEffect(() => {
    const element = list.current!;
    const onScroll = () => {
      if (hasOlder && element.scrollTop < NEAR) loadMore();
    };
    element.addEventListener("scroll", onScroll, { passive: true });
    return () => element.removeEventListener("scroll", onScroll);
  }, [load, hasOlder]);

  return (
    <div class="older">
      {hasOlder && <OlderButton list={list} onClick={loadMore} />}
      <p class="visually-hidden" role="status">{words}</p>
    </div>
  );
}

interface OlderButtonProps {
  readonly list: RefObject<HTMLElement>;
  readonly onClick: () => void;
}

/** If it has the focus when it disappears, the list gets it: there the user goes on reading. */
function OlderButton({ list, onClick }: OlderButtonProps) {
  const button = useRef<HTMLButtonElement>(null);
  useLayoutEffect(() => {
    const element = button.current;
    return () => {
      if (element === document.activeElement) list.current?.focus({ preventScroll: true });
    };
  }, []);
  return (
    <button ref={button} type="button" class="button small quiet" onClick={onClick}>
      Show older messages
    </button>
  );
}
