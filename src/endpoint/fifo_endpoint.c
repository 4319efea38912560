/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An endpoint that is a FIFO to write messages to, or one to read records
 * from, or both. Whoever reads `out` is its one client. Who writes to `in` is
 * not to be seen: `in` itself is a client that never comes and never leaves,
 * and what is answered to it goes to the reader of `out`. Owned by a bridge.
 * The trap: after a client has left, the fifo may give out the next one while
 * it is told so.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "endpoint/endpoint_int.h"
#include "net/fifo.h"
#include "net/stream.h"

/* A reader that was turned away, and is still there, is told again after so long. */
#define REFUSE_EVERY 1000000

struct fifo_side {
	struct fifo_endpoint *owner;
	struct fifo *fifo; /* NULL = there is none on this side */
	char *name;
	struct client *client; /* the stream that was given out last; NULL = it has left */
};

struct fifo_endpoint {
	struct endpoint base;
	struct fifo_side out, in;
	struct timer again; /* the reader was turned away */
};

static struct fifo_endpoint *of(struct endpoint *e)
{
	return (struct fifo_endpoint *)(void *)e;
}

static void add_client(struct fifo_side *s, struct stream *stream, bool is_in)
{
	const struct client_peer peer = {
		.stream = stream,
		.fd = -1,
		.name = s->name,
		.uid = (uid_t)-1,
		.deaf = is_in,
		.unlisted = is_in,
	};

	s->client = endpoint_add_client(&s->owner->base, &peer);
}

static void on_broken(struct fifo_side *s, const struct error *err)
{
	endpoint_emit(
		&s->owner->base,
		&(struct endpoint_event){ .type = ENDPOINT_BROKEN, .err = err, .name = s->name });
}

static void on_out(void *arg, enum fifo_event event, struct stream *stream, const struct error *err)
{
	struct fifo_side *s = arg;
	struct error refused;

	switch (event) {
	case FIFO_PEER:
		if (endpoint_has_place(&s->owner->base, &refused)) {
			add_client(s, stream, false);
			break;
		}
		stream_free(stream);
		timer_arm(&s->owner->again, REFUSE_EVERY);
		endpoint_refuse(&s->owner->base, s->name, &refused);
		break;
	case FIFO_BROKEN:
		on_broken(s, err);
		break;
	}
}

static void on_again(void *arg)
{
	struct fifo_endpoint *f = arg;

	fifo_next(f->out.fifo);
}

static void on_in(void *arg, enum fifo_event event, struct stream *stream, const struct error *err)
{
	switch (event) {
	case FIFO_PEER:
		add_client(arg, stream, true);
		break;
	case FIFO_BROKEN:
		on_broken(arg, err);
		break;
	}
}

/* An `in` whose FIFO was taken away is read to its end, and has a successor by then. */
static void fifo_left(struct endpoint *e, struct client *c)
{
	struct fifo_endpoint *f = of(e);
	struct fifo_side *s = c->unlisted ? &f->in : &f->out;

	e->totals.dropped += c->lost;
	if (s->client != c)
		return;
	s->client = NULL;
	fifo_next(s->fifo);
}

static void fifo_stop_accepting(struct endpoint *e)
{
	struct fifo_endpoint *f = of(e);

	if (f->out.fifo)
		fifo_stop(f->out.fifo);
	if (f->in.fifo)
		fifo_stop(f->in.fifo);
}

static void side_deinit(struct fifo_side *s)
{
	fifo_free(s->fifo);
	free(s->name);
}

static void fifo_endpoint_free(struct endpoint *e)
{
	struct fifo_endpoint *f = of(e);

	side_deinit(&f->out);
	side_deinit(&f->in);
	timer_deinit(&f->again);
	endpoint_deinit(e);
	free(f);
}

static const struct endpoint_ops fifo_ops = {
	.stop_accepting = fifo_stop_accepting,
	.left = fifo_left,
	.free = fifo_endpoint_free,
};

static bool open_side(struct fifo_side *s, struct loop *l, const struct endpoint_conf *conf,
		      bool out, struct error *err)
{
	const struct fifo_params params = {
		.path = out ? conf->fifo_out : conf->fifo_in,
		.out = out,
		.mode = conf->rules->mode,
		.owner = conf->rules->owner,
		.group = conf->rules->group,
	};

	if (!params.path)
		return true;
	s->fifo = fifo_new(l, &params, err);
	if (s->fifo)
		s->name = mem_printf("fifo %s", params.path);
	return s->fifo != NULL;
}

static void start_side(struct fifo_side *s, struct fifo_endpoint *owner, fifo_cb cb)
{
	s->owner = owner;
	if (s->fifo)
		fifo_start(s->fifo, cb, s);
}

struct endpoint *fifo_endpoint_new(struct loop *l, const struct endpoint_params *params,
				   struct error *err)
{
	struct fifo_side out = { .fifo = NULL }, in = { .fifo = NULL };
	struct fifo_endpoint *f;

	if (!open_side(&out, l, params->conf, true, err) ||
	    !open_side(&in, l, params->conf, false, err)) {
		side_deinit(&out);
		return NULL;
	}
	f = mem_zalloc(sizeof(*f));
	endpoint_init(&f->base, l, params, &fifo_ops);
	timer_init(&f->again, l, on_again, f);
	f->out = out;
	f->in = in;
	start_side(&f->out, f, on_out);
	start_side(&f->in, f, on_in);
	return &f->base;
}
