/* SPDX-License-Identifier: Apache-2.0 */
/* One dial from beginning to end, and what it reported. */
#ifndef WSB_UNIT_NET_DIAL_TEST_H
#define WSB_UNIT_NET_DIAL_TEST_H

#include "net_peer.h"

#include "base/rand.h"
#include "net/dial.h"
#include "net/stream.h"
#include "net/tls.h"

struct attempt {
	struct loop *loop;
	struct dialer *dialer;
	struct dial *dial; /* NULL: over */
	bool done;
	struct stream *stream;
	struct dial_report
		report; /* a copy; it refers to the next three, so it outlives the dial */
	struct happy_try tries[HAPPY_MAX];
	char addresses[HAPPY_MAX][128];
	char peer[128];
	struct error err;
	char tls_version[16], proxy_tls_version[16];
};

static inline void keep_report(struct attempt *t, const struct dial_report *report)
{
	struct dial_report *copy = dial_report_copy(report);

	t->report = *copy;
	assert_true(copy->n_tries <= HAPPY_MAX);
	for (size_t i = 0; i < copy->n_tries; i++) {
		t->tries[i] = copy->tries[i];
		snprintf(t->addresses[i], sizeof(t->addresses[i]), "%s", copy->tries[i].address);
		t->tries[i].address = t->addresses[i];
	}
	t->report.tries = t->tries;
	snprintf(t->peer, sizeof(t->peer), "%s", copy->peer);
	t->report.peer = t->peer;
	free(copy);
}

static inline void on_dialed(void *arg, struct stream *stream, const struct dial_report *report,
			     const struct error *err)
{
	struct attempt *t = arg;

	assert_false(t->done);
	assert_true((stream == NULL) == (err != NULL));
	t->done = true;
	t->stream = stream;
	keep_report(t, report);
	if (err)
		t->err = *err;
	if (report->tls)
		snprintf(t->tls_version, sizeof(t->tls_version), "%s", report->tls->version);
	if (report->proxy_tls)
		snprintf(t->proxy_tls_version, sizeof(t->proxy_tls_version), "%s",
			 report->proxy_tls->version);
}

static inline void attempt_begin(struct attempt *t, const struct dial_params *params)
{
	memset(t, 0, sizeof(*t));
	t->loop = loop_new();
	t->dialer = dialer_new(t->loop);
	t->dial = dial_start(t->dialer, params, on_dialed, t);
	assert_false(t->done); /* never from inside the call */
}

static inline void attempt_end(struct attempt *t)
{
	if (!t->done)
		dial_cancel(t->dial);
	stream_free(t->stream);
	loop_drain(t->loop);
	dialer_free(t->dialer);
	loop_free(t->loop);
}

static inline bool attempt_is_done(void *arg)
{
	return ((struct attempt *)arg)->done;
}

static inline void attempt_run(struct attempt *t, const struct dial_params *params)
{
	attempt_begin(t, params);
	assert_true(turn_until(t->loop, attempt_is_done, t, PATIENCE));
}

/* Its error, by the way; nothing else is left. */
static inline void attempt_once(struct attempt *t, const struct dial_params *params)
{
	attempt_run(t, params);
	attempt_end(t);
}

#endif
