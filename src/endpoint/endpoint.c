/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every endpoint does with messages: they are encoded once for all
 * clients, and handed out at the end of the turn. It decides nothing about
 * messages: its bridge does; and knows nothing of sockets: its kind does.
 * Owned by a bridge. The trap: calls from the bridge never lead back into its
 * callback; drops and departures are reported at the end of the turn.
 */
#include "endpoint/endpoint.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "endpoint/endpoint_int.h"

/* What waits for a client that is being closed has so long to get there. */
#define CLOSE_TIME 5000000
/* So many answers wait for a client that reads none: with "block" nothing else bounds them. */
#define ANSWERS_MAX 4096

struct endpoint *endpoint_new(struct loop *l, const struct endpoint_params *params,
			      struct error *err)
{
	return params->conf->unix_path ? unix_endpoint_new(l, params, err) :
					 fifo_endpoint_new(l, params, err);
}

static void begin_work(struct endpoint *e)
{
	struct endpoint_work *w = e->work;

	if (w)
		return;
	w = e->work = mem_alloc(sizeof(*w));
	batch_init(&w->batch);
	deferred_init(&w->turn_end, endpoint_on_turn_end, e);
	timer_init(&w->check, e->loop, endpoint_on_check, e);
	timer_init(&w->deadline, e->loop, endpoint_on_deadline, e);
}

void endpoint_end_work(struct endpoint *e)
{
	struct endpoint_work *w = e->work;

	if (!w)
		return;
	e->work = NULL;
	e->resuming = false; /* by the turn's end, which is off */
	batch_deinit(&w->batch);
	deferred_cancel(&w->turn_end);
	timer_deinit(&w->check);
	timer_deinit(&w->deadline);
	free(w);
}

void endpoint_init(struct endpoint *e, struct loop *l, const struct endpoint_params *params,
		   const struct endpoint_ops *ops)
{
	const struct endpoint_conf *conf = params->conf;
	const struct endpoint_rules *rules = conf->rules;

	e->ops = ops;
	e->loop = l;
	e->conf = conf;
	e->rules = rules;
	e->owner = bridge_conf_ref(params->owner);
	e->quota = params->quota;
	e->cb = params->cb;
	e->arg = params->arg;
	framing_init(&e->framing, rules, e->owner->common->max_message);
	list_init(&e->clients);
	if (rules->replay == 0)
		return;
	e->replay = mem_alloc(sizeof(*e->replay));
	replay_init(e->replay, &e->framing, (size_t)rules->replay, rules->queue);
	begin_work(e);
}

void endpoint_deinit(struct endpoint *e)
{
	assert(e->calling == 0);
	list_each(it, next, &e->clients)
		client_free(endpoint_client_of(it));
	e->quota->clients -= e->n_clients;
	endpoint_end_work(e);
	if (e->replay)
		replay_deinit(e->replay);
	free(e->replay);
	e->replay = NULL;
	bridge_conf_unref(e->owner);
}

void endpoint_free(struct endpoint *e)
{
	if (e)
		e->ops->free(e);
}

void endpoint_flush(struct endpoint *e)
{
	struct batch *b = e->work ? &e->work->batch : NULL;

	if (!b || b->records == 0)
		return;
	if (e->target) {
		e->totals.dropped += client_send(e->target, b->ranges, b->n_ranges);
	} else {
		for (size_t i = 0; e->replay && i < b->n_ranges; i++)
			replay_add(e->replay, &b->ranges[i]);
		list_each(it, next, &e->clients)
			e->totals.dropped += client_send(endpoint_client_of(it), b->ranges,
							 b->n_ranges);
	}
	batch_clear(b);
}

static void give_replay(struct endpoint *e, struct client *c)
{
	for (size_t i = 0; e->replay && i < replay_n_runs(e->replay); i++)
		e->totals.dropped += client_send(c, replay_run(e->replay, i), 1);
}

bool endpoint_has_place(const struct endpoint *e, struct error *err)
{
	if (e->n_clients >= (size_t)e->rules->max_clients)
		return error_set(err, ERR_OVERFLOW, "refused: max_clients is %zu",
				 (size_t)e->rules->max_clients);
	if (e->quota->clients >= e->quota->max_clients)
		return error_set(err, ERR_OVERFLOW, "refused: limits.clients is %zu",
				 e->quota->max_clients);
	return true;
}

static void start_checking(struct endpoint *e)
{
	if (!timer_is_armed(&e->work->check))
		timer_arm(&e->work->check, ENDPOINT_CHECK_INTERVAL);
}

struct client *endpoint_add_client(struct endpoint *e, const struct client_peer *peer)
{
	struct client_params params = {
		.peer = peer,
		.framing = &e->framing,
		.rules = e->rules,
		.quota = e->quota,
		.cb = endpoint_on_client,
		.arg = e,
	};
	struct endpoint_event came = { .type = ENDPOINT_CAME };
	struct client *c;

	endpoint_flush(e); /* what came before it is not for it */
	begin_work(e);
	c = client_new(e->loop, &params);
	if (e->paused || e->resuming)
		client_pause(c);
	if (e->paused)
		start_checking(e);
	list_append(&e->clients, &c->node);
	if (c->unlisted)
		return c;
	e->n_clients++;
	e->n_hearing += c->state == CLIENT_HEARING;
	e->quota->clients++;
	if (e->rules->access != ACCESS_W)
		give_replay(e, c);
	came.client = c->id;
	came.name = c->name;
	endpoint_emit(e, &came);
	return c;
}

static struct client *find(const struct endpoint *e, client_id id)
{
	if (e->target && e->target->id == id)
		return e->target;
	list_each(it, next, &e->clients)
		if (endpoint_client_of(it)->id == id)
			return endpoint_client_of(it);
	return NULL;
}

/*
 * A message that nobody, or not the one it is for, will get. Where there are
 * gap records, its place is behind what has been sent before.
 */
static void lose(struct endpoint *e, struct client *target, const struct record *r, bool counted)
{
	endpoint_flush(e);
	list_each(it, next, &e->clients) {
		struct client *c = endpoint_client_of(it);

		if (c->state != CLIENT_HEARING || (target && c != target))
			continue;
		client_lose(c, r->seq, counted);
		e->totals.dropped += counted;
	}
}

static void count_empty(struct endpoint *e, struct client *target)
{
	list_each(it, next, &e->clients) {
		struct client *c = endpoint_client_of(it);

		c->sent += c->state == CLIENT_HEARING && (!target || c == target);
	}
}

static enum endpoint_outcome refuse_unfit(struct endpoint *e, struct client *target,
					  const struct record *r)
{
	if (e->n_hearing == 0)
		return ENDPOINT_NOBODY;
	if (r->type != RECORD_MESSAGE)
		return ENDPOINT_UNFIT;
	e->totals.unfit++;
	if (e->framing.ops->seq_of)
		lose(e, target, r, false);
	return ENDPOINT_UNFIT;
}

/* An empty packet would look like the end of input to many a reader. */
static bool can_carry(const struct endpoint *e, const struct record *r, struct framing_plan *plan)
{
	return framing_measure(&e->framing, r, plan) &&
	       (plan->size > 0 || e->rules->type != SOCKET_SEQPACKET);
}

/* Or now, if the batch is full. */
static inline void flush_later(struct endpoint *e)
{
	if (batch_is_full(&e->work->batch))
		endpoint_flush(e);
	else
		loop_defer(e->loop, &e->work->turn_end);
}

static enum endpoint_outcome put(struct endpoint *e, struct client *target, const struct record *r)
{
	enum endpoint_outcome outcome = e->n_hearing > 0 ? ENDPOINT_SENT : ENDPOINT_NOBODY;
	struct framing_plan plan;

	if (!can_carry(e, r, &plan))
		return refuse_unfit(e, target, r);
	if (plan.size == 0) {
		count_empty(e, target);
		return outcome;
	}
	if (e->target != target)
		endpoint_flush(e);
	e->target = target;
	if (!batch_add(&e->work->batch, &e->framing, r, &plan)) {
		lose(e, target, r, r->type == RECORD_MESSAGE);
		return outcome;
	}
	e->totals.replaced += plan.replaced;
	flush_later(e);
	return outcome;
}

static bool has_use(const struct endpoint *e, bool message)
{
	bool is_kept = e->replay && message;

	return e->rules->access != ACCESS_W && (e->n_hearing > 0 || is_kept);
}

enum endpoint_outcome endpoint_send(struct endpoint *e, const struct record *r)
{
	return has_use(e, r->type == RECORD_MESSAGE) ? put(e, NULL, r) : ENDPOINT_NOBODY;
}

/* As many, from the first, as the framing makes records of at one go. */
static size_t put_plain(struct endpoint *e, const struct msg *msgs, size_t n)
{
	if (e->target)
		endpoint_flush(e);
	e->target = NULL;
	n = batch_add_plain(&e->work->batch, &e->framing, msgs, n);
	if (n > 0)
		flush_later(e);
	return n;
}

size_t endpoint_send_messages(struct endpoint *e, const struct record *first,
			      const struct msg *msgs, size_t n)
{
	struct record r = *first;
	size_t heard = 0;

	for (size_t i = 0, some; i < n && has_use(e, true); i += some) {
		bool hears = e->n_hearing > 0; /* at the end of the batch it may be gone */

		some = put_plain(e, msgs + i, n - i);
		if (some == 0) {
			r.msg = msgs[i];
			r.seq = first->seq + i;
			r.continued = first->continued && i == 0;
			put(e, NULL, &r);
			some = 1;
		}
		if (hears)
			heard = i + some;
	}
	return heard;
}

/* Of a client without a way back: what is answered to it goes to the one beside it. */
static struct client *who_hears_for_it(const struct endpoint *e)
{
	list_each(it, next, &e->clients)
		if (endpoint_client_of(it)->state == CLIENT_HEARING)
			return endpoint_client_of(it);
	return NULL;
}

enum endpoint_outcome endpoint_send_to(struct endpoint *e, client_id client, const struct record *r)
{
	bool is_answer = r->type == RECORD_ACK || r->type == RECORD_ERROR;
	struct client *c = find(e, client);

	if (c && c->unlisted)
		c = who_hears_for_it(e);
	if (!c || c->state != CLIENT_HEARING || (e->rules->access == ACCESS_W && !is_answer))
		return ENDPOINT_NOBODY;
	if (is_answer && c->blocked && c->queue.events >= ANSWERS_MAX)
		return ENDPOINT_NOBODY;
	return put(e, c, r);
}

bool endpoint_is_full(struct endpoint *e)
{
	bool full = false;

	endpoint_flush(e);
	if (e->rules->overflow != OVERFLOW_BLOCK)
		return false;
	list_each(it, next, &e->clients)
		full = full || endpoint_client_of(it)->blocked;
	return full;
}

bool endpoint_client_is_full(struct endpoint *e, client_id client)
{
	const struct client *c;

	endpoint_flush(e);
	c = find(e, client);
	return c && c->blocked;
}

void endpoint_pause(struct endpoint *e)
{
	if (e->paused)
		return;
	e->paused = true;
	e->resuming = false;
	list_each(it, next, &e->clients)
		client_pause(endpoint_client_of(it));
	if (!list_empty(&e->clients))
		start_checking(e);
}

/* The clients read on at the end of the turn. */
static void resume_later(struct endpoint *e)
{
	if (list_empty(&e->clients))
		return;
	e->resuming = true;
	loop_defer(e->loop, &e->work->turn_end);
}

void endpoint_resume(struct endpoint *e)
{
	if (!e->paused)
		return;
	e->paused = false;
	resume_later(e);
}

void endpoint_pause_client(struct endpoint *e, client_id client)
{
	struct client *c = find(e, client);

	if (!c)
		return;
	c->alone = true;
	client_pause(c);
	start_checking(e);
}

void endpoint_resume_client(struct endpoint *e, client_id client)
{
	struct client *c = find(e, client);

	if (!c || !c->alone)
		return;
	c->alone = false;
	if (!e->paused)
		resume_later(e);
}

void endpoint_close_client(struct endpoint *e, client_id client)
{
	struct client *c = find(e, client);

	endpoint_flush(e);
	if (c)
		client_close(c, loop_now(e->loop) + CLOSE_TIME);
}

bool endpoint_has_client(const struct endpoint *e, client_id client)
{
	const struct client *c = find(e, client);

	return c && c->state != CLIENT_GONE;
}

void endpoint_stop_accepting(struct endpoint *e)
{
	e->ops->stop_accepting(e);
}

size_t endpoint_pending(const struct endpoint *e)
{
	size_t bytes = e->work ? e->work->batch.bytes * (e->target ? 1 : e->n_hearing) : 0;

	list_each(it, next, &e->clients)
		bytes += endpoint_client_of(it)->queue.bytes;
	return bytes;
}

const struct endpoint_conf *endpoint_configuration(const struct endpoint *e)
{
	return e->conf;
}

size_t endpoint_n_clients(const struct endpoint *e)
{
	return e->n_clients;
}

bool endpoint_client_at(const struct endpoint *e, size_t i, struct endpoint_client *out)
{
	list_each(it, next, &e->clients) {
		const struct client *c = endpoint_client_of(it);

		if (c->unlisted || i-- > 0)
			continue;
		*out = (struct endpoint_client){
			.id = c->id,
			.pid = c->pid,
			.uid = c->uid,
			.queued = c->queue.bytes,
			.dropped = c->dropped,
			.sent = c->sent,
			.received = c->received,
			.slow = client_is_slow(c),
		};
		return true;
	}
	return false;
}

void endpoint_totals(const struct endpoint *e, struct endpoint_totals *out)
{
	*out = e->totals;
}
