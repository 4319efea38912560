/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registry is the real one; only the daemon around it is made up. Bridges
 * dial for real, so tests give them addresses where nobody listens.
 */
#include "control/control_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rand.h"
#include "net/dial.h"

#define PATIENCE ((int64_t)60 * 1000 * 1000)

static void on_bridge(void *arg, struct bridge *b, enum bridge_event event)
{
	struct fixture *f = arg;

	if (f->server)
		control_server_bridge_event(f->server, b, event);
	else
		call_env_bridge_event(&f->env, b);
}

static bool reload(void *arg, bool dry, struct registry_diff *diff,
		   void (*on_error)(void *error_arg, const char *sentence), void *error_arg)
{
	struct fixture *f = arg;

	f->reloads++;
	f->dry = dry;
	if (!f->complaints) {
		registry_apply(f->registry, f->conf, dry, diff);
		return true;
	}
	for (const char *const *c = f->complaints; *c; c++)
		on_error(error_arg, *c);
	return false;
}

static void shut_down(void *arg, int64_t timeout)
{
	struct fixture *f = arg;

	f->shutdowns++;
	f->timeout = timeout;
}

static const struct main_conf *conf_of(void *arg)
{
	struct fixture *f = arg;

	return f->conf;
}

static const char *conf_path(void *arg)
{
	(void)arg;
	return "/etc/wsbridge/wsbridge.json";
}

static void on_guard(void *arg)
{
	(void)arg;
	fail_msg("nothing happened for a minute");
}

static void on_event(void *arg)
{
	struct fixture *f = arg;

	f->events++;
}

void fixture_init(struct fixture *f, const char *conf)
{
	json_t *root = json_loads(conf, 0, NULL);
	struct registry_diff diff;
	struct schema_first first;

	*f = (struct fixture){ .loop = loop_new() };
	schema_first_init(&first);
	f->conf = main_conf_new(root, &first.report);
	json_decref(root);
	if (!f->conf)
		fail_msg("%s", first.err.text);
	f->dialer = dialer_new(f->loop);
	f->registry = registry_new(f->loop, f->dialer, rand_system(), on_bridge, f);
	f->host = (struct control_host){
		.loop = f->loop,
		.registry = f->registry,
		.arg = f,
		.reload = reload,
		.shut_down = shut_down,
		.conf = conf_of,
		.conf_path = conf_path,
		.started = 1000000000,
	};
	call_env_init(&f->env, &f->host);
	f->reader = event_reader_new(f->env.events, on_event, f);
	timer_init(&f->guard, f->loop, on_guard, f);
	registry_apply(f->registry, f->conf, false, &diff);
	registry_diff_deinit(&diff);
}

static void stop(void *arg)
{
	loop_stop(arg);
}

void fixture_deinit(struct fixture *f)
{
	struct deferred end;

	control_server_free(f->server);
	event_reader_free(f->reader);
	call_env_deinit(&f->env);
	registry_free(f->registry);
	deferred_init(&end, stop, f->loop);
	loop_defer(f->loop, &end);
	loop_run(f->loop);
	dialer_free(f->dialer);
	timer_deinit(&f->guard);
	main_conf_free(f->conf);
	loop_free(f->loop);
}

void fixture_run(struct fixture *f)
{
	timer_arm(&f->guard, PATIENCE);
	loop_run(f->loop);
	timer_disarm(&f->guard);
}

char *fixture_ask(struct fixture *f, enum conf_level level, const char *line)
{
	struct exchange_params p = {
		.env = &f->env,
		.level = level,
		.who = "test",
		.max_line = 65536,
		.reader = f->reader,
		.on_done = stop,
		.arg = f->loop,
	};
	struct exchange *e = exchange_new(&p, span_str(line));
	char *answer;

	if (!e->done)
		fixture_run(f);
	answer = mem_strndup(e->line.n ? e->line.p : (const uint8_t *)"",
			     e->line.n ? e->line.n - 1 : 0);
	exchange_free(e);
	return answer;
}
