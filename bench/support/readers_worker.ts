/** Opens many sockets and records the latency of each message. */
const latencies: number[] = [];

const scope = globalThis as unknown as {
  onmessage: (event: MessageEvent) => void;
  postMessage(message: unknown): void;
};

scope.onmessage = async ({ data }) => {
  if (data === "report") return scope.postMessage(latencies.splice(0));
  const { url, count } = data as { url: string; count: number };
  for (let opened = 0; opened < count; opened++) await open(url);
  scope.postMessage("ready");
};

function open(url: string): Promise<void> {
  const socket = new WebSocket(url);
  socket.onmessage = ({ data }) => latencies.push(Date.now() - Number.parseInt(data));
  return new Promise((resolve) => socket.onopen = () => resolve());
}
