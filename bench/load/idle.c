/* Opens connections, reports it, and holds them until its input ends. */
#include "load.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define OPENING_AT_ONCE 64

static long open_count;

static void count_open(struct connection *connection) {
  (void)connection;
  open_count++;
}

static void end_early(struct connection *connection) {
  fail("the server ended connection %d while others were opened", connection->index);
}

struct connection *connections_open(void) {
  struct connection *all = calloc((size_t)options.connections, sizeof *all);
  void (*on_end)(struct connection *) = hooks.on_end;
  hooks.on_connected = websocket_hello;
  hooks.on_open = count_open;
  hooks.on_end = end_early;
  for (int asked = 0; open_count < options.connections; ) {
    while (asked < options.connections && asked - open_count < OPENING_AT_ONCE) {
      all[asked].index = asked;
      all[asked].port = options.ports[asked % options.port_count];
      connection_open(&all[asked++]);
    }
    loop_once(5, -1, NULL);
  }
  hooks.on_end = on_end;
  return all;
}

static void ignore_text(struct connection *connection, const char *text, size_t length) {
  (void)connection, (void)text, (void)length;
}

void run_idle(void) {
  hooks.on_bytes = websocket_bytes;
  hooks.on_text = ignore_text;
  connections_open();
  puts("open");
  fflush(stdout);
  fcntl(0, F_SETFL, O_NONBLOCK);
  for (char byte; read(0, &byte, 1) != 0; ) loop_once(50, -1, NULL);
}
