/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parts of configurations: equal ones are one, what differs stays apart, and
 * each lives as long as somebody has it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "conf/conf_diff.h"
#include "config_file.h"

#define COUNT(rows) (sizeof(rows) / sizeof(*(rows)))

static struct bridge_conf *make(const char *text, struct schema_pool *pool)
{
	struct schema_first first;
	json_t *own = config_json(text);
	struct bridge_conf *c;

	schema_first_init(&first);
	json_object_set_new(own, "url", json_string("ws://h/"));
	c = bridge_conf_new("a", NULL, own, &first.report);
	if (!c)
		fail_msg("%s: %s", text, first.err.text);
	json_decref(own);
	bridge_conf_share(c, pool);
	return c;
}

#define AT_X(more) "{'endpoint': {'unix': '/x'" more "}}"

static void test_what_is_equal_is_one(void **state)
{
	static const struct {
		const char *a, *b;
		bool handshake, common, rules;
	} rows[] = {
		{ AT_X(""), AT_X(""), true, true, true },
		{ AT_X(""), "{'endpoint': '/y'}", true, true, true },
		{ AT_X(""), AT_X(", 'mode': '0660'"), true, true, false },
		{ AT_X(""), "{'endpoint': '/x', 'headers': {'X': 'a'}}", false, true, true },
		{ AT_X(""), "{'endpoint': '/x', 'ping': {'interval': 5}}", true, false, true },
		{ AT_X(""), "{'endpoint': '/x', 'ping': {'interval': '20s'}}", true, true, true },
		{ "{'endpoint': '/x', 'auth': {'bearer': 'a'}, 'tls': {'ktls': true}}",
		  "{'endpoint': '/x', 'auth': {'bearer': 'b'}, 'tls': {'ktls': false}}", false,
		  false, true },
		{ "{'endpoint': '/x', 'on_open': [{'text': 'a'}]}",
		  "{'endpoint': '/x', 'on_open': [{'text': 'a'}]}", true, true, true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct schema_pool pool = { .n = 0 };
		struct bridge_conf *a = make(rows[i].a, &pool), *b = make(rows[i].b, &pool);

		assert_int_equal(a->handshake == b->handshake, rows[i].handshake);
		assert_int_equal(a->common == b->common, rows[i].common);
		assert_int_equal(a->endpoints[0].rules == b->endpoints[0].rules, rows[i].rules);
		bridge_conf_unref(i % 2 ? a : b);
		bridge_conf_unref(i % 2 ? b : a);
		assert_int_equal(pool.n, 0);
	}
}

static void test_endpoints_of_one_bridge(void **state)
{
	struct schema_pool pool = { .n = 0 };
	struct bridge_conf *c = make("{'endpoints': ['/x', {'unix': '/y', 'queue': '2K'}, '/z']}",
				     &pool);

	(void)state;
	assert_ptr_equal(c->endpoints[0].rules, c->endpoints[2].rules);
	assert_ptr_not_equal(c->endpoints[0].rules, c->endpoints[1].rules);
	assert_int_equal(c->endpoints[0].rules->refs.n, 2);
	assert_int_equal(c->endpoints[1].rules->queue, 2048);
	schema_pool_deinit(&pool);
	assert_int_equal(c->endpoints[2].rules->queue, 1 << 20);
	bridge_conf_unref(c);
}

/* The verdict of a reload is the same for parts that are shared and for those that are not. */
static void test_comparing_shared_ones(void **state)
{
	struct schema_pool pool = { .n = 0 }, other = { .n = 0 };
	struct bridge_conf *a = make(AT_X(""), &pool), *b = make(AT_X(""), &pool);
	struct bridge_conf *apart = make(AT_X(""), &other);
	struct bridge_conf *live = make("{'endpoint': '/x', 'linger': 5}", &pool);

	(void)state;
	assert_false(conf_diff_any(conf_diff_bridge(a, b)));
	assert_false(conf_diff_any(conf_diff_bridge(a, apart)));
	assert_ptr_not_equal(a->common, apart->common);
	assert_int_equal(conf_diff_bridge(b, live).upstream, SCHEMA_CHANGED_LIVE);
	bridge_conf_unref(a);
	bridge_conf_unref(b);
	bridge_conf_unref(apart);
	bridge_conf_unref(live);
	assert_int_equal(pool.n + other.n, 0);
}

/* More kinds than are looked through: those that were used last are found. */
static void test_many_kinds(void **state)
{
	struct bridge_conf *all[3 * SCHEMA_POOL_MAX];
	struct schema_pool pool = { .n = 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(all); i++) {
		mem_auto_str text = mem_printf("{'endpoint': '/x', 'origin': 'http://h%zu'}",
					       i / 2);

		all[i] = make(text, &pool);
		assert_true(pool.n <= SCHEMA_POOL_MAX);
		assert_ptr_equal(all[i]->common, all[0]->common);
		if (i % 2)
			assert_ptr_equal(all[i]->handshake, all[i - 1]->handshake);
		else if (i > 0)
			assert_ptr_not_equal(all[i]->handshake, all[i - 1]->handshake);
	}
	assert_int_equal(pool.n, SCHEMA_POOL_MAX);
	for (size_t i = 0; i < COUNT(all); i++) /* the oldest are in the pool no more */
		bridge_conf_unref(all[i]);
	assert_int_equal(pool.n, 0);
}

static void test_bridges_of_a_file(void **state)
{
	struct bridge_conf *kept;
	struct config c;

	(void)state;
	config_init(&c);
	config_write(&c, "w.json",
		     "{'defaults': {'url': 'ws://h/', 'ping': {'interval': 7}}, 'bridges': {"
		     "'a': {'endpoint': '/a'}, 'b': {'endpoint': '/b', 'url': 'ws://i/'}}}");
	config_load(&c, "w.json");
	assert_string_equal(c.errors, "");
	kept = bridge_conf_ref(c.conf->bridges[1]);
	assert_ptr_equal(kept->common, c.conf->bridges[0]->common);
	assert_ptr_equal(kept->handshake, c.conf->bridges[0]->handshake);
	assert_ptr_equal(kept->endpoints[0].rules, c.conf->bridges[0]->endpoints[0].rules);
	config_deinit(&c);
	assert_string_equal(kept->name, "b");
	assert_string_equal(kept->endpoints[0].unix_path, "/b");
	assert_int_equal(kept->common->ping.interval, 7000000);
	bridge_conf_unref(kept);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_equal_is_one),
		cmocka_unit_test(test_endpoints_of_one_bridge),
		cmocka_unit_test(test_comparing_shared_ones),
		cmocka_unit_test(test_many_kinds),
		cmocka_unit_test(test_bridges_of_a_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
