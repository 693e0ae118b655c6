import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { counted } from "../counted.ts";

/** Properties of {@linkcode OlderMessages}. */
export interface OlderMessagesProps {
  /** The element that scrolls. */
  readonly list: RefObject<HTMLElement>;
  /** Loads older messages, and resolves with their number. */
  readonly load: () => Promise<number>;
}

/** Distance from the top at which older messages are loaded, in pixels. */
const NEAR = 200;

/** Loads older messages when the list is scrolled up, or with its button. */
export function OlderMessages({ list, load }: OlderMessagesProps) {
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
      if (element.scrollTop < NEAR) loadMore();
    };
    element.addEventListener("scroll", onScroll, { passive: true });
    return () => element.removeEventListener("scroll", onScroll);
  }, [load]);

  return (
    <div class="older">
      <button type="button" class="button small quiet" onClick={() => loadMore()}>
        Show older messages
      </button>
      <p class="visually-hidden" role="status">{words}</p>
    </div>
  );
}
