/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of net/ share: a loop that ends when a condition holds, a temporary directory. */
#ifndef WSB_UNIT_NET_NET_TEST_H
#define WSB_UNIT_NET_NET_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/loop.h"

/* Far more than anything here takes: what is not there by then never comes. */
#define PATIENCE ((int64_t)20 * 1000000)

struct until {
	struct loop *loop;
	bool (*holds)(void *arg);
	void *arg;
	struct timer look, give_up;
	bool timed_out;
};

static void until_look(void *arg)
{
	struct until *u = arg;

	if (u->holds(u->arg))
		loop_stop(u->loop);
	else
		timer_arm(&u->look, 500);
}

static void until_give_up(void *arg)
{
	struct until *u = arg;

	u->timed_out = true;
	loop_stop(u->loop);
}

/* Turns the loop until holds(arg) or for `limit`; says whether it held. */
static inline bool turn_until(struct loop *l, bool (*holds)(void *arg), void *arg, int64_t limit)
{
	struct until u = { .loop = l, .holds = holds, .arg = arg };

	timer_init(&u.look, l, until_look, &u);
	timer_init(&u.give_up, l, until_give_up, &u);
	timer_arm(&u.look, 0);
	timer_arm(&u.give_up, limit);
	loop_run(l);
	timer_deinit(&u.look);
	timer_deinit(&u.give_up);
	return !u.timed_out;
}

struct temp_dir {
	char path[64];
};

static inline void temp_dir_make(struct temp_dir *t)
{
	snprintf(t->path, sizeof(t->path), "/tmp/wsbridge-test-XXXXXX");
	assert_non_null(mkdtemp(t->path));
}

static inline void temp_dir_remove(struct temp_dir *t, const char *const *names)
{
	char path[128];

	for (; *names; names++) {
		snprintf(path, sizeof(path), "%s/%s", t->path, *names);
		unlink(path);
	}
	assert_int_equal(rmdir(t->path), 0);
}

#endif
