/* Echo and fan-out. A message contains its author and due time, from which its receiver computes the
 * latency. Closed loop: an author sends again when its message comes back. Open loop (`rate=`): messages
 * are due at a given rate, and latency counts from the due time even if they are sent late. They are due
 * at even intervals, or (`arrivals=poisson`) at random ones, each from a random publisher. The open loop
 * starts after a closed loop, because at a low rate the server's code would stay cold for minutes. */
#define _GNU_SOURCE
#include "load.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define STAMP_DIGITS 16
#define TICK_NS 50000
#define DRAIN_US 2000000
#define SETTLE_US 500000

struct author { char *frame; size_t length, stamp_at; };

static struct connection *all;
static struct author *authors;
static int author_count, first_author;
static bool is_fan_out, is_closed_loop;
static long received, published, due_count, owed, ended;
static uint64_t now, loop_began_us;

static struct author author_create(int index) {
  struct author author = { 0 };
  size_t size = (size_t)options.text_bytes + 256;
  char *text = malloc(size);
  author.frame = malloc(size);
  const char *head = options.socket_io ? "42[\"say\",{" : "{\"type\":\"say\",\"data\":{";
  const char *tail = options.socket_io ? "}]" : "}}";
  int at = snprintf(text, size, "%s\"by\":%d,\"text\":\"", head, index);
  int stamp_at = at;
  memset(text + at, 'x', (size_t)options.text_bytes);
  at += options.text_bytes;
  at += snprintf(text + at, size - (size_t)at, "\"%s", tail);
  author.length = websocket_frame(author.frame, text, (size_t)at);
  author.stamp_at = author.length - (size_t)at + (size_t)stamp_at;
  free(text);
  return author;
}

static void stamp(struct author *author, uint64_t us) {
  for (int digit = STAMP_DIGITS - 1; digit >= 0; digit--, us /= 10)
    author->frame[author->stamp_at + (size_t)digit] = (char)('0' + us % 10);
}

static void publish(int index, int copies, uint64_t due_us) {
  if (options.messages > 0 && published >= options.messages) return;
  struct author *author = &authors[index];
  stamp(author, due_us);
  published += copies;
  struct connection *connection = &all[index + first_author];
  if (copies == 1) return connection_write(connection, author->frame, author->length);
  char *batch = malloc(author->length * (size_t)copies);
  for (int copy = 0; copy < copies; copy++)
    memcpy(batch + (size_t)copy * author->length, author->frame, author->length);
  connection_write(connection, batch, author->length * (size_t)copies);
  free(batch);
}

static bool counts(uint64_t due_us) {
  if (options.rate == 0) return window.open;
  return due_us >= window.began_us && (window.open || due_us < window.ended_us);
}

/* Returns whether the message was sent by this connection. */
static bool take_line(int self, const char *line, size_t length) {
  const char *by = memmem(line, length, "\"by\":", 5), *end = line + length;
  if (!by) return false;
  int author = 0;
  const char *at = by + 5;
  while (at < end && *at >= '0' && *at <= '9') author = author * 10 + (*at++ - '0');
  at += strlen(",\"text\":\"");
  if (at + STAMP_DIGITS > end) fail("a message came back in another shape");
  uint64_t due_us = 0;
  for (int digit = 0; digit < STAMP_DIGITS; digit++) due_us = due_us * 10 + (uint64_t)(at[digit] - '0');
  if (window.began_us > 0 && counts(due_us)) {
    received++;
    histogram_add(now > due_us ? now - due_us : 0);
  }
  return author == self;
}

static int back;

static void on_text(struct connection *connection, const char *text, size_t length) {
  int self = connection->index - first_author;
  const char *end = text + length;
  while (text < end) {
    const char *stop = options.protocol ? memchr(text, '\n', (size_t)(end - text)) : NULL;
    if (!stop) stop = end;
    if (take_line(self, text, (size_t)(stop - text))) back++;
    text = stop + 1;
  }
}

/* Answers the messages of one read with one write. */
static size_t on_bytes(struct connection *connection, const char *bytes, size_t length) {
  back = 0;
  now = now_us();
  size_t used = websocket_bytes(connection, bytes, length);
  int self = connection->index - first_author;
  if (back > 0 && is_closed_loop && self >= 0 && self < author_count)
    publish(self, back, now);
  return used;
}

static void on_end(struct connection *connection) {
  (void)connection;
  ended++;
}

/* Returns a number between 0 and 1, both excluded. The sequence is the same in each run. */
static double random_number(void) {
  static uint64_t state = 0x9e3779b97f4a7c15;
  state ^= state << 13, state ^= state >> 7, state ^= state << 17;
  return ((double)(state >> 11) + 0.5) / 9007199254740992.0;
}

/* When the next message is due, in µs after the start of the open loop. */
static double next_due_us;

static void schedule_next(void) {
  if (!options.is_poisson) next_due_us = (double)due_count * 1e6 / options.rate;
  else next_due_us -= log(random_number()) * 1e6 / options.rate;
}

/* Sends all due messages: several after a delay of the loop, each with its own due time. */
static void send_due(uint64_t until_us) {
  for (;;) {
    uint64_t due_us = loop_began_us + (uint64_t)next_due_us;
    if (due_us >= until_us) return;
    int author = options.is_poisson ? (int)(random_number() * author_count)
                                    : (int)(due_count % author_count);
    publish(author, 1, due_us);
    due_count++;
    schedule_next();
    if (window.began_us > 0 && counts(due_us))
      owed += is_fan_out ? options.connections - options.stalled : 1;
  }
}

static int timer = -1;

static void on_timer(void) {
  uint64_t ticks;
  if (read(timer, &ticks, sizeof ticks) > 0) send_due(now_us());
}

static void run_until(uint64_t end_us) {
  while (now_us() < end_us) loop_once(timer >= 0 ? 1 : 5, timer, on_timer);
}

static void start_closed_loop(void) {
  is_closed_loop = true;
  int count = is_fan_out ? options.in_flight : author_count;
  for (int index = 0; index < count; index++)
    publish(index, is_fan_out ? 1 : options.in_flight, now_us());
}

static void start_open_loop(void) {
  is_closed_loop = false;
  loop_began_us = now_us();
  struct itimerspec tick = { { 0, TICK_NS }, { 0, TICK_NS } };
  timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  timerfd_settime(timer, 0, &tick, NULL);
}

/* Runs until all published messages have come back to their authors, or progress stops. */
static void run_messages_out(void) {
  long wanted = options.messages * (options.connections - options.stalled), last = -1;
  for (uint64_t idle_since = now_us(); received < wanted; ) {
    loop_once(100, -1, NULL);
    if (received != last) idle_since = now_us();
    if (now_us() - idle_since > 5 * DRAIN_US) break;
    last = received;
  }
}

void run_messages(void) {
  is_fan_out = strcmp(options.kind, "fan_out") == 0;
  hooks.on_text = on_text;
  hooks.on_end = on_end;
  hooks.on_bytes = on_bytes;
  all = connections_open();
  first_author = options.stalled;
  for (int index = 0; index < options.stalled; index++) connection_ignore(&all[index]);
  author_count = is_fan_out ? options.in_flight : options.connections - options.stalled;
  if (is_fan_out && options.publishers > author_count) author_count = options.publishers;
  authors = calloc((size_t)author_count, sizeof *authors);
  for (int index = 0; index < author_count; index++) authors[index] = author_create(index);

  if (options.messages > 0) {
    window_begin();
    start_closed_loop();
    run_messages_out();
    window_end();
  } else {
    start_closed_loop();
    run_until(now_us() + (uint64_t)(options.warmup * 1e6));
    if (options.rate > 0) {
      start_open_loop();
      run_until(now_us() + SETTLE_US);
    }
    window_begin();
    run_until(now_us() + (uint64_t)(options.seconds * 1e6));
    window_end();
  }
  if (options.rate > 0) {
    close(timer);
    timer = -1;
    send_due(window.ended_us);
    for (uint64_t until = now_us() + DRAIN_US; received < owed && now_us() < until; )
      loop_once(5, -1, NULL);
  }
  window_report(received, options.rate > 0 ? owed - received : 0, ended);
}
