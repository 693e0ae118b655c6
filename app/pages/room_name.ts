/** Returns whether a room name is valid. The socket route has the same rule (`realtime.ts`). */
export function isRoomName(name: string): boolean {
  return /^[A-Za-z0-9_-]{1,64}$/.test(name);
}
