/** Longest text of one message: what the server takes (`consumers/chat_messages.ts`). */
export const MAX_TEXT_LENGTH = 2000;
