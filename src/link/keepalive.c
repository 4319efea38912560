/* SPDX-License-Identifier: Apache-2.0 */
/* See keepalive.h. */
#include "link/keepalive.h"

static void go_idle(struct keepalive *k, int64_t now)
{
	k->state = KEEPALIVE_IDLE;
	k->next = now + k->interval;
}

void keepalive_start(struct keepalive *k, int64_t now)
{
	k->paused = false;
	k->rtt = -1;
	k->left = 0;
	k->state = KEEPALIVE_OFF;
	if (k->interval > 0)
		go_idle(k, now);
}

void keepalive_stop(struct keepalive *k)
{
	k->state = KEEPALIVE_OFF;
}

int64_t keepalive_due(const struct keepalive *k)
{
	switch (k->state) {
	case KEEPALIVE_OFF:
	case KEEPALIVE_LEAVING:
		return INT64_MAX;
	case KEEPALIVE_IDLE:
		return k->next;
	case KEEPALIVE_AWAITING:
		return k->paused ? INT64_MAX : k->next;
	}
	return INT64_MAX;
}

enum keepalive_do keepalive_tick(struct keepalive *k, int64_t now)
{
	if (now < keepalive_due(k))
		return KEEPALIVE_NOTHING;
	if (k->state == KEEPALIVE_AWAITING) {
		k->state = KEEPALIVE_OFF;
		return KEEPALIVE_DEAD;
	}
	k->state = KEEPALIVE_LEAVING;
	return KEEPALIVE_PING;
}

void keepalive_left(struct keepalive *k, int64_t now)
{
	if (k->state != KEEPALIVE_LEAVING)
		return;
	k->left = now;
	if (k->timeout > 0) {
		k->state = KEEPALIVE_AWAITING;
		k->next = now + k->timeout;
	} else {
		go_idle(k, now);
	}
}

void keepalive_heard(struct keepalive *k, int64_t now)
{
	if (k->any && k->state == KEEPALIVE_AWAITING)
		go_idle(k, now);
}

void keepalive_pong(struct keepalive *k, int64_t now)
{
	if (k->left)
		k->rtt = (double)(now - k->left) / 1e6;
	k->left = 0; /* a second Pong is an unsolicited one */
	if (k->state == KEEPALIVE_AWAITING)
		go_idle(k, now);
}

/*
 * Reading again: the answer may lie in the kernel's buffer, so the peer gets its whole time
 * anew.
 */
void keepalive_pause(struct keepalive *k, bool paused, int64_t now)
{
	if (k->paused && !paused && k->state == KEEPALIVE_AWAITING)
		k->next = now + k->timeout;
	k->paused = paused;
}
