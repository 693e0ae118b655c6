/* A histogram with 64 buckets for every doubling: exact to 1/64 from 1 µs to a day. */
#include "load.h"
#include <string.h>

#define SUB 64

static uint64_t buckets[40 * SUB];
static uint64_t total;

static int bucket_of(uint64_t us) {
  if (us < SUB) return (int)us;
  int doublings = 63 - __builtin_clzll(us) - 6;
  int bucket = (doublings + 1) * SUB + (int)((us >> doublings) - SUB);
  int last = (int)(sizeof buckets / sizeof *buckets) - 1;
  return bucket < last ? bucket : last;
}

static double middle_of(int bucket) {
  if (bucket < SUB) return bucket;
  int doublings = bucket / SUB - 1;
  return ((double)(bucket % SUB + SUB) + 0.5) * (double)(1ull << doublings);
}

void histogram_clear(void) {
  memset(buckets, 0, sizeof buckets);
  total = 0;
}

void histogram_add(uint64_t us) {
  buckets[bucket_of(us)]++;
  total++;
}

/* By the nearest rank; -1 without samples. */
double histogram_quantile(double q) {
  uint64_t rank = (uint64_t)(q * (double)total + 0.999999), seen = 0;
  for (int bucket = 0; total > 0 && bucket < (int)(sizeof buckets / sizeof *buckets); bucket++) {
    seen += buckets[bucket];
    if (seen >= rank && seen > 0) return middle_of(bucket);
  }
  return -1;
}
