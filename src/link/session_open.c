/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way of a session to the open connection: secrets, dial, upgrade; and what
 * a refusal leads to: another dial where it is a redirect that may be followed,
 * else the reading of what the server has to say. One deadline, timeouts.open,
 * is over all of it; progress does not extend it. Its trap: a redirect gives
 * the session a new ws_conn inside the loop that takes the old one's events.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/http_date.h"
#include "base/http_head.h"
#include "base/mem.h"
#include "base/url_ref.h"
#include "link/cookies.h"
#include "link/route.h"
#include "link/script.h"
#include "link/secrets.h"
#include "link/session_int.h"
#include "link/upgrade_params.h"
#include "net/tls.h"
#include "ws/conn.h"

/* For the rest of a refusal. */
#define BODY_WAIT ((int64_t)1000000)
/* A day in seconds; what of it is honoured is policy. */
#define RETRY_AFTER_MAX ((int64_t)86400)

static int64_t shorter(int64_t a, int64_t b)
{
	if (a == 0 || b == 0)
		return a ? a : b;
	return a < b ? a : b;
}

int64_t session_open_left(const struct session *s)
{
	int64_t open = s->conf->common->timeouts.open;

	if (open == 0)
		return INT64_MAX;
	if (s->way->script)
		open += script_waited(s->way->script);
	return open - (loop_now(s->loop) - s->way->began);
}

void session_arm_deadline(struct session *s, int64_t limit)
{
	int64_t left = session_open_left(s);

	if (left == INT64_MAX)
		left = 0;
	else
		left = left > 0 ? left : 1;
	left = shorter(left, limit);
	if (left)
		timer_arm(&s->deadline, left);
	else
		timer_disarm(&s->deadline);
}

static void enter_upgrading(struct session *s, struct stream *stream)
{
	bool keeps = s->conf->handshake->cookies == COOKIES_KEEP;
	char *jar = keeps ? cookies_header(s->way->params.cookies, s->url, time(NULL)) : NULL;
	struct upgrade_source from = {
		.conf = s->conf,
		.url = s->url,
		.secrets = secrets_values(s->way->secrets),
		.jar = jar,
		.foreign = s->way->foreign,
		.rand = s->way->params.rand,
	};
	struct upgrade_params up;

	s->state = UPGRADING;
	s->stream = stream;
	s->stalled = false;
	s->way->asked = loop_now(s->loop);
	upgrade_params_init(&up, &from);
	up.ws.max_output = OUTPUT_MAX;
	s->conn = ws_conn_new(&up.ws);
	upgrade_params_deinit(&up);
	if (jar)
		explicit_bzero(jar, strlen(jar));
	free(jar);
	session_arm_deadline(s, s->conf->common->timeouts.handshake);
	stream_attach(stream, session_on_stream, s);
	if (s->tap)
		s->tap->begin(s->tap->arg, s->conf);
	session_flush(s);
}

static void on_dialed(void *arg, struct stream *stream, const struct dial_report *report,
		      const struct error *err)
{
	struct session *s = arg;

	s->way->dial = NULL;
	session_keep_report(s, report);
	if (stream)
		enter_upgrading(s, stream);
	else
		session_finish(s, err);
}

static void dial(struct session *s)
{
	struct route_source from = {
		.conf = s->conf,
		.url = s->url,
		.secrets = secrets_values(s->way->secrets),
		.foreign = s->way->foreign,
		.attempt = s->way->params.attempt,
		.rand = s->way->params.rand,
		.tls_cache = dialer_tls_cache(s->way->params.dialer),
	};
	struct error err = ERROR_INIT;
	struct route route;

	s->state = DIALING;
	session_arm_deadline(s, 0);
	if (route_init(&route, &from, &err))
		s->way->dial = dial_start(s->way->params.dialer, &route.dial, on_dialed, s);
	else
		session_finish(s, &err);
	route_deinit(&route);
}

static void on_secrets(void *arg, const struct error *err)
{
	struct session *s = arg;

	if (err)
		session_finish(s, err);
	else
		dial(s);
}

void session_begin(struct session *s)
{
	s->state = READING_SECRETS;
	session_arm_deadline(s, 0);
	s->way->secrets = secrets_read(s->loop, s->conf, on_secrets, s);
}

/* RFC 6265: an answer may set cookies whatever its status. */
void session_on_answer(struct session *s)
{
	const struct http_head *head = ws_conn_head(s->conn);
	struct span value;
	size_t i = 0;

	s->handshake = loop_now(s->loop) - s->way->asked;
	if (s->conf->handshake->cookies != COOKIES_KEEP)
		return;
	while (http_head_find(head, "Set-Cookie", &i, &value))
		cookies_note(s->way->params.cookies, s->url, value, time(NULL));
}

static bool is_redirect(int status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* The messages of on_open cannot be sent without them, and they stay at their origin. */
static bool has_step_secrets(const struct bridge_conf *conf)
{
	for (size_t i = 0; i < conf->handshake->n_on_open; i++)
		if (conf->handshake->on_open[i].n_secrets > 0)
			return true;
	return false;
}

/* False: *err says why it is not followed. */
static bool find_target(struct session *s, struct url *target, struct error *err)
{
	struct span location, second;
	size_t i = 0;

	if (!http_head_find(ws_conn_head(s->conn), "Location", &i, &location))
		return error_set(err, ERR_PROTOCOL, "redirect: there is no Location");
	if (http_head_find(ws_conn_head(s->conn), "Location", &i, &second))
		return error_set(err, ERR_PROTOCOL, "redirect: there are two Locations");
	if (!url_resolve(target, s->url, location, err))
		return false;
	if (s->url->scheme == URL_WSS && target->scheme != URL_WSS)
		error_set(err, ERR_PROTOCOL, "redirect: from wss:// never to anything else");
	else if (target->scheme == URL_WS_UNIX && !url_same_origin(s->url, target))
		error_set(err, ERR_PROTOCOL, "redirect: never to a socket of this machine");
	else if (!url_same_origin(s->url, target) && has_step_secrets(s->conf))
		error_set(err, ERR_PROTOCOL,
			  "redirect: to another origin, but on_open has secrets");
	else
		return true;
	url_deinit(target);
	return false;
}

static void drop_connection(struct session *s)
{
	stream_free(s->stream);
	s->stream = NULL;
	free(s->report);
	s->report = NULL;
	ws_conn_free(s->conn);
	s->conn = NULL;
	s->handshake = -1;
}

/* The connection is given up where it stands; what the redirect says besides does not matter. */
static void follow(struct session *s, const struct url *target)
{
	s->way->foreign = s->way->foreign || !url_same_origin(s->url, target);
	s->way->redirects++;
	session_end(s)->err = ERROR_INIT;
	drop_connection(s);
	if (s->redirected)
		url_deinit(s->redirected);
	else
		s->redirected = mem_alloc(sizeof(*s->redirected));
	*s->redirected = *target;
	s->url = s->redirected;
	dial(s);
}

/* -1 = until the end of input. */
static int64_t body_length(const struct http_head *head)
{
	struct span value;
	int64_t n = 0;
	size_t i = 0;

	if (!http_head_find(head, "Content-Length", &i, &value) || value.n == 0 || value.n > 9)
		return -1;
	for (size_t k = 0; k < value.n; k++) {
		if (value.p[k] < '0' || value.p[k] > '9')
			return -1;
		n = n * 10 + (value.p[k] - '0');
	}
	return n;
}

void session_on_body(struct session *s, struct span data)
{
	struct session_refusal *r = s->refusal;
	size_t room = SESSION_BODY_MAX - r->body.len;

	if (r->left >= 0 && data.n > (uint64_t)r->left)
		data.n = (size_t)r->left;
	if (data.n > room)
		data.n = room;
	if (!buf_append(&r->body, data))
		room = data.n; /* no memory: what is there must do */
	if (r->left >= 0)
		r->left -= (int64_t)data.n;
	if (r->left == 0 || data.n == room)
		session_finish(s, NULL);
}

/* RFC 9110, 10.2.3; "at once" is an answer, too. */
static int64_t retry_after(const struct http_head *head)
{
	struct span value;
	int64_t seconds;
	size_t i = 0;

	if (!http_head_find(head, "Retry-After", &i, &value) ||
	    !http_retry_after(value, time(NULL), &seconds))
		return 0;
	if (seconds == 0)
		return 1;
	return (seconds < RETRY_AFTER_MAX ? seconds : RETRY_AFTER_MAX) * 1000000;
}

void session_on_refused(struct session *s, struct span body)
{
	struct error why = ERROR_INIT;
	struct url target;

	if (session_end(s)->err.code != ERR_BAD_STATUS) {
		session_finish(s, NULL);
		return;
	}
	session_on_answer(s);
	if (is_redirect(session_end(s)->err.status) &&
	    s->way->redirects < s->conf->handshake->redirects) {
		if (find_target(s, &target, &why)) {
			follow(s, &target);
			return;
		}
		error_context(&session_end(s)->err, "%s", why.text);
	}
	session_end(s)->retry_after = retry_after(ws_conn_head(s->conn));
	s->state = REFUSED;
	s->refusal = mem_alloc(sizeof(*s->refusal));
	buf_init(&s->refusal->body, SESSION_BODY_MAX);
	s->refusal->left = body_length(ws_conn_head(s->conn));
	session_arm_deadline(s, BODY_WAIT);
	session_on_body(s, body);
}

void session_on_deadline(void *arg)
{
	struct session *s = arg;
	struct error err = ERROR_INIT;

	switch (s->state) {
	case WAITING_TURN:
	case OPEN:
	case DONE:
		break;
	case READING_SECRETS:
		session_fail_at(s, ERR_TIMEOUT, STAGE_NONE,
				"the secrets were not read within timeouts.open");
		break;
	case DIALING:
		dial_timed_out(s->way->dial, &err);
		session_finish(s, &err);
		break;
	case UPGRADING:
		session_fail_at(s, ERR_TIMEOUT, STAGE_HANDSHAKE,
				"no answer to the handshake in time");
		break;
	case REFUSED:
		session_finish(s, NULL);
		break;
	case SCRIPT:
		session_script_run(s);
		break;
	case CLOSING:
		if (session_end(s)->clean) /* only the server's end of TCP is missing */
			session_finish(s, NULL);
		else
			session_fail_at(s, ERR_TIMEOUT, STAGE_NONE,
					"no answer to the Close frame within timeouts.close");
		break;
	}
}
