/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP server for metrics (RFC 9110, RFC 9112). Few connections at a time,
 * each with one deadline for everything. The trap: on a loopback address a web
 * page could have a browser of this machine ask under a name of its own, so
 * there the Host must be an address or localhost.
 */
#include "control/metrics_http.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "base/http_head.h"
#include "base/log.h"
#include "base/mem.h"
#include "control/metrics.h"
#include "net/listen.h"
#include "net/stream.h"

#define VISITORS_MAX 16
#define DEADLINE ((int64_t)10 * 1000 * 1000)
#define DATE_SIZE 64

struct metrics_http {
	const struct call_env *env;
	struct listener *listener; /* NULL = nowhere */
	char *place;		   /* and how it was made */
	bool tcp;
	struct list visitors;
	size_t n_visitors;
};

struct visitor {
	struct list node;
	struct metrics_http *http;
	struct stream *stream;
	struct timer deadline;
	struct http_head head;
	char *answer; /* NULL = the request is not whole yet */
	size_t n, at;
	bool bare; /* HEAD: no body */
	bool eof;
};

static void visitor_free(struct visitor *v)
{
	list_remove(&v->node);
	v->http->n_visitors--;
	stream_free(v->stream);
	timer_deinit(&v->deadline);
	http_head_deinit(&v->head);
	free(v->answer);
	free(v);
}

static void on_deadline(void *arg)
{
	visitor_free(arg);
}

static void respond(struct visitor *v, const char *status, const char *fields, const char *body)
{
	char date[DATE_SIZE];
	time_t now = time(NULL);
	struct tm utc;

	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &utc));
	v->answer = mem_printf("HTTP/1.1 %s\r\nDate: %s\r\n%sContent-Length: %zu\r\n"
			       "Cache-Control: no-store\r\nConnection: close\r\n\r\n%s",
			       status, date, fields, strlen(body), v->bare ? "" : body);
	v->n = strlen(v->answer);
}

static void refuse(struct visitor *v, const char *status, const char *fields)
{
	mem_auto_str all = mem_printf("Content-Type: text/plain; charset=utf-8\r\n%s", fields);
	mem_auto_str body = mem_printf("%s\n", status);

	respond(v, status, all, body);
}

static void give_metrics(struct visitor *v)
{
	mem_auto_str text = metrics_text(v->http->env);

	if (text)
		respond(v, "200 OK", "Content-Type: " METRICS_TYPE "\r\n", text);
	else
		refuse(v, "503 Service Unavailable", "");
}

static bool is_local_name(struct span host)
{
	mem_auto_str name = mem_strndup(host.p, host.n);
	size_t n = strcspn(name, ":");

	if (name[0] == '[' || (n == strlen("localhost") && strncasecmp(name, "localhost", n) == 0))
		return true;
	return name[0] && strspn(name, "0123456789.") == n; /* no domain ends in a number */
}

/* RFC 9112, 3.2: in HTTP/1.1 there is exactly one Host. */
static const char *fault_of_host(const struct visitor *v)
{
	struct span host, other;
	size_t i = 0;

	if (!http_head_find(&v->head, "Host", &i, &host))
		return v->head.minor > 0 ? "400 Bad Request" : NULL;
	if (http_head_find(&v->head, "Host", &i, &other))
		return "400 Bad Request";
	return v->http->tcp && !is_local_name(host) ? "403 Forbidden" : NULL;
}

static bool is_for_metrics(struct span target)
{
	static const char path[] = "/metrics";
	size_t n = sizeof(path) - 1;

	return target.n >= n && memcmp(target.p, path, n) == 0 &&
	       (target.n == n || target.p[n] == '?');
}

static void answer(struct visitor *v)
{
	struct span method = http_head_method(&v->head);
	const char *fault = fault_of_host(v);

	v->bare = span_equal(method, span_str("HEAD"));
	if (fault)
		refuse(v, fault, "");
	else if (!is_for_metrics(http_head_target(&v->head)))
		refuse(v, "404 Not Found", "");
	else if (v->bare || span_equal(method, span_str("GET")))
		give_metrics(v);
	else
		refuse(v, "405 Method Not Allowed", "Allow: GET, HEAD\r\n");
}

/* The end of our answer is told; that of the visitor's input is waited for, lest it is reset. */
static void offer(struct visitor *v)
{
	struct iovec iov = { .iov_base = v->answer + v->at, .iov_len = v->n - v->at };

	if (v->at == v->n)
		return;
	v->at += stream_offer(v->stream, &iov, 1);
	if (v->at == v->n)
		stream_shutdown(v->stream);
}

/* What comes behind the request is read and forgotten. */
static void on_data(struct visitor *v, struct span data)
{
	struct error err;

	if (v->answer)
		return;
	switch (http_head_feed(&v->head, &data, &err)) {
	case HTTP_HEAD_MORE:
		return;
	case HTTP_HEAD_DONE:
		answer(v);
		break;
	case HTTP_HEAD_BAD:
		refuse(v, "400 Bad Request", "");
		break;
	}
	offer(v);
}

static void on_stream(void *arg, enum stream_event event, struct span data, const struct error *err)
{
	struct visitor *v = arg;
	bool over = false;

	(void)err;
	switch (event) {
	case STREAM_DATA:
		on_data(v, data);
		break;
	case STREAM_WRITABLE:
		offer(v);
		break;
	case STREAM_EOF:
		v->eof = true;
		break;
	case STREAM_FAILED:
		over = true;
		break;
	}
	if (over || (v->eof && v->at == v->n)) /* also an end before the request */
		visitor_free(v);
}

static void on_accept(void *arg, int fd, const struct peer_cred *peer)
{
	struct metrics_http *h = arg;
	struct loop *loop = h->env->host.loop;
	struct visitor *v;

	(void)peer;
	if (h->n_visitors >= VISITORS_MAX) {
		log_warning("metrics", "a connection refused: %d are there", VISITORS_MAX);
		close(fd);
		return;
	}
	v = mem_zalloc(sizeof(*v));
	v->http = h;
	list_append(&h->visitors, &v->node);
	h->n_visitors++;
	http_head_init_request(&v->head);
	timer_init(&v->deadline, loop, on_deadline, v);
	timer_arm(&v->deadline, DEADLINE);
	v->stream = fd_stream_new(loop, fd);
	stream_attach(v->stream, on_stream, v);
}

struct metrics_http *metrics_http_new(const struct call_env *env)
{
	struct metrics_http *h = mem_zalloc(sizeof(*h));

	h->env = env;
	list_init(&h->visitors);
	return h;
}

/* All that makes the socket what it is; NULL = there is to be none. Caller frees. */
static char *place_of(const struct metrics_conf *c)
{
	if (c->listen)
		return mem_strdup(c->listen);
	if (!c->unix_path)
		return NULL;
	return mem_printf("%s %o %s %s", c->unix_path, (unsigned)c->mode, c->owner ? c->owner : "-",
			  c->group ? c->group : "-");
}

void metrics_http_stop(struct metrics_http *h)
{
	listener_free(h->listener);
	h->listener = NULL;
	free(h->place);
	h->place = NULL;
}

bool metrics_http_listen(struct metrics_http *h, const struct metrics_conf *conf, struct error *err)
{
	const struct listener_params params = {
		.path = conf->listen ? conf->listen : conf->unix_path,
		.tcp = conf->listen != NULL,
		.mode = conf->mode,
		.owner = conf->owner,
		.group = conf->group,
	};
	mem_auto_str place = place_of(conf);

	if (place && h->place && strcmp(place, h->place) == 0)
		return true;
	metrics_http_stop(h);
	if (!place)
		return true;
	h->listener = listener_new(h->env->host.loop, &params, err);
	if (!h->listener) {
		err->os = 0; /* of a taken place: it does not mean that a daemon runs already */
		return error_context(err, "metrics");
	}
	h->tcp = params.tcp;
	h->place = mem_strdup(place);
	listener_start(h->listener, on_accept, h);
	return true;
}

void metrics_http_free(struct metrics_http *h)
{
	if (!h)
		return;
	metrics_http_stop(h);
	list_each(it, next, &h->visitors)
		visitor_free(list_entry(it, struct visitor, node));
	free(h);
}
