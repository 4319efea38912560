/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs the one session of a probe. It owns the loop and all that a daemon
 * would share between links. The trap: what a session tells of itself is valid
 * for a turn, so the report is made inside the callback, before the close.
 */
#include "tool/probe.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/rand.h"
#include "link/cookies.h"
#include "link/route.h"
#include "link/session.h"
#include "net/dial.h"
#include "net/loop.h"
#include "tool/probe_view.h"
#include "ws/close.h"

struct probe {
	struct loop *loop;
	struct dialer *dialer;
	struct cookies cookies;
	struct bridge_conf *conf;
	struct session *session; /* NULL: it has ended */
	int64_t began;
	json_t *report; /* NULL: neither open nor failed so far */
	struct error err;
};

static char *format_proxy(const struct dial_proxy *p)
{
	bool is_ipv6 = strchr(p->host, ':') != NULL;

	return mem_printf("%s://%s%s%s:%u", proxy_kind_name(p->kind), is_ipv6 ? "[" : "", p->host,
			  is_ipv6 ? "]" : "", (unsigned)p->port);
}

/*
 * Which proxy the way leads through, NULL = none. Asked without any secret and
 * as after a redirect, for neither they nor the client's certificate decide it.
 */
static char *find_proxy(const struct probe *p, const struct url *url)
{
	const struct secret_values none = { 0 };
	struct route_source from = {
		.conf = p->conf,
		.url = url,
		.secrets = &none,
		.foreign = true,
		.rand = rand_system(),
		.tls_cache = dialer_tls_cache(p->dialer),
	};
	struct error err = ERROR_INIT;
	struct route route;
	char *text = NULL;

	if (p->conf->common->connect_to.unix_path)
		return NULL;
	if (route_init(&route, &from, &err) && route.dial.proxy)
		text = format_proxy(route.dial.proxy);
	route_deinit(&route);
	return text;
}

static void make_report(struct probe *p, bool ok)
{
	struct session_details details;
	mem_auto_str proxy = NULL;

	session_details(p->session, &details);
	proxy = find_proxy(p, details.url);
	p->report = probe_view(&(struct probe_facts){
		.url = &p->conf->urls[0],
		.details = &details,
		.proxy = proxy,
		.ok = ok,
		.total = loop_now(p->loop) - p->began,
		.now = time(NULL),
	});
}

static void on_ended(struct probe *p, const struct session_end *end)
{
	if (!p->report) {
		p->err = end->err;
		make_report(p, false);
	}
	session_free(p->session);
	p->session = NULL;
	loop_stop(p->loop);
}

static void on_session(void *arg, const struct session_event *event)
{
	struct probe *p = arg;

	switch (event->type) {
	case SESSION_OPENED:
		make_report(p, true);
		session_close(p->session, CLOSE_NORMAL, "");
		break;
	case SESSION_ENDED:
		on_ended(p, event->end);
		break;
	case SESSION_UPGRADED:
	case SESSION_MESSAGES:
	case SESSION_PING:
	case SESSION_PONG:
	case SESSION_TURN:
	case SESSION_WRITTEN:
		break;
	}
}

/* Before it is open that is its end; while it closes nobody has to wait any longer. */
static void on_signal(void *arg)
{
	struct probe *p = arg;
	struct error err = ERROR_INIT;

	error_set(&err, ERR_NOT_OPEN, "interrupted before it was open");
	if (p->session)
		session_abort(p->session, &err);
}

static void run(struct probe *p)
{
	struct session_params params = {
		.loop = p->loop,
		.dialer = p->dialer,
		.rand = rand_system(),
		.cookies = &p->cookies,
		.conf = p->conf,
		.url = &p->conf->urls[0],
		.cb = on_session,
		.arg = p,
	};

	loop_on_signal(p->loop, SIGINT, on_signal, p);
	loop_on_signal(p->loop, SIGTERM, on_signal, p);
	p->began = loop_now(p->loop);
	p->session = session_new(&params);
	loop_run(p->loop);
	loop_drain(p->loop);
}

json_t *probe_run(struct bridge_conf *conf, struct error *err)
{
	struct probe p = { .loop = loop_new(), .conf = conf };

	p.dialer = dialer_new(p.loop);
	cookies_init(&p.cookies);
	run(&p);
	cookies_deinit(&p.cookies);
	dialer_free(p.dialer);
	loop_free(p.loop);
	*err = p.err;
	return p.report;
}
