/* SPDX-License-Identifier: Apache-2.0 */
/* A bridge that is reconfigured, and endpoints that cannot be made. */
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
#include "bridge_rig.h"

#define USUAL BRIDGE_FAST ", " BRIDGE_SOCKET

static void open_with_client(struct bridge_rig *r, const char *options)
{
	bridge_rig_init(r, options);
	assert_int_equal(r->err.code, ERR_NONE);
	bridge_rig_open(r);
	bridge_rig_connect(r, 0);
}

static void check_through(struct bridge_rig *r)
{
	ws_peer_forget(&r->w.peer);
	local_write(&r->locals[0], "through\n");
	world_wait_seen(&r->w, "text through|");
}

static void test_policy_touches_nothing(void **state)
{
	static const char *const policies[] = {
		USUAL,
		USUAL ", 'ping': {'interval': '1h'}",
		USUAL ", 'outbox': {'size': '2M', 'ttl': '1s', 'on_full': 'drop-oldest'}",
		USUAL ", 'start': 'manual'",
		("'reconnect': {'max': '1h'}, " BRIDGE_SOCKET),
	};
	struct bridge_rig r;

	(void)state;
	open_with_client(&r, USUAL);
	for (size_t i = 0; i < sizeof(policies) / sizeof(*policies); i++) {
		bridge_rig_configure(&r, policies[i]);
		assert_int_equal(r.err.code, ERR_NONE);
		world_turn_for(&r.w, 5000);
		assert_string_equal(bridge_state(r.b), "open");
		assert_false(r.locals[0].ended);
		check_through(&r);
	}
	assert_int_equal(bridge_rig_info(&r).link.epoch, 1);
	assert_int_equal(r.w.peer.accepted, 1);
	bridge_rig_deinit(&r);
}

static void test_policy_takes_effect(void **state)
{
	struct bridge_rig r;

	(void)state;
	bridge_rig_init(&r, USUAL ", 'outbox': {'size': 0}");
	bridge_rig_configure(&r, USUAL);
	bridge_rig_connect(&r, 0);
	local_write(&r.locals[0], "kept\n");
	bridge_rig_wait_outbox(&r, 1);
	assert_int_equal(bridge_rig_info(&r).dropped, 0);
	bridge_rig_deinit(&r);
}

static void test_endpoint_is_replaced(void **state)
{
	struct bridge_rig r;
	struct stat st;
	mem_auto_str path = NULL;

	(void)state;
	open_with_client(&r, USUAL);
	path = mem_printf("%s/x", r.w.dir);
	bridge_rig_configure(&r, BRIDGE_FAST ", 'endpoint': {'unix': '$DIR/x', 'mode': '0660'}");
	assert_int_equal(r.err.code, ERR_NONE);
	world_wait_flag(&r.w, &r.locals[0].ended);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0660);
	bridge_rig_connect(&r, 0);
	check_through(&r);
	assert_int_equal(bridge_rig_info(&r).link.epoch, 1); /* the upstream saw nothing of it */
	bridge_rig_deinit(&r);
}

static void test_endpoints_come_and_go(void **state)
{
	struct bridge_rig r;
	struct local y;
	mem_auto_str path = NULL;

	(void)state;
	open_with_client(&r, USUAL);
	path = mem_printf("%s/y", r.w.dir);
	assert_false(local_connect(&y, r.w.loop, path));
	bridge_rig_configure(&r, BRIDGE_FAST ", 'endpoints': ['$DIR/y', '$DIR/x']");
	assert_true(local_connect(&y, r.w.loop, path));
	world_turn_for(&r.w, 5000);
	ws_peer_text(&r.w.peer, "to both");
	world_wait_count(&r.w, &y.lines, 1);
	bridge_rig_wait_got(&r, 0, "to both\n");
	bridge_rig_configure(&r, BRIDGE_FAST ", 'endpoint': '$DIR/x'");
	world_wait_flag(&r.w, &y.ended);
	local_close(&y);
	assert_false(local_connect(&y, r.w.loop, path));
	check_through(&r);
	bridge_rig_deinit(&r);
}

static void test_url_reconnects_and_clients_stay(void **state)
{
	struct bridge_rig r;

	(void)state;
	open_with_client(&r, USUAL);
	bridge_rig_configure_url(&r, "ws://127.0.0.1:$PORT/other", USUAL);
	assert_string_equal(bridge_state(r.b), "closing");
	local_write(&r.locals[0], "meanwhile\n");
	world_wait_seen(&r.w, "text meanwhile|");
	assert_string_equal(r.w.peer.seen, "close 1000 |text meanwhile|");
	assert_non_null(strstr(r.w.peer.request, "GET /other "));
	assert_false(r.locals[0].ended);
	assert_int_equal(bridge_rig_info(&r).link.reconnects, 1);
	bridge_rig_deinit(&r);
}

/* The limit holds for what local clients write, too: at once after a change, in both directions. */
static void test_max_message(void **state)
{
	struct bridge_rig r;

	(void)state;
	bridge_rig_init(&r, USUAL ", 'max_message': 8");
	bridge_rig_open(&r);
	bridge_rig_configure(&r, USUAL ", 'max_message': 32");
	bridge_rig_connect(&r, 0);
	local_write(&r.locals[0], "now it is short\n");
	world_wait_seen(&r.w, "text now it is short|");
	bridge_rig_configure(&r, USUAL ", 'max_message': 8");
	bridge_rig_connect(&r, 1);
	local_write(&r.locals[1], "long again\nshort\n");
	world_wait_seen(&r.w, "text short|");
	assert_null(strstr(r.w.peer.seen, "text long again|"));
	bridge_rig_deinit(&r);
}

static void test_start_becomes_auto(void **state)
{
	struct bridge_rig r;

	(void)state;
	bridge_rig_init(&r, USUAL ", 'start': 'manual'");
	assert_string_equal(bridge_state(r.b), "closed");
	bridge_rig_configure(&r, USUAL);
	bridge_rig_wait(&r, "open");
	bridge_rig_configure(&r, USUAL ", 'start': 'manual'");
	assert_string_equal(bridge_state(r.b), "open");
	bridge_stop(r.b, 1000, "");
	bridge_rig_wait(&r, "closed");
	bridge_rig_configure(&r, USUAL ", 'start': 'manual', 'ping': {'interval': '1h'}");
	world_turn_for(&r.w, 20000);
	assert_string_equal(bridge_state(r.b), "closed");
	bridge_rig_deinit(&r);
}

static void test_closed_by_hand_stays_closed(void **state)
{
	struct bridge_rig r;

	(void)state;
	open_with_client(&r, USUAL);
	bridge_stop(r.b, 1000, "");
	bridge_rig_wait(&r, "closed");
	bridge_rig_configure(&r, USUAL ", 'ping': {'interval': '1h'}");
	bridge_rig_configure(&r, USUAL ", 'origin': 'http://new'");
	world_turn_for(&r.w, 20000);
	assert_string_equal(bridge_state(r.b), "closed");
	assert_int_equal(r.w.peer.accepted, 1);
	bridge_rig_deinit(&r);
}

#define DEEP BRIDGE_FAST ", 'endpoint': '$DIR/sub/x'"

static void make_sub(const struct bridge_rig *r, bool make)
{
	mem_auto_str sub = mem_printf("%s/sub", r->w.dir);
	mem_auto_str lock = mem_printf("%s/x.lock", sub);

	if (make) {
		assert_int_equal(mkdir(sub, 0700), 0);
		return;
	}
	unlink(lock);
	assert_int_equal(rmdir(sub), 0);
}

static void check_failed(struct bridge_rig *r)
{
	struct bridge_info info = bridge_rig_info(r);

	assert_int_equal(r->err.code, ERR_ENDPOINT);
	assert_memory_equal(r->err.text, "bridge \"feed\": ", 15);
	assert_non_null(strstr(r->err.text, "No such file or directory"));
	assert_true(bridge_has_endpoint_error(r->b));
	assert_string_equal(bridge_state(r->b), "failed");
	assert_int_equal(info.link.last_error.code, ERR_ENDPOINT);
	assert_string_equal(info.link.last_error.text, r->err.text);
	assert_null(bridge_endpoint(r->b, 0));
}

static void test_start_mends_an_endpoint(void **state)
{
	struct bridge_rig r;

	(void)state;
	bridge_rig_init(&r, DEEP);
	check_failed(&r);
	bridge_start(r.b); /* no better yet */
	check_failed(&r);
	assert_int_equal(r.w.peer.accepted, 0);
	make_sub(&r, true);
	bridge_rig_open(&r);
	assert_false(bridge_has_endpoint_error(r.b));
	assert_non_null(bridge_endpoint(r.b, 0));
	assert_int_equal(bridge_rig_info(&r).link.last_error.code, ERR_NONE);
	bridge_free(r.b);
	r.b = NULL;
	make_sub(&r, false);
	bridge_rig_deinit(&r);
}

static void test_configuration_mends_an_endpoint(void **state)
{
	struct bridge_rig r;

	(void)state;
	bridge_rig_init(&r, DEEP);
	check_failed(&r);
	bridge_rig_configure(&r, USUAL); /* start is auto: now nothing stands in the way */
	assert_int_equal(r.err.code, ERR_NONE);
	bridge_rig_wait(&r, "open");
	bridge_rig_connect(&r, 0);
	check_through(&r);
	bridge_rig_deinit(&r);
}

static void test_configuration_breaks_an_endpoint(void **state)
{
	struct bridge_rig r;

	(void)state;
	open_with_client(&r, USUAL);
	bridge_rig_configure(&r, DEEP);
	check_failed(&r);
	world_wait_flag(&r.w, &r.locals[0].ended);
	bridge_rig_configure(&r, USUAL);
	bridge_rig_wait(&r, "open");
	bridge_rig_connect(&r, 0);
	check_through(&r);
	bridge_rig_deinit(&r);
}

static void test_one_endpoint_of_two_fails(void **state)
{
	struct bridge_rig r;

	(void)state;
	bridge_rig_init(&r, BRIDGE_FAST ", 'endpoints': ['$DIR/x', '$DIR/sub/x']");
	assert_string_equal(bridge_state(r.b), "failed");
	assert_non_null(bridge_endpoint(r.b, 0));
	assert_null(bridge_endpoint(r.b, 1));
	bridge_rig_connect(&r, 0); /* the other one serves */
	make_sub(&r, true);
	bridge_rig_open(&r);
	assert_false(r.locals[0].ended); /* and goes on */
	check_through(&r);
	bridge_free(r.b);
	r.b = NULL;
	make_sub(&r, false);
	bridge_rig_deinit(&r);
}

/* Nothing of the connection that all shared comes to those that have their own now. */
static void test_private_from_now_on(void **state)
{
	struct bridge_rig r;

	(void)state;
	bridge_rig_init(&r, USUAL ", 'start': 'manual'");
	bridge_rig_open(&r);
	bridge_rig_configure(&r, USUAL ", 'start': 'manual', 'sharing': 'private'");
	bridge_rig_wait(&r, "idle");
	world_wait_seen(&r.w, "close 1000 |");
	while (bridge_has_session(r.b))
		world_turn_for(&r.w, 1000);
	bridge_rig_deinit(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_policy_touches_nothing),
		cmocka_unit_test(test_policy_takes_effect),
		cmocka_unit_test(test_endpoint_is_replaced),
		cmocka_unit_test(test_endpoints_come_and_go),
		cmocka_unit_test(test_url_reconnects_and_clients_stay),
		cmocka_unit_test(test_max_message),
		cmocka_unit_test(test_start_becomes_auto),
		cmocka_unit_test(test_closed_by_hand_stays_closed),
		cmocka_unit_test(test_start_mends_an_endpoint),
		cmocka_unit_test(test_configuration_mends_an_endpoint),
		cmocka_unit_test(test_configuration_breaks_an_endpoint),
		cmocka_unit_test(test_one_endpoint_of_two_fails),
		cmocka_unit_test(test_private_from_now_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
