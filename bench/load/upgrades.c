/* Opens sockets, waits until they are accepted, and closes them with the closing handshake, as
   browsers do: `in_flight` at any time. Socket.IO accepts a connection with a message after the
   101. */
#include "load.h"
#include <stdlib.h>

static long answered, wrong;
static int last_wrong;

static void reopen(struct connection *connection) {
  connection_close(connection);
  connection_open(connection);
}

static void next(struct connection *connection, int status) {
  if (status != options.expect) {
    wrong++;
    last_wrong = status;
  }
  if (window.open) {
    answered++;
    histogram_add(now_us() - connection->opened_us);
  }
  if (status == 101) websocket_close(connection);
  else reopen(connection);
}

/* The server has answered the close frame, or goes first. */
static size_t on_bytes(struct connection *connection, const char *bytes, size_t length) {
  if (!connection->is_closing) return websocket_bytes(connection, bytes, length);
  reopen(connection);
  return length;
}

static void on_open(struct connection *connection) { next(connection, 101); }
static void on_refused(struct connection *connection, int status) { next(connection, status); }
static void on_end(struct connection *connection) {
  connection->in_length = 0;
  if (connection->is_closing) connection_open(connection);
  else next(connection, 0);
}

static void ignore_text(struct connection *connection, const char *text, size_t length) {
  (void)connection, (void)text, (void)length;
}

static void run_for(double seconds) {
  for (uint64_t end = now_us() + (uint64_t)(seconds * 1e6); now_us() < end; ) loop_once(5, -1, 0);
}

void run_upgrades(void) {
  struct connection *slots = calloc((size_t)options.in_flight, sizeof *slots);
  hooks = (struct hooks){ .on_connected = websocket_hello, .on_bytes = on_bytes,
    .on_open = on_open, .on_refused = on_refused, .on_end = on_end };
  if (options.socket_io) hooks.on_text = ignore_text;
  for (int index = 0; index < options.in_flight; index++) {
    slots[index].index = index;
    slots[index].port = options.ports[index % options.port_count];
    connection_open(&slots[index]);
  }
  run_for(options.warmup);
  window_begin();
  run_for(options.seconds);
  window_end();
  if (wrong > 0) fail("%ld upgrades were answered otherwise than with %d: with %d", wrong,
    options.expect, last_wrong);
  window_report(answered, 0, 0);
}
