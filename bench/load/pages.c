/* Requests a page repeatedly, on `connections` persistent connections at once. */
#define _GNU_SOURCE
#include "load.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static long answered;

static void ask(struct connection *connection) {
  char text[1024];
  int length = snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n",
    options.path, connection->port);
  connection->opened_us = now_us();
  connection_write(connection, text, (size_t)length);
}

/* Returns the length of a complete response, sized or chunked (RFC 9112 §6); 0 if incomplete. */
static size_t whole(const char *bytes, size_t length) {
  const char *body = memmem(bytes, length, "\r\n\r\n", 4);
  if (!body) return 0;
  body += 4;
  size_t head = (size_t)(body - bytes);
  const char *sized = memmem(bytes, head, "content-length: ", 16);
  if (sized) {
    size_t size = strtoul(sized + 16, NULL, 10);
    return length >= head + size ? head + size : 0;
  }
  for (const char *at = body, *end = bytes + length; at < end; ) {
    const char *line = memmem(at, (size_t)(end - at), "\r\n", 2);
    if (!line) return 0;
    size_t size = strtoul(at, NULL, 16);
    at = line + 2 + size + 2;
    if (at > end) return 0;
    if (size == 0) return (size_t)(at - bytes);
  }
  return 0;
}

static size_t on_bytes(struct connection *connection, const char *bytes, size_t length) {
  size_t size = whole(bytes, length);
  if (size == 0) return 0;
  int status = atoi(bytes + 9);
  if (status != options.expect) fail("the page was answered with %d", status);
  if (window.open) {
    answered++;
    histogram_add(now_us() - connection->opened_us);
  }
  ask(connection);
  return size;
}

static void on_end(struct connection *connection) { connection_open(connection); }

static void run_for(double seconds) {
  for (uint64_t end = now_us() + (uint64_t)(seconds * 1e6); now_us() < end; ) loop_once(5, -1, 0);
}

void run_pages(void) {
  struct connection *all = calloc((size_t)options.connections, sizeof *all);
  hooks = (struct hooks){ .on_connected = ask, .on_bytes = on_bytes, .on_end = on_end };
  for (int index = 0; index < options.connections; index++) {
    all[index].port = options.ports[index % options.port_count];
    connection_open(&all[index]);
  }
  run_for(options.warmup);
  window_begin();
  run_for(options.seconds);
  window_end();
  window_report(answered, 0, 0);
}
