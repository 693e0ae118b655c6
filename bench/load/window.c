#include "load.h"
#include <stdio.h>

struct window window;

void window_begin(void) {
  histogram_clear();
  window.open = true;
  window.own = own_cpu();
  window.server = server_cpu();
  window.began_us = now_us();
}

void window_end(void) {
  window.open = false;
  window.ended_us = now_us();
  window.own = own_cpu() - window.own;
  window.server = server_cpu() - window.server;
}

/* One line of JSON: rate per second, latencies in µs, how busy this process was (1 is a whole core). */
void window_report(long count, long lost, long ended) {
  double seconds = (double)(window.ended_us - window.began_us) / 1e6;
  printf("{\"rate\":%.3f,\"count\":%ld,\"seconds\":%.6f,\"p50\":%.1f,\"p99\":%.1f,"
         "\"busy\":%.4f,\"serverCpu\":%.4f,\"lost\":%ld,\"ended\":%ld}\n",
    (double)count / seconds, count, seconds, histogram_quantile(0.5), histogram_quantile(0.99),
    window.own / seconds, window.server, lost, ended);
}
