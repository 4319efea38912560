/* SPDX-License-Identifier: Apache-2.0 */
/* All bridges by name: what a configuration, `open`, `close` and the orderly end do to them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "registry_rig.h"

#define A REGISTRY_BRIDGE("a", "a", "")
#define A_MANUAL REGISTRY_BRIDGE("a", "a", REGISTRY_MANUAL)
#define B REGISTRY_BRIDGE("b", "b", REGISTRY_MANUAL)
#define C REGISTRY_BRIDGE("c", "c", REGISTRY_MANUAL)

static void test_start_up_is_a_difference(void **state)
{
	struct registry_rig r;

	(void)state;
	registry_rig_init(&r);
	assert_int_equal(registry_count(r.reg), 0);
	assert_null(registry_find(r.reg, "a"));
	registry_rig_apply(&r, REGISTRY_FILE(C "," A "," B), false);
	registry_rig_expect(&r, "+a +b +c =0");
	registry_rig_wait_states(&r, "a:open b:closed c:closed");
	assert_true(r.events >= 2);
	assert_string_equal(bridge_name(registry_find(r.reg, "b")), "b");
	assert_null(registry_find(r.reg, "ab"));
	assert_true(bridge_configuration(registry_at(r.reg, 0))->from_file);
	registry_rig_apply(&r, REGISTRY_FILE(C "," A "," B), false);
	registry_rig_expect(&r, "=3");
	assert_int_equal(r.w.peer.accepted, 1);
	registry_rig_deinit(&r);
}

struct shown {
	char text[200];
};

static void on_show(void *arg, struct bridge *b, const struct record *r)
{
	struct shown *s = arg;
	size_t n = strlen(s->text);
	const char *what = r ? (r->type == RECORD_MESSAGE ? "message" : "other") : bridge_state(b);

	snprintf(s->text + n, sizeof(s->text) - n, "%s:%s ", bridge_name(b), what);
}

/* Who taps it sees what local clients are told, and each change of state once; or nothing. */
static void test_tap(void **state)
{
	struct registry_rig r;
	struct shown s = { "" };
	const struct bridge_tap tap = { .cb = on_show, .arg = &s }, nobody = { 0 };

	(void)state;
	registry_rig_init(&r);
	registry_tap(r.reg, &tap);
	registry_rig_apply(&r, REGISTRY_FILE(A "," B), false);
	registry_rig_wait_states(&r, "a:open b:closed");
	assert_string_equal(s.text, "a:connecting a:other a:open ");
	ws_peer_text(&r.w.peer, "x");
	world_turn_for(&r.w, 5000);
	assert_string_equal(s.text, "a:connecting a:other a:open a:message ");
	s.text[0] = '\0';
	registry_tap(r.reg, &nobody);
	ws_peer_text(&r.w.peer, "y");
	world_turn_for(&r.w, 5000);
	registry_tap(r.reg, &tap);
	registry_rig_apply(&r, REGISTRY_FILE(B), false); /* what leaves is not spoken of */
	world_turn_for(&r.w, 100000);
	assert_string_equal(s.text, "");
	registry_rig_deinit(&r);
}

static void test_apply_touches_only_what_differs(void **state)
{
	struct registry_rig r;

	(void)state;
	registry_rig_init(&r);
	registry_rig_apply(&r, REGISTRY_FILE(A "," B), false);
	registry_rig_wait_states(&r, "a:open b:closed");
	registry_rig_apply(
		&r, REGISTRY_FILE(A "," C "," REGISTRY_BRIDGE("aa", "aa", REGISTRY_MANUAL)), false);
	registry_rig_expect(&r, "+aa +c -b =1");
	registry_rig_expect_states(&r, "a:open aa:closed c:closed");
	registry_rig_apply(&r, REGISTRY_FILE(A_MANUAL "," C), false);
	registry_rig_expect(&r, "~a -aa =1");
	world_turn_for(&r.w, 5000);
	registry_rig_expect_states(&r, "a:open c:closed");
	assert_int_equal(r.w.peer.accepted, 1);
	registry_rig_apply(&r, "{}", false);
	registry_rig_expect(&r, "-c -a =0");
	registry_rig_expect_states(&r, "");
	world_wait_seen(&r.w, "close 1000 |"); /* removed, but with good manners */
	registry_rig_deinit(&r);
}

static void test_dry(void **state)
{
	struct registry_rig r;

	(void)state;
	registry_rig_init(&r);
	registry_rig_apply(&r, REGISTRY_FILE(A "," B), true);
	registry_rig_expect(&r, "+a +b =0");
	registry_rig_expect_states(&r, "");
	assert_false(registry_rig_connect(&r, "b"));
	registry_rig_apply(&r, "{'limits': {'clients': 7}, 'bridges': {" A_MANUAL "," B "}}",
			   false);
	registry_rig_apply(&r, "{'limits': {'clients': 9}, 'bridges': {" A "," C "}}", true);
	registry_rig_expect(&r, "+c ~a -b =0");
	registry_rig_expect_states(&r, "a:closed b:closed");
	assert_int_equal(registry_quota(r.reg)->max_clients, 7);
	assert_true(registry_rig_connect(&r, "b"));
	world_turn_for(&r.w, 5000);
	assert_int_equal(r.w.peer.accepted, 0);
	registry_rig_deinit(&r);
}

static void test_open(void **state)
{
	struct registry_rig r;
	struct error err;
	struct bridge *b;

	(void)state;
	registry_rig_init(&r);
	registry_rig_apply(&r, "{'limits': {'bridges': 3}, 'bridges': {" A_MANUAL "," C "}}",
			   false);
	assert_null(registry_rig_open(&r, "a", "b", &err));
	assert_int_equal(err.code, ERR_ALREADY_EXISTS);
	assert_string_equal(err.text, "bridge \"a\" already exists");
	assert_null(registry_rig_open(&r, "b", "no/b", &err));
	assert_int_equal(err.code, ERR_ENDPOINT);
	assert_null(registry_rig_open(&r, "b", "a", &err)); /* the socket of another */
	assert_int_equal(err.code, ERR_ENDPOINT);
	registry_rig_expect_states(&r, "a:closed c:closed");
	b = registry_rig_open(&r, "b", "b", &err);
	assert_ptr_equal(registry_at(r.reg, 1), b);
	assert_false(bridge_configuration(b)->from_file);
	registry_rig_wait_states(&r, "a:closed b:open c:closed");
	assert_null(registry_rig_open(&r, "d", "d", &err));
	assert_int_equal(err.code, ERR_OVERFLOW);
	assert_string_equal(err.text, "there are 3 bridges, as many as limits.bridges allows");
	registry_rig_deinit(&r);
}

static void test_close_of_one_made_by_open(void **state)
{
	struct registry_rig r;
	struct error err;

	(void)state;
	registry_rig_init(&r);
	r.w.peer.no_close = true; /* closing takes a while */
	registry_rig_apply(&r, "{}", false);
	registry_close(r.reg, registry_rig_open(&r, "b", "b", &err), 1000, ""); /* at once */
	registry_rig_wait_states(&r, "");
	registry_rig_open(&r, "b", "b", &err);
	registry_rig_wait_states(&r, "b:open");
	registry_close(r.reg, registry_find(r.reg, "b"), 4000, "enough");
	registry_rig_expect_states(&r, "b:closing");
	assert_null(registry_rig_open(&r, "b", "b", &err));
	assert_int_equal(err.code, ERR_ALREADY_EXISTS);
	registry_rig_wait_states(&r, "");
	assert_string_equal(r.w.peer.seen, "close 4000 enough|");
	assert_false(registry_rig_connect(&r, "b"));
	assert_non_null(registry_rig_open(&r, "b", "b", &err)); /* the name is free */
	registry_rig_deinit(&r);
}

static void test_start_keeps_one_that_was_to_go(void **state)
{
	struct registry_rig r;
	struct error err;

	(void)state;
	registry_rig_init(&r);
	r.w.peer.no_close = true;
	registry_rig_apply(&r, "{}", false);
	registry_rig_open(&r, "b", "b", &err);
	registry_rig_wait_states(&r, "b:open");
	registry_close(r.reg, registry_find(r.reg, "b"), 1000, "");
	registry_start(r.reg, registry_find(r.reg, "b"));
	world_wait_count(&r.w, &r.w.peer.upgraded, 2);
	registry_rig_wait_states(&r, "b:open");
	registry_shut_down(r.reg);
	world_turn_for(&r.w, 100000);
	registry_rig_expect_states(&r, "b:closed"); /* nobody has closed it by name */
	registry_rig_deinit(&r);
}

static void test_close_of_one_from_the_file(void **state)
{
	struct registry_rig r;

	(void)state;
	registry_rig_init(&r);
	registry_rig_apply(&r, REGISTRY_FILE(A), false);
	registry_rig_wait_states(&r, "a:open");
	registry_close(r.reg, registry_find(r.reg, "a"), 1000, "");
	registry_rig_wait_states(&r, "a:closed");
	registry_close(r.reg, registry_find(r.reg, "a"), 1000, ""); /* twice is fine */
	registry_rig_apply(&r, REGISTRY_FILE(A), false); /* what was closed by hand stays so */
	world_turn_for(&r.w, 10000);
	registry_rig_expect_states(&r, "a:closed");
	assert_true(registry_rig_connect(&r, "a"));
	registry_start(r.reg, registry_find(r.reg, "a"));
	registry_rig_wait_states(&r, "a:open");
	registry_rig_deinit(&r);
}

static void test_apply_leaves_what_open_made(void **state)
{
	struct registry_rig r;
	struct error err;

	(void)state;
	registry_rig_init(&r);
	registry_rig_apply(&r, REGISTRY_FILE(B), false);
	registry_rig_open(&r, "a", "a", &err);
	registry_rig_wait_states(&r, "a:open b:closed");
	registry_rig_apply(&r, "{}", false);
	registry_rig_expect(&r, "-b =0");
	registry_rig_expect_states(&r, "a:open");
	registry_rig_apply(&r, REGISTRY_FILE(A_MANUAL), false); /* now the file has that name */
	registry_rig_expect(&r, "+a =0");
	registry_rig_expect_states(&r, "a:closed");
	assert_true(bridge_configuration(registry_find(r.reg, "a"))->from_file);
	assert_true(registry_rig_connect(&r, "a"));
	world_wait_seen(&r.w, "close 1000 |");
	world_turn_for(&r.w, 5000);
	assert_false(r.local.ended);
	registry_rig_deinit(&r);
}

static void test_same_name_and_path_at_once(void **state)
{
	struct registry_rig r;
	struct bridge *old;

	(void)state;
	registry_rig_init(&r);
	registry_rig_apply(&r, REGISTRY_FILE(A), false);
	registry_rig_wait_states(&r, "a:open");
	assert_true(registry_rig_connect(&r, "a"));
	world_turn_for(&r.w, 5000);
	old = registry_find(r.reg, "a");
	r.w.peer.no_close = true; /* the old one needs its time */
	registry_rig_apply(&r, "{}", false);
	assert_false(registry_is_quiet(r.reg));
	registry_rig_apply(&r, REGISTRY_FILE(A_MANUAL), false);
	registry_rig_expect(&r, "+a =0");
	registry_rig_expect_states(&r, "a:closed");
	assert_ptr_not_equal(registry_find(r.reg, "a"), old);
	world_wait_flag(&r.w, &r.local.ended);
	assert_true(registry_rig_connect(&r, "a"));
	world_turn_for(&r.w, 5000);
	assert_false(registry_is_quiet(r.reg));
	world_turn_for(&r.w, 100000); /* the old one has gone, with its deadline */
	assert_true(registry_is_quiet(r.reg));
	assert_false(r.local.ended);
	registry_start(r.reg, registry_find(r.reg, "a"));
	registry_rig_wait_states(&r, "a:open");
	local_write(&r.local, "new\n");
	world_wait_seen(&r.w, "text new|");
	registry_rig_deinit(&r);
}

/* A path that goes from one bridge to another in one reload, in either direction of names. */
static void test_paths_change_hands(void **state)
{
	struct registry_rig r;

	(void)state;
	registry_rig_init(&r);
	registry_rig_apply(&r, REGISTRY_FILE(A_MANUAL "," B), false);
	registry_rig_apply(
		&r,
		REGISTRY_FILE(REGISTRY_BRIDGE("a", "b", REGISTRY_MANUAL) "," REGISTRY_BRIDGE(
			"b", "a", REGISTRY_MANUAL)),
		false);
	registry_rig_expect(&r, "~a ~b =0");
	registry_rig_expect_states(&r, "a:closed b:closed");
	registry_rig_apply(
		&r,
		REGISTRY_FILE(REGISTRY_BRIDGE("aa", "a", REGISTRY_MANUAL) "," REGISTRY_BRIDGE(
			"b", "new", REGISTRY_MANUAL)),
		false);
	registry_rig_expect(&r, "+aa ~b -a =0");
	registry_rig_expect_states(&r, "aa:closed b:closed");
	registry_rig_deinit(&r);
}

#define DEEP(more) REGISTRY_FILE(REGISTRY_BRIDGE("a", "sub/a", more) "," B)

static void check_mends(const char *file, const char *mended)
{
	struct registry_rig r;
	mem_auto_str sub = NULL;
	mem_auto_str lock = NULL;

	registry_rig_init(&r);
	sub = mem_printf("%s/sub", r.w.dir);
	lock = mem_printf("%s/a.lock", sub);
	registry_rig_apply(&r, file, false);
	registry_rig_expect(&r, "+a +b =0");
	registry_rig_expect_states(&r, "a:failed b:closed"); /* the others do not suffer */
	registry_rig_apply(&r, file, false);
	registry_rig_expect_states(&r, "a:failed b:closed");
	assert_int_equal(mkdir(sub, 0700), 0);
	registry_rig_apply(&r, file, true);
	registry_rig_expect_states(&r, "a:failed b:closed");
	registry_rig_apply(&r, file, false);
	registry_rig_expect(&r, "=2");
	registry_rig_wait_states(&r, mended);
	registry_rig_apply(&r, "{}", false);
	unlink(lock);
	assert_int_equal(rmdir(sub), 0);
	registry_rig_deinit(&r);
}

static void test_reload_mends_endpoints(void **state)
{
	(void)state;
	check_mends(DEEP(""), "a:open b:closed");
	check_mends(DEEP(REGISTRY_MANUAL), "a:closed b:closed");
}

static bool is_quiet(void *arg)
{
	const struct registry_rig *r = arg;

	return registry_is_quiet(r->reg);
}

static void test_orderly_end(void **state)
{
	struct registry_rig r;

	(void)state;
	registry_rig_init(&r);
	registry_rig_apply(&r, REGISTRY_FILE(A "," B), false);
	registry_rig_wait_states(&r, "a:open b:closed");
	assert_false(registry_is_quiet(r.reg));
	assert_true(registry_rig_connect(&r, "a"));
	world_turn_for(&r.w, 5000);
	ws_peer_text(&r.w.peer, "last words");
	registry_shut_down(r.reg);
	assert_false(registry_is_quiet(r.reg));
	world_wait(&r.w, is_quiet, &r);
	registry_rig_expect_states(&r, "a:closed b:closed");
	assert_string_equal(r.w.peer.seen, "close 1001 going away|");
	world_wait_count(&r.w, &r.local.lines, 1);
	assert_string_equal(r.local.got, "last words\n");
	assert_false(registry_rig_connect(&r, "a"));
	assert_false(registry_rig_connect(&r, "b"));
	registry_rig_deinit(&r);
}

static void test_limit_of_clients_in_all(void **state)
{
	struct registry_rig r;
	struct local second;
	mem_auto_str path = NULL;

	(void)state;
	registry_rig_init(&r);
	path = mem_printf("%s/c", r.w.dir);
	registry_rig_apply(&r, "{'limits': {'clients': 1}, 'bridges': {" B "," C "}}", false);
	assert_true(registry_rig_connect(&r, "b"));
	world_turn_for(&r.w, 5000);
	assert_true(local_connect(&second, r.w.loop, path));
	world_wait_flag(&r.w, &second.ended);
	assert_int_equal(registry_quota(r.reg)->clients, 1);
	assert_false(r.local.ended);
	local_close(&second);
	registry_rig_deinit(&r);
}

/* With a session in every stage, one bridge leaving and one closing. */
static void test_free_in_the_middle(void **state)
{
	struct registry_rig r;
	struct error err;

	(void)state;
	registry_rig_init(&r);
	r.w.peer.no_close = true;
	registry_rig_apply(&r, REGISTRY_FILE(A "," B), false);
	registry_rig_wait_states(&r, "a:open b:closed");
	registry_rig_apply(&r, REGISTRY_FILE(B), false);
	registry_rig_open(&r, "x", "x", &err);
	registry_rig_wait_states(&r, "b:closed x:open");
	registry_close(r.reg, registry_find(r.reg, "x"), 1000, "");
	registry_rig_open(&r, "y", "y", &err);
	registry_rig_deinit(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_start_up_is_a_difference),
		cmocka_unit_test(test_tap),
		cmocka_unit_test(test_apply_touches_only_what_differs),
		cmocka_unit_test(test_dry),
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_close_of_one_made_by_open),
		cmocka_unit_test(test_start_keeps_one_that_was_to_go),
		cmocka_unit_test(test_close_of_one_from_the_file),
		cmocka_unit_test(test_apply_leaves_what_open_made),
		cmocka_unit_test(test_same_name_and_path_at_once),
		cmocka_unit_test(test_paths_change_hands),
		cmocka_unit_test(test_reload_mends_endpoints),
		cmocka_unit_test(test_orderly_end),
		cmocka_unit_test(test_limit_of_clients_in_all),
		cmocka_unit_test(test_free_in_the_middle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
