#include "load.h"
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

uint64_t now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

double own_cpu(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_utime.tv_sec + usage.ru_stime.tv_sec +
    (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* User and system time are fields 14 and 15 of /proc/PID/stat; the name before may contain spaces. */
static double cpu_of(int pid) {
  char path[64], text[1024];
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  FILE *file = fopen(path, "r");
  if (!file) return 0;
  size_t length = fread(text, 1, sizeof text - 1, file);
  fclose(file);
  text[length] = 0;
  unsigned long user = 0, system = 0;
  const char *fields = strrchr(text, ')');
  const char *format = ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu";
  if (!fields || sscanf(fields, format, &user, &system) != 2) return 0;
  return (double)(user + system) / sysconf(_SC_CLK_TCK);
}

double server_cpu(void) {
  double sum = 0;
  for (int at = 0; at < options.pid_count; at++) sum += cpu_of(options.pids[at]);
  return sum;
}
