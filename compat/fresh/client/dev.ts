/**
 * Reloads the page when the server has restarted. The server sends the id of its start when a socket
 * opens; a different id means a restart.
 *
 * @module
 */
let revision: number | undefined;
let delayMs = 100;

function connect(): void {
  const address = new URL("/_frsh/alive", location.href.replace(/^http/, "ws"));
  const socket = new WebSocket(address);
  socket.onmessage = ({ data }) => {
    delayMs = 100;
    const { revision: current } = JSON.parse(data) as { revision: number };
    if (revision !== undefined && revision !== current) location.reload();
    revision = current;
  };
  socket.onclose = () => {
    delayMs = Math.min(delayMs * 1.5, 2000);
    setTimeout(connect, delayMs);
  };
}

connect();
