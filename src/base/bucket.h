/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A token bucket: so many in so much time, with bursts. Pure: it is told the
 * time (monotonic, microseconds). Part of its user's object.
 */
#ifndef WSB_BASE_BUCKET_H
#define WSB_BASE_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

struct bucket {
	double rate;   /* tokens per second; 0 = no limit */
	double burst;  /* tokens it holds at most, >= 1 */
	double tokens; /* at `at` */
	int64_t at;
};

void bucket_init(struct bucket *b, double rate, double burst, int64_t now); /* full */
/* Other limits from now on; what is in it stays, up to the new burst. */
void bucket_change(struct bucket *b, double rate, double burst, int64_t now);
bool bucket_take(struct bucket *b, int64_t now);	  /* false: none is there */
int64_t bucket_wait(const struct bucket *b, int64_t now); /* until one is there; 0 = now */

#endif
