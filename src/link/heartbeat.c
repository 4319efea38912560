/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See heartbeat.h. The trap: both timers are judged only after the buffers
 * have been read once more, since this process may have been stopped while the
 * messages came in.
 */
#include "link/heartbeat.h"

#include <stddef.h>

/* So long is looked into the buffers before a verdict. */
#define LOOK ((int64_t)250000)

static void go_idle(struct heartbeat *h, int64_t now)
{
	h->state = h->interval > 0 ? HEARTBEAT_IDLE : HEARTBEAT_OFF;
	h->next = now + h->interval;
}

void heartbeat_start(struct heartbeat *h, const struct bridge_conf *conf, int64_t now)
{
	*h = (struct heartbeat){
		.interval = conf->common->heartbeat.interval,
		.timeout = conf->common->heartbeat.has_expect ? conf->common->heartbeat.timeout : 0,
		.expect = conf->common->heartbeat.has_expect ? &conf->common->heartbeat.expect :
							       NULL,
		.idle_timeout = conf->common->idle_timeout,
		.idle_at = now + conf->common->idle_timeout,
		.paused = h->paused,
	};
	go_idle(h, now);
}

void heartbeat_stop(struct heartbeat *h)
{
	h->state = HEARTBEAT_OFF;
	h->idle_timeout = 0;
}

static bool is_judging(const struct heartbeat *h)
{
	return h->state == HEARTBEAT_AWAITING || h->state == HEARTBEAT_LOOKING;
}

static int64_t beat_due(const struct heartbeat *h)
{
	if (h->state == HEARTBEAT_IDLE || (is_judging(h) && !h->paused))
		return h->next;
	return INT64_MAX;
}

static int64_t idle_due(const struct heartbeat *h)
{
	return h->idle_timeout > 0 && !h->paused ? h->idle_at : INT64_MAX;
}

int64_t heartbeat_due(const struct heartbeat *h)
{
	return beat_due(h) < idle_due(h) ? beat_due(h) : idle_due(h);
}

static enum heartbeat_do tick_beat(struct heartbeat *h, int64_t now)
{
	switch (h->state) {
	case HEARTBEAT_OFF:
	case HEARTBEAT_LEAVING:
		break;
	case HEARTBEAT_IDLE:
		h->state = HEARTBEAT_LEAVING;
		return HEARTBEAT_SEND;
	case HEARTBEAT_AWAITING:
		h->state = HEARTBEAT_LOOKING;
		h->next = now + LOOK;
		break;
	case HEARTBEAT_LOOKING:
		if (now - h->next > LOOK) { /* stopped again while it looked */
			h->next = now + LOOK;
			break;
		}
		heartbeat_stop(h);
		return HEARTBEAT_DEAD;
	}
	return HEARTBEAT_NOTHING;
}

static enum heartbeat_do tick_idle(struct heartbeat *h, int64_t now)
{
	if (!h->idle_looking || now - h->idle_at > LOOK) {
		h->idle_looking = true;
		h->idle_at = now + LOOK;
		return HEARTBEAT_NOTHING;
	}
	heartbeat_stop(h);
	return HEARTBEAT_SILENT;
}

enum heartbeat_do heartbeat_tick(struct heartbeat *h, int64_t now)
{
	enum heartbeat_do what = HEARTBEAT_NOTHING;

	if (now >= beat_due(h))
		what = tick_beat(h, now);
	if (what == HEARTBEAT_NOTHING && now >= idle_due(h))
		what = tick_idle(h, now);
	return what;
}

void heartbeat_left(struct heartbeat *h, int64_t now)
{
	if (h->state != HEARTBEAT_LEAVING)
		return;
	if (h->timeout > 0) {
		h->state = HEARTBEAT_AWAITING;
		h->next = now + h->timeout;
	} else {
		go_idle(h, now);
	}
}

bool heartbeat_expects(const struct heartbeat *h)
{
	return h->expect && is_judging(h);
}

void heartbeat_heard(struct heartbeat *h, int64_t now)
{
	h->idle_at = now + h->idle_timeout;
	h->idle_looking = false;
}

void heartbeat_message(struct heartbeat *h, struct msg msg, int64_t now)
{
	heartbeat_heard(h, now);
	if (heartbeat_expects(h) && conf_match_is(h->expect, msg.data))
		go_idle(h, now);
}

/* Reading again: what is waited for may lie in the kernel's buffer, so its time starts anew. */
void heartbeat_pause(struct heartbeat *h, bool paused, int64_t now)
{
	if (h->paused && !paused) {
		heartbeat_heard(h, now);
		if (is_judging(h)) {
			h->state = HEARTBEAT_AWAITING;
			h->next = now + h->timeout;
		}
	}
	h->paused = paused;
}
