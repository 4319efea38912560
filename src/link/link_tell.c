/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a link tells of itself: the log, the history and its status. It decides
 * nothing. Text of the server comes here escaped (session.h, error.h).
 */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/escape.h"
#include "base/log.h"
#include "base/mem.h"
#include "link/link_int.h"
#include "net/tls.h"

/* A Close frame with its reason, that nobody has acknowledged: no loss. */
#define CLOSE_FRAME_MAX 256

/* Stamps it, and says where the link stands. */
static void add(struct link *k, struct history_entry entry, const char *text)
{
	char escaped[HISTORY_TEXT_MAX + 1];

	escape_control(escaped, sizeof(escaped), span_str(text));
	entry.at = time(NULL);
	entry.state = k->state;
	entry.text = escaped;
	history_add(&k->history, &entry);
}

void link_tell_state(struct link *k, enum link_state old, enum link_input input)
{
	add(k, (struct history_entry){ .kind = HISTORY_STATE, .delay = -1 },
	    link_input_name(input));
	log_debug(k->env.object, "%s -> %s (%s)", link_state_name(old), link_state_name(k->state),
		  link_input_name(input));
}

void link_tell_attempt(struct link *k, const struct url *url)
{
	mem_auto_str shown = url_format(url);

	add(k, (struct history_entry){ .kind = HISTORY_ATTEMPT, .delay = -1 }, shown);
	log_info(k->env.object, "attempt %" PRIu64 ": %s", k->info.attempts, shown);
}

void link_tell_opened(struct link *k)
{
	struct history_entry e = { .kind = HISTORY_OPENED,
				   .took = k->opened - k->began,
				   .delay = -1 };
	mem_auto_str text = NULL;
	struct session_details d;

	session_details(k->session, &d);
	text = mem_printf("%s%s%s%s", d.peer, d.tls ? ", " : "", d.tls ? d.tls->version : "",
			  d.compression.agreed.on ? ", compressed" : "");
	add(k, e, text);
	log_notice(k->env.object, "open (%s%s%s)", text, d.subprotocol ? ", subprotocol " : "",
		   d.subprotocol ? d.subprotocol : "");
	if (d.tls && !d.tls->verified)
		log_warning(k->env.object, "tls.verify is off: anybody could be at the other end");
	if (d.tls && d.tls->ktls_refusal && !k->told_ktls)
		log_notice(k->env.object, "tls.ktls: not in use, %s", d.tls->ktls_refusal);
	k->told_ktls = d.tls && d.tls->ktls_refusal;
	if (k->conf->common->mask == MASK_ZERO)
		log_warning(k->env.object, "mask is \"zero\": what is sent can be predicted; for "
					   "packet captures only");
}

static void note(struct link *k, const struct session_end *end, const char *text, int64_t delay)
{
	struct history_entry e = {
		.kind = HISTORY_ENDED,
		.code = end->err.code,
		.stage = end->err.stage,
		.status = (uint16_t)end->err.status,
		.close_code = (uint16_t)(end->was_open || end->clean ? end->close_code : 0),
		.took = end->open_for,
		.delay = delay,
	};

	add(k, e, text);
}

static void log_lost(struct link *k, const struct session_end *end)
{
	bool in_order = end->clean && end->unsent == 0 && end->unacked <= CLOSE_FRAME_MAX;

	if (end->partial)
		log_notice(k->env.object, "%zu bytes of an incomplete message are lost",
			   end->partial);
	if (end->unsent)
		log_notice(k->env.object, "%" PRIu64 " bytes were not sent any more", end->unsent);
	if (end->unacked && !in_order)
		log_notice(k->env.object, "%" PRIu64 " bytes were sent but never acknowledged",
			   end->unacked);
}

static char *why_over(const struct link *k, const struct session_end *end)
{
	if (k->env.once)
		return mem_strdup("not tried again");
	switch (backoff_over(&k->backoff, k->conf, end)) {
	case BACKOFF_GOES_ON:
		break;
	case BACKOFF_NEVER:
		return mem_strdup("giving up (reconnect.when is \"never\")");
	case BACKOFF_CLEAN:
		return mem_strdup("giving up (reconnect.when is \"abnormal\")");
	case BACKOFF_STATUS:
		return mem_printf("giving up (reconnect.fatal_status has %d)", end->err.status);
	case BACKOFF_CLOSE:
		return mem_printf("giving up (reconnect.fatal_close has %d)", end->close_code);
	case BACKOFF_ATTEMPTS:
		return mem_printf("giving up (reconnect.attempts is %" PRId64 ")",
				  k->conf->common->reconnect.attempts);
	}
	return mem_strdup("giving up");
}

static char *what_next(const struct link *k, const struct session_end *end, int64_t delay)
{
	if (delay < 0)
		return why_over(k, end);
	return mem_printf("%s in %.1fs", end->was_open ? "reconnect" : "next attempt",
			  link_seconds(delay));
}

static void tell_flapping(struct link *k)
{
	bool flaps = backoff_is_flapping(&k->backoff);

	if (flaps && !k->flapping)
		log_warning(k->env.object,
			    "flapping: %" PRIu64 " connections in a row did not last for %.3gs "
			    "(reconnect.reset_after)",
			    k->backoff.short_lived,
			    link_seconds(k->conf->common->reconnect.reset_after));
	k->flapping = flaps;
}

void link_tell_end(struct link *k, const struct session_end *end, int64_t delay)
{
	mem_auto_str next = what_next(k, end, delay);
	mem_auto_str closed = mem_printf("closed by %s (%d \"%s\")",
					 end->ours ? "a local client" : "peer", end->close_code,
					 end->reason);
	const char *why = end->err.code ? end->err.text : closed;
	bool expected = end->was_open || !end->err.code;

	note(k, end, why, delay);
	log_at(expected ? LOG_LEVEL_NOTICE : LOG_LEVEL_WARNING, k->env.object, "%s, %s", why, next);
	log_lost(k, end);
	tell_flapping(k);
}

void link_tell_asked_end(struct link *k, const struct session_end *end)
{
	mem_auto_str text = mem_printf("closed (%d \"%s\")", k->stop_code, link_stop_reason(k));

	note(k, end, text, k->state == LINK_RESTARTING ? 0 : -1);
	log_notice(k->env.object, "%s", text);
	log_lost(k, end);
}

static void add_packed(struct ws_packed *sum, const struct ws_packed *n)
{
	sum->messages += n->messages;
	sum->packed += n->packed;
	sum->bytes += n->bytes;
}

void link_add_packed(const struct session *s, struct ws_packed *rx, struct ws_packed *tx)
{
	struct session_details d;

	session_details(s, &d);
	add_packed(rx, &d.compression.rx);
	add_packed(tx, &d.compression.tx);
}

static void tell_past(const struct link_past *past, struct link_info *info)
{
	info->last_error = past->last_error;
	info->last_error_at = past->last_error_at;
	info->last_close = past->last_close;
	info->unacked = past->unacked;
	info->unsent = past->unsent;
	info->packed_rx = past->packed_rx;
	info->packed_tx = past->packed_tx;
}

void link_info(struct link *k, struct link_info *info)
{
	const struct session *session = k->session ? k->session : k->ended;
	int64_t now = loop_now(k->env.loop);

	*info = (struct link_info){
		.since = k->info.since,
		.attempts = k->info.attempts,
		.reconnects = k->n_opened > 0 ? k->n_opened - 1 : 0,
		.epoch = k->info.epoch,
		.rx = k->info.rx,
		.tx = k->info.tx,
	};
	if (k->past)
		tell_past(k->past, info);
	info->details.url = &k->conf->urls[k->url_at % k->conf->n_urls];
	info->details.handshake = -1;
	info->state = k->state;
	info->retry_in = k->state == LINK_WAITING ?
				 link_seconds(k->timer.due > now ? k->timer.due - now : 0) :
				 -1;
	info->rtt = k->keepalive.rtt;
	info->srtt = k->keepalive.srtt;
	info->last_rx = k->heard_at ? link_seconds(now - k->heard_at) : -1;
	info->flapping = backoff_is_flapping(&k->backoff) &&
			 !(k->state == LINK_OPEN &&
			   now - k->opened >= k->conf->common->reconnect.reset_after);
	if (session)
		session_details(session, &info->details);
	if (!k->session)
		return;
	info->progress = session_progress(k->session);
	link_add_packed(k->session, &info->packed_rx, &info->packed_tx);
}
