/* Shared parts of the load generator, which has one thread, one epoll and non-blocking sockets. */
#ifndef SLUICE_LOAD_H
#define SLUICE_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The options of the command line: `sluice-load KIND key=value …`. */
struct options {
  const char *kind;
  int ports[16], port_count;   /* port=8000,8001: connections take them in turn */
  int pids[16], pid_count;     /* pid=1,2: whose processor time is read */
  const char *path;            /* path=/ */
  const char *protocol;        /* protocol=sluice.v1: then a message may hold several lines */
  const char *cookies;         /* cookies=FILE: one a line, connections take them in turn */
  bool socket_io;              /* speak=socket.io */
  int connections;             /* connections=100 */
  int in_flight;               /* in_flight=1: messages of each echo, or publishers of a fan-out */
  int publishers;              /* publishers=100: of an open-loop fan-out, if more than in_flight */
  int stalled;                 /* stalled=1: this many connections are opened and never read */
  int text_bytes;              /* text_bytes=65: length of the text of a message */
  long messages;               /* messages=4000: ends after so many are published, not by time */
  int expect;                  /* expect=101: the status that an upgrade has to be answered with */
  double rate;                 /* rate=5000: open loop, so many a second; 0 is closed loop */
  bool is_poisson;             /* arrivals=poisson: random intervals; by default, even ones */
  double seconds, warmup;      /* seconds=3, warmup=1 */
};
extern struct options options;

enum state { CONNECTING, HANDSHAKE, NAMESPACE, READY, CLOSED };

struct connection {
  int fd, index, port;
  enum state state;
  bool wants_out, is_closing;
  char *in, *out;              /* Incomplete input; output that is not written yet. */
  size_t in_length, out_length;
  uint64_t opened_us;
};

/* Callbacks of a kind of load. */
struct hooks {
  void (*on_connected)(struct connection *);
  /* Returns the number of bytes consumed; the rest is passed again with the next input. */
  size_t (*on_bytes)(struct connection *, const char *, size_t);
  void (*on_open)(struct connection *);
  void (*on_text)(struct connection *, const char *, size_t);
  void (*on_refused)(struct connection *, int status);
  void (*on_end)(struct connection *);
};
extern struct hooks hooks;

/* clock.c */
uint64_t now_us(void);
double own_cpu(void);          /* Seconds of processor time of this process. */
double server_cpu(void);       /* Seconds of processor time of all `pid=`. */

/* histogram.c: of microseconds, exact to 1/64. */
void histogram_clear(void);
void histogram_add(uint64_t us);
double histogram_quantile(double q);

/* connection.c */
void loop_start(void);
void loop_once(int timeout_ms, int timer_fd, void (*on_timer)(void));
void connection_open(struct connection *);
void connection_write(struct connection *, const char *, size_t);
void connection_ignore(struct connection *);
void connection_close(struct connection *);
_Noreturn void fail(const char *format, ...);

/* websocket.c */
void websocket_hello(struct connection *);
size_t websocket_bytes(struct connection *, const char *, size_t);
size_t websocket_frame(char *target, const char *text, size_t length);
void websocket_close(struct connection *);
void cookies_read(void);

/* window.c: the measured time, between the warm-up and the end. */
struct window { bool open; uint64_t began_us, ended_us; double own, server; };
extern struct window window;
void window_begin(void);
void window_end(void);
void window_report(long count, long lost, long ended);

/* The kinds. */
struct connection *connections_open(void);
void run_messages(void);       /* echo, fan_out: messages.c */
void run_upgrades(void);       /* upgrade: upgrades.c */
void run_idle(void);           /* idle: idle.c */
void run_pages(void);          /* pages: pages.c */

#endif
