/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What local clients sent comes to the server in their order, and no message
 * twice. A connection that was frozen may be read when a later one has been
 * heard already: so the order is one for each connection, and what came on the
 * later one begins behind all that went out on the earlier.
 */
#include "sim/inbox.h"

#include <stdlib.h>

#include "base/mem.h"
#include "sim/server.h"
#include "sim/stamp.h"
#include "sim/trace.h"

static struct letters *letters_of(struct feed *f, uint64_t client)
{
	while (client >= f->inbox.n) {
		f->inbox.of = mem_grow(f->inbox.of, f->inbox.n + 1, sizeof(*f->inbox.of));
		f->inbox.of[f->inbox.n++] = (struct letters){ 0 };
	}
	return &f->inbox.of[client];
}

static uint64_t *latest_of(struct conn *c, uint64_t client)
{
	while (client >= c->n_heard) {
		c->heard = mem_grow(c->heard, c->n_heard + 1, sizeof(*c->heard));
		c->heard[c->n_heard++] = 0;
	}
	return &c->heard[client];
}

/* Since the bucket was made, full. */
static void check_rate(struct feed *f)
{
	const struct bridge_conf *conf = f->conf;
	int64_t burst = conf->common->rate.burst ? conf->common->rate.burst :
						   conf->common->rate.messages;
	double lived = (double)(world_now(f->sim) - SIM_BEGIN);
	double most = (double)burst + 1 +
		      lived * (double)conf->common->rate.messages / (double)conf->common->rate.per;

	if ((double)f->inbox.received > most)
		trace_fail(f->sim, "%s: %llu messages, its rate allows %.0f", f->name,
			   (unsigned long long)f->inbox.received, most);
}

void inbox_message(struct conn *c, struct span payload)
{
	struct feed *f = c->feed;
	struct letters *letters;
	struct stamp st;

	if (payload.n > 0 && payload.p[payload.n - 1] != '}')
		return; /* the line of a client that died in the middle of it */
	if (!stamp_read(payload, 'k', &st))
		trace_fail(f->sim, "%s: a message that nobody sent: %.*s", f->name,
			   (int)(payload.n < 60 ? payload.n : 60), (const char *)payload.p);
	if (st.n <= *latest_of(c, st.who))
		trace_fail(f->sim, "%s/%u: message %llu of client %llu comes after %llu", f->name,
			   (unsigned)c->serial, (unsigned long long)st.n,
			   (unsigned long long)st.who, (unsigned long long)*latest_of(c, st.who));
	*latest_of(c, st.who) = st.n;
	letters = letters_of(f, st.who);
	if (!seen_add(&letters->come, st.n))
		trace_fail(f->sim, "%s/%u: message %llu of client %llu comes twice", f->name,
			   (unsigned)c->serial, (unsigned long long)st.n,
			   (unsigned long long)st.who);
	if (seen_has(&letters->refused, st.n))
		trace_fail(f->sim, "%s/%u: message %llu of client %llu comes, and was refused",
			   f->name, (unsigned)c->serial, (unsigned long long)st.n,
			   (unsigned long long)st.who);
	f->inbox.received++;
	if (f->conf->common->rate.messages && !f->changed)
		check_rate(f);
}

void inbox_refused(struct feed *f, struct stamp st)
{
	struct letters *l = letters_of(f, st.who);

	seen_add(&l->refused, st.n);
	if (seen_has(&l->come, st.n))
		trace_fail(f->sim,
			   "%s: client %llu is told that message %llu is not sent, which "
			   "the server has",
			   f->name, (unsigned long long)st.who, (unsigned long long)st.n);
}

void inbox_deinit(struct feed *f)
{
	for (size_t i = 0; i < f->inbox.n; i++)
		seen_deinit(&f->inbox.of[i].come), seen_deinit(&f->inbox.of[i].refused);
	free(f->inbox.of);
}
