/* The load generator: `sluice-load KIND key=value …`; the keys are in load.h. Linux only. */
#include "load.h"
#include <stdlib.h>
#include <string.h>

struct options options = {
  .path = "/", .connections = 100, .in_flight = 1, .text_bytes = 65, .expect = 101,
  .seconds = 3, .warmup = 1,
};

static int read_list(const char *text, int *list) {
  int count = 0;
  for (char *end; count < 16 && *text; text = *end == ',' ? end + 1 : end) {
    list[count++] = (int)strtol(text, &end, 10);
    if (end == text) fail("%s is no list of numbers", text);
  }
  return count;
}

static void take(const char *name, const char *value) {
  if (!strcmp(name, "port")) options.port_count = read_list(value, options.ports);
  else if (!strcmp(name, "pid")) options.pid_count = read_list(value, options.pids);
  else if (!strcmp(name, "path")) options.path = value;
  else if (!strcmp(name, "protocol")) options.protocol = value;
  else if (!strcmp(name, "cookies")) options.cookies = value;
  else if (!strcmp(name, "speak")) options.socket_io = !strcmp(value, "socket.io");
  else if (!strcmp(name, "connections")) options.connections = atoi(value);
  else if (!strcmp(name, "in_flight")) options.in_flight = atoi(value);
  else if (!strcmp(name, "publishers")) options.publishers = atoi(value);
  else if (!strcmp(name, "stalled")) options.stalled = atoi(value);
  else if (!strcmp(name, "text_bytes")) options.text_bytes = atoi(value);
  else if (!strcmp(name, "messages")) options.messages = atol(value);
  else if (!strcmp(name, "expect")) options.expect = atoi(value);
  else if (!strcmp(name, "rate")) options.rate = atof(value);
  else if (!strcmp(name, "arrivals")) options.is_poisson = !strcmp(value, "poisson");
  else if (!strcmp(name, "seconds")) options.seconds = atof(value);
  else if (!strcmp(name, "warmup")) options.warmup = atof(value);
  else fail("there is no option %s", name);
}

int main(int count, char **arguments) {
  if (count < 2) fail("usage: sluice-load KIND key=value …");
  options.kind = arguments[1];
  for (int at = 2; at < count; at++) {
    char *value = strchr(arguments[at], '=');
    if (!value) fail("%s has no value", arguments[at]);
    *value = 0;
    take(arguments[at], value + 1);
  }
  if (options.port_count == 0) fail("port= is missing");
  if (options.text_bytes < 16) fail("text_bytes= is less than the 16 of a time");
  cookies_read();
  loop_start();
  if (!strcmp(options.kind, "echo") || !strcmp(options.kind, "fan_out")) run_messages();
  else if (!strcmp(options.kind, "upgrade")) run_upgrades();
  else if (!strcmp(options.kind, "idle")) run_idle();
  else if (!strcmp(options.kind, "pages")) run_pages();
  else fail("there is no kind %s", options.kind);
  return 0;
}
