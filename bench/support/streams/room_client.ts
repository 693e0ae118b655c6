/** A socket of `room_server.ts`. It counts messages, and resolves replies. */
export class RoomClient {
  readonly #socket: WebSocket;
  readonly #replies = new Map<string, (line: string) => void>();
  readonly #said: () => void;
  #id = 0;

  private constructor(url: string, said: () => void) {
    this.#socket = new WebSocket(url, ["sluice.v1"]);
    this.#said = said;
  }

  /** Connects. `said` is called for each message. */
  static async connect(url: string, said: () => void = () => {}): Promise<RoomClient> {
    const client = new RoomClient(url, said);
    const opened = Promise.withResolvers<void>();
    client.#socket.onopen = () => opened.resolve();
    client.#socket.onerror = () => opened.reject(new Error(`Cannot connect to ${url}`));
    client.#socket.onmessage = ({ data }) => client.#receive(data as string);
    await opened.promise;
    return client;
  }

  /** Sends a frame, and resolves with the reply as JSON. */
  ask(type: string, data: unknown): Promise<string> {
    const id = `${++this.#id}`;
    const { promise, resolve } = Promise.withResolvers<string>();
    this.#replies.set(id, resolve);
    this.#socket.send(JSON.stringify({ type, data, id }));
    return promise;
  }

  close(): void {
    this.#socket.close();
  }

  #receive(text: string): void {
    for (const line of text.split("\n")) {
      if (line.startsWith('{"type":"said"')) this.#said();
      else if (line.startsWith('{"type":"reply"')) this.#reply(line);
    }
  }

  #reply(line: string): void {
    const id = /"id":"(\d+)"/.exec(line)![1]!;
    this.#replies.get(id)?.(line);
    this.#replies.delete(id);
  }
}
