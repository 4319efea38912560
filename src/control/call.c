/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs requests and brings their replies together into one line. It knows no
 * method but by the table and writes nothing. The trap: a handler can cause
 * bridge events, which come back in here and may answer other calls; a call
 * that replies is gone at once, and nothing is used of it afterwards.
 */
#include "control/call.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "control/events.h"
#include "control/methods.h"

#define LOOK_AGAIN ((int64_t)1000 * 1000)

/* Of one line: what its answers may come to; the cap leaves room for an error for each of them. */
#define ANSWER_MAX ((size_t)64 << 20)
#define BATCH_MAX ((size_t)16 << 20)
#define ANSWERS_CAP (ANSWER_MAX + RPC_BATCH_MAX * 2048)

/* Of one connection: messages that its calls keep, and with them the answers that wait. */
#define HELD_MESSAGES_MAX ((size_t)32 << 20)
#define HELD_MAX ((size_t)96 << 20)

/* Appends to what is there already, as text: trees of many answers would be ten times as large. */
static bool append(struct exchange *e, const json_t *answer, size_t max)
{
	size_t n;
	char *text = rpc_line(answer, &n);
	struct span whole = span_of(text, n - 1);
	size_t before = e->answers.len;
	bool fits = before + n + 1 <= max && (max == ANSWERS_CAP || *e->held + n <= HELD_MAX);

	if (fits && e->batch)
		fits = buf_append(&e->answers, span_str(e->answers.len ? "," : "["));
	fits = fits && buf_append(&e->answers, whole);
	*e->held += e->answers.len - before;
	free(text);
	return fits;
}

/* answer is taken; NULL for a notification. */
static void add_answer(struct exchange *e, json_t *answer)
{
	struct error err;
	json_t *instead;

	if (!append(e, answer, e->batch ? BATCH_MAX : ANSWER_MAX)) {
		error_set(&err, ERR_OVERFLOW, "the answer is too large");
		instead = rpc_answer_error(json_object_get(answer, "id"),
					   rpc_error_object(&err, NULL, NULL));
		append(e, instead, ANSWERS_CAP);
		json_decref(instead);
	}
	json_decref(answer);
}

static void end_line(struct exchange *e)
{
	size_t before = e->answers.len;

	buf_append(&e->answers, span_str(e->batch ? "]\n" : "\n"));
	*e->held += e->answers.len - before;
}

static void exchange_release(struct exchange *e)
{
	if (--e->pending > 0)
		return;
	e->done = true;
	if (e->answers.len > 0)
		end_line(e);
	e->line = buf_bytes(&e->answers);
	if (e->on_done)
		e->on_done(e->arg);
}

static void exchange_answer(struct exchange *e, json_t *answer)
{
	if (answer)
		add_answer(e, answer);
	exchange_release(e);
}

/* What comes from upstreams goes first to the calls that may take it away. */
static bool hear(struct call_env *env, struct bridge *b, const struct record *r, bool claims)
{
	list_each(it, next, &env->waiting) {
		struct call *c = list_entry(it, struct call, node);

		if (!c->hear || c->claims != claims || strcmp(c->params.name, bridge_name(b)) != 0)
			continue;
		if (c->hear(c, r))
			return true;
	}
	return false;
}

static void on_show(void *arg, struct bridge *b, const struct record *r)
{
	struct call_env *env = arg;

	events_add(env->events, b, r);
	if (r && !hear(env, b, r, true))
		hear(env, b, r, false);
}

void call_env_attend(struct call_env *env)
{
	bool wanted = env->n_hearing > 0 || events_wanted(env->events);
	const struct bridge_tap tap = { .cb = wanted ? on_show : NULL, .arg = env };

	if (!env->over)
		registry_tap(env->host.registry, &tap);
}

static void on_events_wanted(void *arg)
{
	call_env_attend(arg);
}

void call_env_init(struct call_env *env, const struct control_host *host)
{
	*env = (struct call_env){ .host = *host };
	list_init(&env->waiting);
	env->events = events_new(host->loop, rand_system(), on_events_wanted, env);
}

void call_env_deinit(struct call_env *env)
{
	events_free(env->events);
	env->events = NULL;
}

void call_listen(struct call *c, call_hear *hear_it, bool claims)
{
	assert(!c->hear);
	c->hear = hear_it;
	c->claims = claims;
	c->env->n_hearing++;
	call_env_attend(c->env);
}

static void stop_listening(struct call *c)
{
	if (!c->hear)
		return;
	c->hear = NULL;
	c->env->n_hearing--;
	call_env_attend(c->env);
}

bool call_hold(struct call *c, size_t n)
{
	c->held += n;
	*c->exchange->held += n;
	return *c->exchange->held < HELD_MESSAGES_MAX;
}

static void call_free(struct call *c)
{
	stop_listening(c);
	*c->exchange->held -= c->held;
	json_decref(c->messages);
	list_remove(&c->node);
	list_remove(&c->sibling);
	timer_deinit(&c->timer);
	params_deinit(&c->params, c->method->params);
	json_decref(c->id);
	free(c);
}

static struct reply give(struct call *c, json_t *answer)
{
	struct exchange *e = c->exchange;

	call_free(c);
	exchange_answer(e, answer);
	return (struct reply){ 1 };
}

struct reply reply_ok(struct call *c, json_t *result)
{
	json_t *answer = c->id ? rpc_answer_ok(c->id, result) : NULL;

	if (!answer)
		json_decref(result);
	return give(c, answer);
}

struct reply reply_error_with(struct call *c, const struct error *err, json_t *more)
{
	json_t *object = rpc_error_object(err, c->params.name, more);
	json_t *answer = c->id ? rpc_answer_error(c->id, object) : NULL;

	if (!answer)
		json_decref(object);
	return give(c, answer);
}

struct reply reply_error(struct call *c, const struct error *err)
{
	return reply_error_with(c, err, NULL);
}

static void arm(struct call *c)
{
	int64_t delay = LOOK_AGAIN, left = c->deadline - loop_now(c->env->host.loop);

	if (c->deadline >= 0 && left < delay)
		delay = left;
	timer_arm(&c->timer, delay);
}

static void on_timer(void *arg)
{
	struct call *c = arg;
	struct bridge *b = c->params.name ? registry_find(c->env->host.registry, c->params.name) :
					    NULL;
	bool over = c->deadline >= 0 && loop_now(c->env->host.loop) >= c->deadline;

	arm(c);
	c->check(c, b, over ? CALL_TIMEOUT : CALL_NEWS);
}

struct reply reply_in_turn(struct call *c, call_check *check, int64_t timeout)
{
	struct loop *loop = c->env->host.loop;

	assert(!c->check);
	c->check = check;
	c->deadline = timeout < 0 ? -1 : loop_now(loop) + timeout;
	timer_init(&c->timer, loop, on_timer, c);
	list_append(&c->env->waiting, &c->node);
	arm(c);
	return (struct reply){ 1 };
}

struct reply reply_later(struct call *c, call_check *check, int64_t timeout)
{
	c->exchange->ordered = false;
	return reply_in_turn(c, check, timeout);
}

struct reply reply_not_yet(struct call *c)
{
	assert(c->check);
	return (struct reply){ 1 };
}

int64_t call_patience(const struct call *c)
{
	return c->params.timeout > 0 ? c->params.timeout : -1;
}

bool call_may_begin(const struct call *c, struct error *err)
{
	return !c->env->ending || error_set(err, ERR_NOT_OPEN, "the daemon is ending");
}

struct bridge *call_bridge(struct call *c, struct error *err)
{
	const struct registry *all = c->env->host.registry;
	struct bridge *b = registry_find(c->env->host.registry, c->params.name);
	const char **names, *near;
	size_t n = registry_count(all);

	if (b)
		return b;
	names = mem_array(n + 1, sizeof(*names));
	for (size_t i = 0; i < n; i++)
		names[i] = bridge_name(registry_at(all, i));
	near = schema_nearest(c->params.name, names);
	if (near)
		error_set(err, ERR_NO_SUCH_BRIDGE, "no bridge \"%s\"; did you mean \"%s\"?",
			  c->params.name, near);
	else
		error_set(err, ERR_NO_SUCH_BRIDGE, "no bridge \"%s\"", c->params.name);
	free(names);
	return NULL;
}

static struct exchange *exchange_begin(const struct exchange_params *p)
{
	struct exchange *e = mem_zalloc(sizeof(*e));

	list_init(&e->node);
	list_init(&e->calls);
	e->ordered = true;
	e->pending = 1;
	buf_init(&e->answers, ANSWERS_CAP);
	e->held = p->held ? p->held : &e->own_held;
	e->reader = p->reader;
	e->arg = p->arg;
	return e;
}

static void refuse(struct exchange *e, const struct rpc_request *rq, const struct error *err)
{
	json_t *object = rq->id ? rpc_error_object(err, NULL, NULL) : NULL;

	exchange_answer(e, object ? rpc_answer_error(rq->id, object) : NULL);
}

static void run(struct exchange *e, const struct exchange_params *p, const struct rpc_request *rq)
{
	struct error err = rq->err;
	struct params params = { 0 };
	const struct method *m = err.code == ERR_NONE ? method_find(rq->method, &err) : NULL;
	struct call *c;

	if (!m || !method_allowed(m, p->level, &err) ||
	    !params_read(&params, m->params, rq, &err)) {
		refuse(e, rq, &err);
		return;
	}
	c = mem_zalloc(sizeof(*c));
	list_init(&c->node);
	list_append(&e->calls, &c->sibling);
	c->env = p->env;
	c->exchange = e;
	c->method = m;
	c->request = rq;
	c->id = json_incref(rq->id);
	c->params = params;
	if (m->right == LEVEL_ADMIN)
		log_info(p->who, "%s %s", m->name, params.name ? params.name : "");
	m->run(c);
}

/* The handlers are through; the input goes. */
static void forget_requests(struct exchange *e)
{
	list_each(it, next, &e->calls)
		list_entry(it, struct call, sibling)->request = NULL;
}

struct exchange *exchange_new(const struct exchange_params *p, struct span line)
{
	struct exchange *e = exchange_begin(p);
	struct rpc_input in;

	rpc_input_init(&in, line, p->max_line);
	e->batch = in.batch;
	e->pending += in.n;
	for (size_t i = 0; i < in.n; i++)
		run(e, p, &in.requests[i]);
	forget_requests(e);
	rpc_input_deinit(&in);
	exchange_release(e);
	e->on_done = p->on_done;
	return e;
}

struct exchange *exchange_too_long(const struct exchange_params *p)
{
	struct exchange *e = exchange_begin(p);
	struct error err;
	json_t *id = json_null();

	rpc_error_too_long(&err, p->max_line);
	exchange_answer(e, rpc_answer_error(id, rpc_error_object(&err, NULL, NULL)));
	return e;
}

void exchange_free(struct exchange *e)
{
	list_each(it, next, &e->calls)
		call_free(list_entry(it, struct call, sibling));
	list_remove(&e->node);
	*e->held -= e->answers.len;
	buf_deinit(&e->answers);
	free(e);
}

void call_env_bridge_event(struct call_env *env, struct bridge *b)
{
	list_each(it, next, &env->waiting) {
		struct call *c = list_entry(it, struct call, node);

		if (c->params.name && strcmp(c->params.name, bridge_name(b)) == 0)
			c->check(c, b, CALL_NEWS);
	}
}

size_t call_env_waiting(const struct call_env *env)
{
	size_t n = 0;

	list_each(it, next, &env->waiting)
		n++;
	return n;
}

void call_env_finish(struct call_env *env)
{
	const struct bridge_tap nobody = { 0 };
	struct error err;

	error_set(&err, ERR_NOT_OPEN, "the daemon ended before it was done");
	registry_tap(env->host.registry, &nobody);
	env->over = true;
	list_each(it, next, &env->waiting) {
		struct call *c = list_entry(it, struct call, node);

		if (c->ends_well)
			reply_ok(c, json_object());
		else
			reply_error(c, &err);
	}
}
