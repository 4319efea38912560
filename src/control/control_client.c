/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cuts what a client writes into lines, makes an exchange of each, and writes
 * their answers. A client that asks faster than it reads is not read from
 * meanwhile; one that does not read at all is dropped. The trap: an answer may
 * become due in the middle of another client's call, so writing, going on and
 * ending all happen at the end of the turn.
 */
#include "control/control_client.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/lines.h"
#include "base/log.h"
#include "base/mem.h"
#include "control/events.h"
#include "net/stream.h"

#define OUT_ENOUGH ((size_t)1 << 20)	  /* more waits already: answers stay where they are */
#define OUT_MAX ((size_t)128 << 20)	  /* with the answer that passes OUT_ENOUGH */
#define OUT_PAUSE ((size_t)256 << 10)	  /* more waits: no further line is looked at */
#define EXCHANGES_MAX 64		  /* the same for lines without an answer */
#define HELD_MAX ((size_t)1 << 20)	  /* read, but not looked at: a read of the loop fits */
#define LEAVE_MAX ((int64_t)30 * 1000000) /* for the answers to one that is dismissed */

struct control_client {
	struct call_env *env;
	enum conf_level level;
	struct stream *stream;
	struct lines lines;
	size_t max_line;
	struct buf held;       /* input that waits for room */
	bool eof;	       /* no input comes after `held` */
	struct list exchanges; /* in the order of their lines */
	size_t n_exchanges;
	size_t answers; /* bytes that they, and their calls, keep */
	struct event_reader *reader;
	struct buf out;
	struct timer stall;
	struct deferred turn; /* the end of the turn */
	struct timer leave;   /* until then it may wait for answers, once it is dismissed */
	bool dismissed;	      /* nothing more is taken from it */
	bool dead;	      /* over; only freeing is left */
	void (*over)(void *arg, struct control_client *c);
	void *arg;
	char label[64];
};

static void wake(void *arg)
{
	struct control_client *c = arg;

	loop_defer(c->env->host.loop, &c->turn);
}

static void end(struct control_client *c)
{
	c->dead = true;
	wake(c);
}

/* Answers that wait: for the client, or for one before them. */
static size_t waiting_bytes(const struct control_client *c)
{
	size_t n = c->out.len;

	list_each(it, next, &c->exchanges)
		n += list_entry(it, struct exchange, node)->line.n;
	return n;
}

static bool has_room(const struct control_client *c)
{
	return !c->dead && !c->dismissed && c->n_exchanges < EXCHANGES_MAX &&
	       waiting_bytes(c) < OUT_PAUSE;
}

static void add(struct control_client *c, struct exchange *e)
{
	list_append(&c->exchanges, &e->node);
	c->n_exchanges++;
}

static struct exchange_params exchange_params(struct control_client *c)
{
	return (struct exchange_params){ .env = c->env,
					 .level = c->level,
					 .who = c->label,
					 .max_line = c->max_line,
					 .reader = c->reader,
					 .held = &c->answers,
					 .on_done = wake,
					 .arg = c };
}

/*
 * Queues what may go: an ordered exchange without an answer holds back those behind it. True: there
 * is more, for when some of this has gone.
 */
static bool collect(struct control_client *c)
{
	bool blocked = false;

	list_each(it, next, &c->exchanges) {
		struct exchange *e = list_entry(it, struct exchange, node);

		if (!e->done || (e->ordered && blocked)) {
			blocked = blocked || e->ordered;
			continue;
		}
		if (c->out.len > OUT_ENOUGH)
			return true;
		if (e->line.n > 0 && !buf_append(&c->out, e->line)) {
			log_warning(c->label, "dropped: no memory for its answers");
			end(c);
			return false;
		}
		exchange_free(e);
		c->n_exchanges--;
	}
	return false;
}

/* Events wait in the ring, not here: a client that is slow misses some, and is told so. */
static void take_events(struct control_client *c)
{
	size_t n;

	while (c->out.len < OUT_PAUSE && !c->dismissed) {
		char *line = event_reader_next(c->reader, &n);

		if (!line)
			return;
		if (!buf_append(&c->out, span_of(line, n)))
			event_reader_lost(c->reader);
		free(line);
	}
}

/* Looks at lines as long as there is room for their answers. */
static void take_lines(struct control_client *c, struct span *input)
{
	struct exchange_params p = exchange_params(c);
	struct span line;

	while (has_room(c)) {
		enum lines_result got = lines_next(&c->lines, input, &line);

		if (got == LINES_MORE)
			return;
		loop_passed(c->env->host.loop, got == LINES_RECORD ? line.n : c->max_line);
		add(c, got == LINES_RECORD ? exchange_new(&p, line) : exchange_too_long(&p));
		collect(c);
	}
}

/* The last line may lack its newline. */
static void take_last_line(struct control_client *c)
{
	struct exchange_params p = exchange_params(c);
	struct span line;

	if (lines_finish(&c->lines, &line) == LINES_RECORD)
		add(c, exchange_new(&p, line));
}

static void take_held(struct control_client *c)
{
	struct span input = buf_bytes(&c->held);
	size_t n = input.n;

	take_lines(c, &input);
	buf_consume(&c->held, n - input.n);
	if (c->held.len == 0 && c->eof && has_room(c))
		take_last_line(c);
}

/* The client takes nothing for so long. */
static int64_t stall_max(const struct control_client *c)
{
	const struct control_host *host = &c->env->host;

	return host->conf(host->arg)->limits.control_stall;
}

static void offer(struct control_client *c)
{
	struct span s = buf_bytes(&c->out);
	struct iovec iov = { .iov_base = (void *)(uintptr_t)s.p, .iov_len = s.n };
	size_t taken = s.n > 0 ? stream_offer(c->stream, &iov, 1) : 0;

	loop_passed(c->env->host.loop, s.n);
	buf_consume(&c->out, taken);
	if (c->out.len == 0)
		timer_disarm(&c->stall);
	else if (taken > 0 || !timer_is_armed(&c->stall))
		timer_arm(&c->stall, stall_max(c));
}

void control_client_flush(struct control_client *c)
{
	bool more;

	do {
		more = !c->dead && collect(c);
		if (c->dead)
			return;
		take_events(c);
		offer(c);
	} while (more && c->out.len <= OUT_ENOUGH);
}

/* Who has subscribed and ended its input still reads; that it is gone, the stream tells. */
static bool is_finished(const struct control_client *c)
{
	if (c->n_exchanges > 0 || c->out.len > 0)
		return false;
	return c->dismissed ||
	       (c->eof && c->held.len == 0 && !event_reader_is_subscribed(c->reader));
}

/* The end of a turn in which something happened. */
static void on_turn(void *arg)
{
	struct control_client *c = arg;

	control_client_flush(c);
	if (!c->dead && (c->held.len > 0 || c->eof) && has_room(c)) {
		take_held(c);
		control_client_flush(c);
	}
	if (c->dead || is_finished(c)) {
		c->over(c->arg, c);
		return;
	}
	if (c->held.len == 0 && has_room(c))
		stream_resume(c->stream);
	else if (has_room(c))
		wake(c);
	if (c->out.len == 0 && !c->dismissed && event_reader_is_behind(c->reader))
		wake(c);
}

static void on_data(struct control_client *c, struct span data)
{
	if (c->dismissed)
		return;
	if (c->held.len == 0)
		take_lines(c, &data);
	if (data.n > 0 && !buf_append(&c->held, data)) {
		log_warning(c->label, "dropped: no memory for its requests");
		end(c);
	}
	if (!has_room(c) || c->held.len > 0)
		stream_pause(c->stream);
	wake(c);
}

static void on_stream(void *arg, enum stream_event event, struct span data, const struct error *err)
{
	struct control_client *c = arg;

	(void)err;
	if (c->dead)
		return;
	switch (event) {
	case STREAM_DATA:
		on_data(c, data);
		return;
	case STREAM_WRITABLE:
		wake(c);
		return;
	case STREAM_EOF:
		c->eof = true;
		take_held(c);
		wake(c);
		return;
	case STREAM_FAILED:
		end(c);
		return;
	}
}

static void on_stall(void *arg)
{
	struct control_client *c = arg;

	log_notice(c->label, "dropped: it does not read its answers");
	end(c);
}

static void on_leave(void *arg)
{
	struct control_client *c = arg;

	log_notice(c->label, "dropped: what it waits for has not come");
	end(c);
}

struct control_client *control_client_new(const struct control_client_params *p)
{
	struct control_client *c = mem_zalloc(sizeof(*c));
	const struct control_host *host = &p->env->host;

	c->env = p->env;
	c->level = p->level;
	c->over = p->over;
	c->arg = p->arg;
	c->max_line = host->conf(host->arg)->limits.control_request;
	snprintf(c->label, sizeof(c->label), "control pid %jd uid %ju", (intmax_t)p->peer.pid,
		 (uintmax_t)p->peer.uid);
	lines_init(&c->lines, '\n', c->max_line);
	buf_init(&c->held, HELD_MAX);
	buf_init(&c->out, OUT_MAX);
	list_init(&c->exchanges);
	deferred_init(&c->turn, on_turn, c);
	timer_init(&c->stall, host->loop, on_stall, c);
	timer_init(&c->leave, host->loop, on_leave, c);
	c->reader = event_reader_new(p->env->events, wake, c);
	c->stream = fd_stream_new(host->loop, p->fd);
	stream_attach(c->stream, on_stream, c);
	return c;
}

void control_client_free(struct control_client *c)
{
	list_each(it, next, &c->exchanges)
		exchange_free(list_entry(it, struct exchange, node));
	event_reader_free(c->reader);
	timer_deinit(&c->stall);
	timer_deinit(&c->leave);
	deferred_cancel(&c->turn);
	stream_free(c->stream);
	buf_deinit(&c->out);
	buf_deinit(&c->held);
	lines_deinit(&c->lines);
	free(c);
}

/* It may be in the middle of a line of this client: the reload that has led here. */
void control_client_dismiss(struct control_client *c)
{
	if (c->dismissed)
		return;
	c->dismissed = true;
	log_notice(c->label, "its control socket is another now: disconnected after its answers");
	stream_pause(c->stream);
	timer_arm(&c->leave, LEAVE_MAX);
	wake(c);
}
