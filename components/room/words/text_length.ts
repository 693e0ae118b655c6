/** Maximum length of a message, in characters, as on the server (`consumers/chat_messages.ts`). */
export const MAX_TEXT_LENGTH = 2000;

/** Counts characters (Unicode code points) as the server does: an emoji may be one or several. */
export function countCharacters(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}
