/* TCP connections on one epoll. Input goes to the hooks; output that would block is queued. */
#define _GNU_SOURCE
#include "load.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS 512
#define READ_BYTES (4 << 20)

struct hooks hooks;
static int epoll_fd;
static char incoming[READ_BYTES];

void fail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fputc('\n', stderr);
  exit(1);
}

void loop_start(void) {
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  epoll_fd = epoll_create1(0);
}

static void watch(struct connection *connection, int operation, bool wants_out) {
  struct epoll_event event = { .events = EPOLLIN, .data.ptr = connection };
  if (wants_out) event.events |= EPOLLOUT;
  connection->wants_out = wants_out;
  epoll_ctl(epoll_fd, operation, connection->fd, &event);
}

/* Source addresses rotate from 127.0.0.2 on, because one address would run out of ports. */
static void take_address(int fd) {
  static unsigned turn;
  int yes = 1;
  struct sockaddr_in own = { .sin_family = AF_INET };
  own.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + turn++ % 250);
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
  bind(fd, (struct sockaddr *)&own, sizeof own);
}

void connection_open(struct connection *connection) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), yes = 1;
  if (fd < 0) fail("no more sockets: %s", strerror(errno));
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  take_address(fd);
  connection->fd = fd;
  connection->state = CONNECTING;
  connection->is_closing = false;
  connection->in_length = connection->out_length = 0;
  connection->opened_us = now_us();
  struct sockaddr_in peer = { .sin_family = AF_INET, .sin_port = htons(connection->port) };
  peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, (struct sockaddr *)&peer, sizeof peer) != 0 && errno != EINPROGRESS)
    fail("cannot connect to port %d: %s", connection->port, strerror(errno));
  watch(connection, EPOLL_CTL_ADD, true);
}

void connection_close(struct connection *connection) {
  close(connection->fd);
  connection->fd = -1;
  connection->state = CLOSED;
}

void connection_ignore(struct connection *connection) {
  epoll_ctl(epoll_fd, EPOLL_CTL_DEL, connection->fd, NULL);
}

static void ended(struct connection *connection) {
  connection_close(connection);
  if (hooks.on_end) hooks.on_end(connection);
}

void connection_write(struct connection *connection, const char *bytes, size_t length) {
  ssize_t written = 0;
  if (connection->out_length == 0) {
    written = send(connection->fd, bytes, length, MSG_NOSIGNAL);
    if (written < 0 && errno != EAGAIN) return;
    if (written < 0) written = 0;
  }
  size_t left = length - (size_t)written;
  if (left == 0) return;
  connection->out = realloc(connection->out, connection->out_length + left);
  memcpy(connection->out + connection->out_length, bytes + written, left);
  connection->out_length += left;
  if (!connection->wants_out) watch(connection, EPOLL_CTL_MOD, true);
}

static void writable(struct connection *connection) {
  if (connection->state == CONNECTING) {
    connection->state = HANDSHAKE;
    watch(connection, EPOLL_CTL_MOD, false);
    hooks.on_connected(connection);
    return;
  }
  ssize_t sent = send(connection->fd, connection->out, connection->out_length, MSG_NOSIGNAL);
  if (sent < 0) return;
  connection->out_length -= (size_t)sent;
  memmove(connection->out, connection->out + sent, connection->out_length);
  if (connection->out_length == 0) watch(connection, EPOLL_CTL_MOD, false);
}

static void readable(struct connection *connection) {
  size_t kept = connection->in_length;
  if (kept >= READ_BYTES) fail("a message of more than %d bytes", READ_BYTES);
  memcpy(incoming, connection->in, kept);
  ssize_t came = read(connection->fd, incoming + kept, READ_BYTES - kept);
  if (came < 0 && errno == EAGAIN) return;
  if (came <= 0) return ended(connection);
  size_t length = kept + (size_t)came;
  size_t used = hooks.on_bytes(connection, incoming, length);
  if (connection->state == CLOSED || connection->state == CONNECTING) return;
  connection->in_length = length - used;
  if (connection->in_length == 0) return;
  connection->in = realloc(connection->in, connection->in_length);
  memcpy(connection->in, incoming + used, connection->in_length);
}

void loop_once(int timeout_ms, int timer_fd, void (*on_timer)(void)) {
  static int watched = -1;
  if (timer_fd >= 0 && timer_fd != watched) {
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = NULL };
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, watched = timer_fd, &event);
  }
  struct epoll_event events[EVENTS];
  int count = epoll_wait(epoll_fd, events, EVENTS, timeout_ms);
  for (int at = 0; at < count; at++) {
    struct connection *connection = events[at].data.ptr;
    if (!connection) {
      on_timer();
      continue;
    }
    uint32_t what = events[at].events;
    /* A hook may have closed the connection and opened the next one in its place. */
    int fd = connection->fd;
    if (fd >= 0 && (what & EPOLLOUT) && !(what & EPOLLERR)) writable(connection);
    if (connection->fd == fd && fd >= 0 && (what & (EPOLLIN | EPOLLHUP | EPOLLERR)))
      readable(connection);
  }
}
