/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon: it builds everything, reads the configuration again when asked,
 * and ends in order. Read daemon_run as a table of contents.
 */
#include "daemon/daemon.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/rand.h"
#include "base/version.h"
#include "conf/conf_file.h"
#include "control/server.h"
#include "daemon/args.h"
#include "daemon/once.h"
#include "daemon/process.h"
#include "daemon/systemd.h"
#include "net/dial.h"
#include "net/loop.h"
#include "net/suspend.h"

/* A storm of signals is one or two reloads a second. */
#define RELOAD_EVERY ((int64_t)500000)

/* While there are connections: has the machine slept? Where the kernel does not tell by itself. */
#define SUSPEND_LOOK_EVERY ((int64_t)20 * 1000000)

/* The orderly end: how long upstreams and local clients may take, if nobody says. */
#define END_TIMEOUT ((int64_t)8 * 1000000)

struct daemon {
	struct args args;
	struct main_conf *conf;
	struct loop *loop;
	struct dialer *dialer;
	struct registry *registry;
	struct control_server *control;
	struct suspend *suspend;
	struct timer suspend_look;
	struct timer hup; /* a reload that was asked for too soon after the last one */
	int64_t hup_at;	  /* when SIGHUP last reloaded */
	struct timer watchdog;
	int64_t watchdog_every;
	bool ending;
	struct timer deadline; /* of the orderly end */
	struct deferred quiet; /* end of turn: is the end reached? */
	struct timer look;     /* local queues empty without an event of ours */
	int status;
};

static void log_sentence(void *arg, const char *sentence)
{
	(void)arg;
	log_error(NULL, "%s", sentence);
}

static const char *plural(const struct daemon *d)
{
	return registry_count(d->registry) == 1 ? "" : "s";
}

static void on_suspend_look(void *arg)
{
	struct daemon *d = arg;

	suspend_look(d->suspend);
	if (registry_has_session(d->registry))
		timer_arm(&d->suspend_look, SUSPEND_LOOK_EVERY);
}

/* Whether a connection has survived it, its server alone knows. */
static void on_suspended(void *arg, int64_t slept)
{
	struct daemon *d = arg;

	log_notice(NULL, "the machine was suspended for %.0fs: looking after %zu bridge%s",
		   (double)slept / 1e6, registry_count(d->registry), plural(d));
	registry_check(d->registry);
}

static void on_bridge(void *arg, struct bridge *b, enum bridge_event event)
{
	struct daemon *d = arg;

	if (event == BRIDGE_STATE && !timer_is_armed(&d->suspend_look) && bridge_has_session(b))
		timer_arm(&d->suspend_look, SUSPEND_LOOK_EVERY);
	control_server_bridge_event(d->control, b, event);
	if (d->ending)
		loop_defer(d->loop, &d->quiet);
}

static void log_reload(const struct registry_diff *diff)
{
	log_notice(NULL,
		   "configuration reloaded: %zu bridges added, %zu changed, %zu removed, %zu "
		   "unchanged",
		   diff->added.n, diff->changed.n, diff->removed.n, diff->unchanged);
}

/* The command line comes before the file: the first control socket is where -s says. */
static struct main_conf *load(const struct daemon *d, conf_error_cb on_error, void *arg)
{
	struct main_conf *conf = conf_file_load(d->args.config, on_error, arg);

	if (conf && d->args.has_control && conf->n_controls) {
		free(conf->controls[0].unix_path);
		conf->controls[0].unix_path = NULL;
	}
	return conf;
}

static void set_limits(struct daemon *d, const struct main_conf *conf)
{
	dialer_set_limits(d->dialer, conf->limits.dials_per_second, conf->limits.tls_handshakes);
}

/* Everything or nothing: the old configuration goes on where the new one has an error. */
static bool reload(void *arg, bool dry, struct registry_diff *diff,
		   void (*on_error)(void *, const char *), void *error_arg)
{
	struct daemon *d = arg;
	struct error err = ERROR_INIT;
	struct main_conf *fresh = load(d, on_error, error_arg);

	if (!fresh)
		return false;
	if (!dry)
		set_limits(d, fresh);
	registry_apply(d->registry, fresh, dry, diff);
	if (dry) {
		main_conf_free(fresh);
		return true;
	}
	main_conf_free(d->conf);
	d->conf = fresh;
	process_set_log(d->conf, &d->args);
	if (!control_server_listen(d->control, d->conf, d->args.control, &err))
		log_error(NULL, "%s", err.text);
	log_reload(diff);
	return true;
}

static void reload_now(void *arg)
{
	struct daemon *d = arg;
	struct registry_diff diff;

	if (d->ending)
		return;
	d->hup_at = loop_now(d->loop);
	systemd_reloading();
	if (reload(d, false, &diff, log_sentence, NULL))
		registry_diff_deinit(&diff);
	else
		log_error(NULL, "the configuration has errors: the old one goes on");
	process_check_descriptors(registry_count(d->registry));
	systemd_ready(registry_count(d->registry));
}

static void on_hup(void *arg)
{
	struct daemon *d = arg;

	if (!timer_is_armed(&d->hup))
		timer_arm(&d->hup, d->hup_at + RELOAD_EVERY - loop_now(d->loop));
}

static void end_now(void *arg)
{
	struct daemon *d = arg;

	if (!registry_is_quiet(d->registry))
		log_warning(NULL, "not everything was closed and delivered in time");
	loop_stop(d->loop);
}

static void check_quiet(void *arg)
{
	struct daemon *d = arg;

	if (registry_is_quiet(d->registry))
		loop_stop(d->loop);
	else
		timer_arm(&d->look, 20000);
}

static void shut_down(void *arg, int64_t timeout)
{
	struct daemon *d = arg;

	if (d->ending)
		return;
	d->ending = true;
	log_notice(NULL, "ending: closing %zu bridge%s", registry_count(d->registry), plural(d));
	systemd_stopping();
	control_server_stop_accepting(d->control);
	registry_shut_down(d->registry);
	timer_arm(&d->deadline, timeout < 0 ? END_TIMEOUT : timeout);
	loop_defer(d->loop, &d->quiet);
}

static void on_term(void *arg)
{
	struct daemon *d = arg;

	if (d->ending) {
		log_notice(NULL, "second signal: ending at once");
		loop_stop(d->loop);
		return;
	}
	shut_down(d, -1);
}

static void on_watchdog(void *arg)
{
	struct daemon *d = arg;

	systemd_notify("WATCHDOG=1\n");
	timer_arm(&d->watchdog, d->watchdog_every);
}

static const struct main_conf *host_conf(void *arg)
{
	return ((struct daemon *)arg)->conf;
}

static const char *host_conf_path(void *arg)
{
	return ((struct daemon *)arg)->args.config;
}

static void build(struct daemon *d)
{
	struct control_host host = { 0 };

	d->loop = loop_new();
	d->dialer = dialer_new(d->loop);
	d->registry = registry_new(d->loop, d->dialer, rand_system(), on_bridge, d);
	d->suspend = suspend_new(d->loop, NULL, on_suspended, d);
	timer_init(&d->suspend_look, d->loop, on_suspend_look, d);
	timer_init(&d->deadline, d->loop, end_now, d);
	timer_init(&d->look, d->loop, check_quiet, d);
	timer_init(&d->watchdog, d->loop, on_watchdog, d);
	timer_init(&d->hup, d->loop, reload_now, d);
	d->hup_at = -RELOAD_EVERY;
	deferred_init(&d->quiet, check_quiet, d);
	host.loop = d->loop;
	host.registry = d->registry;
	host.arg = d;
	host.reload = reload;
	host.shut_down = shut_down;
	host.conf = host_conf;
	host.conf_path = host_conf_path;
	host.started = time(NULL);
	d->control = control_server_new(&host);
	d->watchdog_every = systemd_watchdog() / 2;
}

/* The control socket first: who holds it owns the configuration's sockets, too. */
static bool start(struct daemon *d)
{
	struct error err = ERROR_INIT;
	struct registry_diff diff;

	process_make_parent(d->args.control);
	if (!control_server_listen(d->control, d->conf, d->args.control, &err)) {
		log_error(NULL, "%s", err.text);
		d->status = err.os == EADDRINUSE ? EXIT_ALREADY_RUNS : 1;
		return false;
	}
	process_on_signals(d->loop, on_term, on_hup, d);
	set_limits(d, d->conf);
	registry_apply(d->registry, d->conf, false, &diff);
	registry_diff_deinit(&diff);
	if (d->watchdog_every)
		timer_arm(&d->watchdog, d->watchdog_every);
	log_notice(NULL, "wsbridged %s: %zu bridge%s from %s", wsb_version,
		   registry_count(d->registry), plural(d), d->args.config);
	process_check_descriptors(registry_count(d->registry));
	systemd_ready(registry_count(d->registry));
	return true;
}

static void tear_down(struct daemon *d)
{
	control_server_finish(d->control);
	timer_deinit(&d->deadline);
	timer_deinit(&d->look);
	timer_deinit(&d->watchdog);
	timer_deinit(&d->hup);
	timer_deinit(&d->suspend_look);
	suspend_free(d->suspend);
	deferred_cancel(&d->quiet);
	registry_free(d->registry);
	control_server_free(d->control);
	loop_drain(d->loop);
	dialer_free(d->dialer);
	process_block_signals();
	loop_free(d->loop);
}

static int serve(struct daemon *d)
{
	d->conf = load(d, once_print_error, NULL);
	if (!d->conf)
		return EXIT_BAD_CONFIG;
	process_set_log(d->conf, &d->args);
	build(d);
	if (start(d))
		loop_run(d->loop);
	if (d->ending)
		log_notice(NULL, "ended");
	tear_down(d);
	return d->status;
}

int daemon_run(int argc, char **argv)
{
	struct daemon d = { 0 };
	int status;

	if (!args_parse(&d.args, argc, argv, &status)) {
		args_deinit(&d.args);
		return status;
	}
	process_init();
	if (d.args.print_schema)
		status = once_print_schema();
	else
		status = d.args.check ? once_check(d.args.config) : serve(&d);
	main_conf_free(d.conf);
	args_deinit(&d.args);
	return status;
}
