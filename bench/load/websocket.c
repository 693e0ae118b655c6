/* The client side of RFC 6455, and optionally of Engine.IO 4 with Socket.IO 5. */
#define _GNU_SOURCE
#include "load.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char **cookies;
static size_t cookie_count;

void cookies_read(void) {
  if (!options.cookies) return;
  FILE *file = fopen(options.cookies, "r");
  if (!file) fail("cannot read %s", options.cookies);
  char *line = NULL;
  size_t size = 0;
  for (ssize_t length; (length = getline(&line, &size, file)) > 0; ) {
    line[strcspn(line, "\r\n")] = 0;
    cookies = realloc(cookies, (cookie_count + 1) * sizeof *cookies);
    cookies[cookie_count++] = strdup(line);
  }
  fclose(file);
}

/* Requests the upgrade. Connections use the cookies in turn. */
void websocket_hello(struct connection *connection) {
  static size_t turn;
  char text[8192];
  int length = snprintf(text, sizeof text,
    "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nOrigin: http://127.0.0.1:%d\r\n"
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
    options.path, connection->port, connection->port);
  if (options.protocol)
    length += snprintf(text + length, sizeof text - length,
      "Sec-WebSocket-Protocol: %s\r\n", options.protocol);
  if (cookie_count > 0)
    length += snprintf(text + length, sizeof text - length,
      "Cookie: %s\r\n", cookies[turn++ % cookie_count]);
  length += snprintf(text + length, sizeof text - length, "\r\n");
  if (length >= (int)sizeof text) fail("a request of more than %zu bytes", sizeof text);
  connection_write(connection, text, (size_t)length);
}

/* Sends a masked, unfragmented frame. A mask of zeros is valid and leaves the text unchanged. */
static size_t frame(char *target, int opcode, const char *text, size_t length) {
  size_t at = 0;
  target[at++] = (char)(0x80 | opcode);
  if (length < 126) {
    target[at++] = (char)(0x80 | length);
  } else {
    int bytes = length < 65536 ? 2 : 8;
    target[at++] = (char)(0x80 | (bytes == 2 ? 126 : 127));
    for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8)
      target[at++] = (char)((uint64_t)length >> shift);
  }
  memset(target + at, 0, 4);
  memcpy(target + at + 4, text, length);
  return at + 4 + length;
}

size_t websocket_frame(char *target, const char *text, size_t length) {
  return frame(target, 1, text, length);
}

static void reply(struct connection *connection, int opcode, const char *text, size_t length) {
  char buffer[256];
  if (length < 126) connection_write(connection, buffer, frame(buffer, opcode, text, length));
}

/* Begins the closing handshake with code 1000 (RFC 6455 §7.1.2). */
void websocket_close(struct connection *connection) {
  connection->is_closing = true;
  reply(connection, 8, "\x03\xe8", 2);
}

static size_t handshake(struct connection *connection, const char *bytes, size_t length) {
  const char *end = memmem(bytes, length, "\r\n\r\n", 4);
  if (!end) return 0;
  int status = length > 12 ? atoi(bytes + 9) : 0;
  if (status != 101) {
    if (!hooks.on_refused) fail("the upgrade was answered with %d", status);
    hooks.on_refused(connection, status);
    return length;
  }
  connection->state = options.socket_io ? NAMESPACE : READY;
  if (connection->state == READY) hooks.on_open(connection);
  return (size_t)(end + 4 - bytes);
}

/* Engine.IO packets: 0 open, 2 ping, 4 message. Socket.IO: 40 is the connection's acceptance. */
static void socket_io_text(struct connection *connection, const char *text, size_t length) {
  if (length == 0) return;
  if (text[0] == '0') reply(connection, 1, "40", 2);
  if (text[0] == '2') reply(connection, 1, "3", 1);
  if (text[0] != '4' || length < 2) return;
  if (text[1] == '2') hooks.on_text(connection, text, length);
  if (text[1] != '0' || connection->state != NAMESPACE) return;
  connection->state = READY;
  hooks.on_open(connection);
}

static void message(struct connection *connection, int opcode, const char *text, size_t length) {
  if (opcode == 0) fail("the server sends fragments");
  if (opcode == 9) reply(connection, 10, text, length);
  if (opcode != 1) return;
  if (options.socket_io) return socket_io_text(connection, text, length);
  hooks.on_text(connection, text, length);
}

size_t websocket_bytes(struct connection *connection, const char *bytes, size_t length) {
  size_t at = connection->state == HANDSHAKE ? handshake(connection, bytes, length) : 0;
  if (connection->state == HANDSHAKE || !hooks.on_text) return at;
  while (connection->state != CLOSED && length - at >= 2) {
    const unsigned char *head = (const unsigned char *)bytes + at;
    size_t size = head[1] & 127, start = 2;
    int extra = size == 126 ? 2 : size == 127 ? 8 : 0;
    if (length - at < start + (size_t)extra) break;
    if (extra > 0) size = 0;
    for (int byte = 0; byte < extra; byte++) size = size << 8 | head[start++];
    if (length - at < start + size) break;
    message(connection, head[0] & 15, bytes + at + start, size);
    at += start + size;
  }
  return at;
}
