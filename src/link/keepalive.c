/* SPDX-License-Identifier: Apache-2.0 */
/* See keepalive.h. */
#include "link/keepalive.h"

static void go_idle(struct keepalive *k, int64_t now)
{
	k->checking = false;
	k->state = k->interval > 0 ? KEEPALIVE_IDLE : KEEPALIVE_OFF;
	k->next = now + k->interval;
}

void keepalive_start(struct keepalive *k, int64_t now)
{
	k->paused = false;
	k->rtt = k->srtt = -1;
	k->left = 0;
	k->mark = k->acked = 0;
	go_idle(k, now);
}

void keepalive_stop(struct keepalive *k)
{
	k->state = KEEPALIVE_OFF;
	k->checking = false;
}

static bool is_judging(const struct keepalive *k)
{
	return k->state == KEEPALIVE_AWAITING || k->state == KEEPALIVE_LOOKING;
}

int64_t keepalive_patience(const struct keepalive *k)
{
	if (k->checking && (k->timeout == 0 || k->timeout > KEEPALIVE_CHECK))
		return KEEPALIVE_CHECK;
	return k->timeout;
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
	case KEEPALIVE_LOOKING:
		return k->paused ? INT64_MAX : k->next;
	}
	return INT64_MAX;
}

enum keepalive_do keepalive_tick(struct keepalive *k, int64_t now)
{
	if (now < keepalive_due(k))
		return KEEPALIVE_NOTHING;
	switch (k->state) {
	case KEEPALIVE_OFF:
	case KEEPALIVE_LEAVING:
		break;
	case KEEPALIVE_IDLE:
		k->state = KEEPALIVE_LEAVING;
		return KEEPALIVE_PING;
	case KEEPALIVE_AWAITING:
		/* This process may have been stopped meanwhile: what came is read first. */
		k->state = KEEPALIVE_LOOKING;
		k->next = now + KEEPALIVE_LOOK;
		break;
	case KEEPALIVE_LOOKING:
		if (now - k->next > KEEPALIVE_LOOK) { /* stopped again while it looked */
			k->next = now + KEEPALIVE_LOOK;
			break;
		}
		k->state = KEEPALIVE_OFF;
		return KEEPALIVE_DEAD;
	}
	return KEEPALIVE_NOTHING;
}

void keepalive_left(struct keepalive *k, int64_t now)
{
	if (k->state != KEEPALIVE_LEAVING)
		return;
	k->left = now;
	k->mark = k->acked = 0;
	if (keepalive_patience(k) > 0) {
		k->state = KEEPALIVE_AWAITING;
		k->next = now + keepalive_patience(k);
	} else {
		go_idle(k, now);
	}
}

void keepalive_heard(struct keepalive *k, int64_t now)
{
	if (k->any && is_judging(k))
		go_idle(k, now);
}

static void note_rtt(struct keepalive *k, double rtt)
{
	k->rtt = rtt;
	k->srtt = k->srtt < 0 ? rtt : k->srtt + (rtt - k->srtt) / 8;
}

void keepalive_pong(struct keepalive *k, int64_t now)
{
	if (k->left)
		note_rtt(k, (double)(now - k->left) / 1e6);
	k->left = 0; /* a second Pong is an unsolicited one */
	if (is_judging(k))
		go_idle(k, now);
}

/*
 * Reading again: the answer may lie in the kernel's buffer, so the peer gets its whole time
 * anew.
 */
void keepalive_pause(struct keepalive *k, bool paused, int64_t now)
{
	if (k->paused && !paused && is_judging(k)) {
		k->state = KEEPALIVE_AWAITING;
		k->next = now + keepalive_patience(k);
	}
	k->paused = paused;
}

void keepalive_check(struct keepalive *k, int64_t now)
{
	k->checking = true;
	if (k->state == KEEPALIVE_LEAVING)
		return;
	k->state = KEEPALIVE_IDLE; /* a ping from before does not count: it may be lost */
	k->next = now;
}

void keepalive_acked(struct keepalive *k, uint64_t acked, int64_t now)
{
	if (!is_judging(k) || now < k->next || k->mark == 0)
		return;
	if (acked < k->mark && acked > k->acked) {
		k->state = KEEPALIVE_AWAITING;
		k->next = now + keepalive_patience(k);
	}
	k->acked = acked;
}
