/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A registry with a few bridges, and a daemon that is none: what the tests of
 * the methods and of the server stand on.
 */
#ifndef WSB_TESTS_CONTROL_FIXTURE_H
#define WSB_TESTS_CONTROL_FIXTURE_H

#include "control/call.h"
#include "control/events.h"

struct fixture {
	struct loop *loop;
	struct dialer *dialer;
	struct registry *registry;
	struct main_conf *conf;
	struct control_host host;
	struct call_env env;
	struct event_reader *reader;
	int events;		       /* how often it was woken */
	struct control_server *server; /* NULL: bridge events go to env */
	struct timer guard;
	/* what the daemon was asked, and what it says */
	int reloads, shutdowns;
	bool dry;
	int64_t timeout;
	const char *const *complaints; /* of reload; NULL = it succeeds */
};

/* The configuration as JSON text. */
void fixture_init(struct fixture *f, const char *conf);
void fixture_deinit(struct fixture *f);

/* Turns the loop until loop_stop; fails the test if that takes longer than a minute. */
void fixture_run(struct fixture *f);

/* One line in, its answer out, without the newline; "" = none. Caller frees. */
char *fixture_ask(struct fixture *f, enum conf_level level, const char *line);

#endif
