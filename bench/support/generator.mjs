// The load: raw TCP sockets with frames made beforehand, in Node, so that it costs little.
// usage: node generator.mjs '{"port":8000,"path":"/","connections":100,"inFlight":1,"seconds":3,…}'
// Prints one line of JSON: rate per second, latencies in ms, and how busy this process was.
import { connect } from "node:net";
import { performance } from "node:perf_hooks";

const options = JSON.parse(process.argv[2]);
const { port, path, connections, inFlight = 1, seconds, payload, protocol, headers = {} } = options;

const MASK = Buffer.from([0, 0, 0, 0]);

/** A masked text frame (RFC 6455 §5.2); a mask of zeros leaves the payload as it is. */
function frame(text) {
  const body = Buffer.from(text);
  const head = body.length < 126
    ? Buffer.from([0x81, 0x80 | body.length])
    : Buffer.from([0x81, 0x80 | 126, body.length >> 8, body.length & 255]);
  return Buffer.concat([head, MASK, body]);
}

/** Counts the text frames of a server, which are not masked; what is cut off waits for the rest. */
class Reader {
  rest = Buffer.alloc(0);
  /** Calls back with the number of lines in each frame. */
  feed(chunk, onFrame) {
    const data = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    let at = 0;
    while (data.length - at >= 2) {
      let length = data[at + 1] & 127;
      let start = at + 2;
      if (length === 126) {
        if (data.length - at < 4) break;
        length = data.readUInt16BE(at + 2);
        start = at + 4;
      } else if (length === 127) {
        if (data.length - at < 10) break;
        length = Number(data.readBigUInt64BE(at + 2));
        start = at + 10;
      }
      if (data.length < start + length) break;
      const isText = (data[at] & 15) === 1;
      if (isText) onFrame(data, start, start + length);
      at = start + length;
    }
    this.rest = at === data.length ? Buffer.alloc(0) : data.subarray(at);
  }
}

function open() {
  const socket = connect(port, "127.0.0.1");
  socket.setNoDelay(true);
  const lines = [
    `GET ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    `Origin: http://127.0.0.1:${port}`,
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ...(protocol ? [`Sec-WebSocket-Protocol: ${protocol}`] : []),
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.once("connect", () => socket.write(`${lines.join("\r\n")}\r\n\r\n`));
    socket.once("data", (chunk) => {
      const end = chunk.indexOf("\r\n\r\n");
      const status = chunk.subarray(9, 12).toString();
      if (status !== "101") return reject(new Error(`answered with ${status}`));
      resolve({ socket, first: chunk.subarray(end + 4) });
    });
  });
}

const sockets = [];
for (let count = 0; count < connections; count++) sockets.push(await open());

let isCounting = false;
let received = 0;
const latencies = [];
const message = frame(payload);

/** Closed loop: each connection keeps `inFlight` messages under way. */
function echo({ socket, first }) {
  const reader = new Reader();
  const sentAt = [];
  const send = (count) => {
    const now = performance.now();
    for (let index = 0; index < count; index++) sentAt.push(now);
    socket.write(count === 1 ? message : Buffer.concat(Array(count).fill(message)));
  };
  const onChunk = (chunk) => {
    let came = 0;
    reader.feed(chunk, (data, start, end) => {
      came++;
      for (let at = start; at < end; at++) if (data[at] === 10) came++;
    });
    if (came === 0) return;
    if (isCounting) {
      received += came;
      const now = performance.now();
      for (let index = 0; index < came; index++) latencies.push(now - sentAt[index]);
    }
    sentAt.splice(0, came);
    send(came);
  };
  socket.on("data", onChunk);
  if (first.length > 0) onChunk(first);
  send(inFlight);
}

/** Fan-out: `inFlight` of the connections publish again as soon as they hear themselves. */
function fanOut(entry, index) {
  const reader = new Reader();
  const mark = Buffer.from(`"by":${index},`);
  const own = frame(payload.replace('"by":0,', `"by":${index},`));
  const isPublisher = index < inFlight;
  const onChunk = (chunk) => {
    let again = 0;
    reader.feed(chunk, (data, start, end) => {
      let lines = 1;
      const text = data.subarray(start, end);
      for (let at = text.indexOf(10); at >= 0; at = text.indexOf(10, at + 1)) lines++;
      if (isCounting) received += lines;
      if (isPublisher && text.includes(mark)) again++;
    });
    for (; again > 0; again--) entry.socket.write(own);
  };
  entry.socket.on("data", onChunk);
  if (isPublisher) entry.socket.write(own);
}

sockets.forEach(options.kind === "fan-out" ? fanOut : echo);
await new Promise((resolve) => setTimeout(resolve, 700));
isCounting = true;
const before = process.cpuUsage();
const startedAt = performance.now();
await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
isCounting = false;
const elapsed = (performance.now() - startedAt) / 1000;
const cpu = process.cpuUsage(before);
latencies.sort((a, b) => a - b);
console.log(JSON.stringify({
  rate: received / elapsed,
  p50: latencies[Math.floor(latencies.length * 0.5)] ?? null,
  p99: latencies[Math.floor(latencies.length * 0.99)] ?? null,
  busy: (cpu.user + cpu.system) / 1e6 / elapsed,
}));
process.exit();
