/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The limit of `rate` as a bucket of tokens, which most bridges do without:
 * there is one only while there is a limit. Part of a lane. The trap: a new
 * limit begins with a full bucket, another one keeps what was in it.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "bridge/lane_int.h"

static double rate_of(const struct bridge_conf *conf)
{
	return conf->common->rate.messages > 0 && conf->common->rate.per > 0 ?
		       (double)conf->common->rate.messages * 1e6 / (double)conf->common->rate.per :
		       0;
}

static double burst_of(const struct bridge_conf *conf)
{
	return (double)(conf->common->rate.burst > 0 ? conf->common->rate.burst :
						       conf->common->rate.messages);
}

void lane_rate_deinit(struct lane *l)
{
	free(l->bucket);
	l->bucket = NULL;
}

void lane_rate_follow(struct lane *l)
{
	double rate = rate_of(l->env.conf), burst = burst_of(l->env.conf);

	if (rate <= 0) {
		lane_rate_deinit(l);
	} else if (l->bucket) {
		bucket_change(l->bucket, rate, burst, loop_now(l->env.loop));
	} else {
		l->bucket = mem_alloc(sizeof(*l->bucket));
		bucket_init(l->bucket, rate, burst, loop_now(l->env.loop));
	}
}
