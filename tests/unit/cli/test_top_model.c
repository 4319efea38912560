/* SPDX-License-Identifier: Apache-2.0 */
/* What follows from one answer of `status` after the other: rates, their past, order, filter. */
#include "cli/top_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "cli/top_fleet.h"
#include "cli/top_text.h"
#include "cli/top_ui.h"

static void test_numbers(void **state)
{
	static const struct {
		char *(*text)(char *out, double n);
		double n;
		const char *expected;
	} cases[] = {
		{ top_count, -1, "-" },
		{ top_count, 0, "0" },
		{ top_count, 0.04, "0.0" },
		{ top_count, 0.44, "0.4" },
		{ top_count, 9.94, "9.9" },
		{ top_count, 9.96, "10" },
		{ top_count, 9999.4, "9999" },
		{ top_count, 9999.6, "10.0k" },
		{ top_count, 99949, "99.9k" },
		{ top_count, 99951, "100k" },
		{ top_count, 999499, "999k" },
		{ top_count, 999501, "1.0M" },
		{ top_count, 1e30, "1.0E" },
		{ top_whole, -1, "-" },
		{ top_whole, 7.4, "7" },
		{ top_whole, 9999.6, "10.0k" },
		{ top_whole, -1, "-" },
		{ top_whole, 7.4, "7" },
		{ top_whole, 9999.6, "10.0k" },
		{ top_bytes, -1, "-" },
		{ top_bytes, 0, "0" },
		{ top_bytes, 0.2, "1B" },
		{ top_bytes, 999.4, "999B" },
		{ top_bytes, 999.6, "1.0K" },
		{ top_bytes, 1536, "1.5K" },
		{ top_bytes, 102399, "100K" },
		{ top_bytes, 1e30, "888P" },
		{ top_time, -1, "-" },
		{ top_time, 0, "0us" },
		{ top_time, 0.00042, "420us" },
		{ top_time, 0.0009996, "1.0ms" },
		{ top_time, 0.0123, "12ms" },
		{ top_time, 0.9996, "1.0s" },
		{ top_time, 9.96, "10s" },
		{ top_time, 59.6, "1m" },
		{ top_time, 3571, "1h" },
		{ top_time, 84601, "1d" },
		{ top_time, 8.63e9, "99884d" },
		{ top_time, 1e30, "ages" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char out[TOP_NUMBER];

		assert_string_equal(cases[i].text(out, cases[i].n), cases[i].expected);
	}
}

static void take(struct top_model *m, int pid, json_t *bridges_taken, double now)
{
	json_t *status = fleet_daemon(pid, bridges_taken);

	top_model_take(m, status, now);
	json_decref(status);
}

/* One bridge that has received so many messages of 100 bytes. */
static json_t *counted(const char *name, int messages)
{
	json_t *b = fleet_bridge(name, "open", NULL);

	json_object_set_new(b, "rx",
			    json_pack("{s:i,s:i}", "messages", messages, "bytes", 100 * messages));
	return b;
}

static void take_one(struct top_model *m, int pid, int messages, double now)
{
	take(m, pid, json_pack("[o]", counted("one", messages)), now);
}

static double rate(const struct top_model *m, const char *name)
{
	const struct top_bridge *b = top_model_find(m, name);

	assert_non_null(b);
	return b->rx.rate.messages;
}

#define assert_near(a, b) assert_true((a) - (b) < 1e-6 && (b) - (a) < 1e-6)

static void test_rates(void **state)
{
	struct top_model m;

	(void)state;
	top_model_init(&m);
	take_one(&m, 1, 1000, 50);
	assert_near(rate(&m, "one"), -1); /* nobody knows yet */
	assert_near(m.rx.messages, -1);
	assert_int_equal(top_model_find(&m, "one")->past.n, 0);
	take_one(&m, 1, 1010, 52);
	assert_near(rate(&m, "one"), 5);
	assert_near(top_model_find(&m, "one")->rx.rate.bytes, 500);
	take_one(&m, 1, 1040, 62); /* after a pause: over what has passed */
	assert_near(rate(&m, "one"), 3);
	take_one(&m, 1, 8, 64); /* made anew: it began at 0 */
	assert_near(rate(&m, "one"), 4);
	take_one(&m, 2, 100, 66); /* a new daemon, which has counted further meanwhile */
	assert_near(rate(&m, "one"), 50);
	assert_near(m.rx.messages, 50);
	assert_near(top_series_peak(&top_model_find(&m, "one")->past, TOP_PAST), 50);
	assert_near(top_series_peak(&m.past, 1), 50);
	assert_int_equal(top_model_find(&m, "one")->past.n, 4);
	top_model_deinit(&m);
}

static void test_bridges_come_and_go(void **state)
{
	struct top_model m;

	(void)state;
	top_model_init(&m);
	take(&m, 1, json_pack("[o,o]", counted("m", 1), counted("z", 1)), 10);
	assert_int_equal(m.n, 2);
	take(&m, 1, json_pack("[o,o,o]", counted("z", 3), counted("a", 6), counted("m", 1)), 12);
	assert_int_equal(m.n, 3);
	assert_string_equal(m.bridges[0]->name, "a");
	assert_string_equal(m.bridges[2]->name, "z");
	assert_near(rate(&m, "a"), 3); /* it is new, so it began at 0 */
	assert_near(rate(&m, "z"), 1);
	assert_near(m.rx.messages, 4);
	take(&m, 1, json_pack("[o]", counted("m", 1)), 14);
	assert_int_equal(m.n, 1);
	assert_null(top_model_find(&m, "a"));
	assert_int_equal(m.by_state[TOP_OPEN], 1);
	take(&m, 1, json_array(), 16);
	assert_int_equal(m.n, 0);
	assert_int_equal(m.by_state[TOP_OPEN], 0);
	assert_near(m.rx.messages, 0);
	top_model_deinit(&m);
}

/* A gap is neither a value nor the end of the past. */
static void test_a_gap(void **state)
{
	struct top_model m;
	const struct top_series *past;

	(void)state;
	top_model_init(&m);
	take_one(&m, 1, 0, 10);
	take_one(&m, 1, 10, 12);
	top_model_lost(&m);
	past = &top_model_find(&m, "one")->past;
	assert_int_equal(past->n, 2);
	assert_true(past->values[1] < 0);
	assert_near(top_series_peak(past, 9), 5);
	take_one(&m, 2, 2, 14);
	assert_near(rate(&m, "one"), 1);
	top_model_deinit(&m);
}

/* The oldest values make room; what is shown of them is the newest. */
static void test_the_past_has_an_end(void **state)
{
	struct top_series s = { 0 };

	(void)state;
	for (int i = 0; i <= 2 * TOP_PAST; i++)
		top_series_add(&s, 2 * TOP_PAST - i);
	assert_int_equal(s.n, TOP_PAST);
	assert_near(top_series_peak(&s, TOP_PAST), TOP_PAST - 1);
	assert_near(top_series_peak(&s, 3), 2);
}

static void test_scale(void **state)
{
	static const double cases[][2] = { { 0, 1 },	 { 1, 1 },	 { 1.01, 2 },
					   { 2.1, 5 },	 { 5.1, 10 },	 { 10, 10 },
					   { 10.1, 20 }, { 99, 100 },	 { 4321, 5000 },
					   { 1e6, 1e6 }, { 1.2e6, 2e6 }, { 1e300, 1e15 } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_near(top_graph_scale(cases[i][0]), cases[i][1]);
}

/* Names in the list, with blanks between. */
static void assert_list(const struct top_model *m, const struct top_ui *ui, const char *expected)
{
	struct top_list list;
	char *all = mem_strdup("");

	top_list_init(&list, m, ui);
	for (size_t i = 0; i < list.n; i++) {
		char *longer = mem_printf("%s%s%.6s", all, *all ? " " : "", list.bridges[i]->name);

		free(all);
		all = longer;
	}
	assert_string_equal(all, expected);
	top_list_deinit(&list);
	free(all);
}

static void test_order(void **state)
{
	static const struct {
		enum top_column_id sort;
		const char *expected, *reversed;
	} cases[] = {
		{ COLUMN_NAME, "a-name broken dialin now-an orders quotes ticker",
		  "ticker quotes orders now-an dialin broken a-name" },
		{ COLUMN_STATE, "broken quotes dialin orders ticker now-an a-name",
		  "a-name now-an orders ticker dialin quotes broken" },
		{ COLUMN_RX, "ticker a-name broken dialin now-an orders quotes",
		  "a-name broken dialin now-an orders quotes ticker" },
		{ COLUMN_TX, "orders ticker a-name broken dialin now-an quotes",
		  "a-name broken dialin now-an quotes ticker orders" },
		{ COLUMN_GRAPH, "orders ticker a-name broken dialin now-an quotes",
		  "a-name broken dialin now-an quotes ticker orders" },
		{ COLUMN_RX_BYTES, "ticker a-name broken dialin now-an orders quotes",
		  "a-name broken dialin now-an orders quotes ticker" },
		{ COLUMN_TX_BYTES, "orders ticker a-name broken dialin now-an quotes",
		  "a-name broken dialin now-an quotes ticker orders" },
		{ COLUMN_QUEUED, "ticker a-name broken dialin now-an orders quotes",
		  "a-name broken dialin now-an orders quotes ticker" },
		{ COLUMN_RTT, "ticker orders a-name broken dialin now-an quotes",
		  "a-name broken dialin now-an quotes orders ticker" },
		{ COLUMN_RECONNECTS, "a-name ticker broken dialin now-an orders quotes",
		  "broken dialin now-an orders quotes ticker a-name" },
		{ COLUMN_CLIENTS, "ticker a-name broken dialin now-an orders quotes",
		  "a-name broken dialin now-an orders quotes ticker" },
		{ COLUMN_DROPPED, "broken a-name dialin now-an orders quotes ticker",
		  "a-name dialin now-an orders quotes ticker broken" },
		{ COLUMN_ERROR, "broken ticker quotes a-name dialin now-an orders",
		  "a-name dialin now-an orders quotes ticker broken" },
	};
	struct top_model m;

	(void)state;
	top_model_init(&m);
	for (int i = 0; i < 3; i++) {
		json_t *status = fleet_status(i);

		top_model_take(&m, status, 10 + i);
		json_decref(status);
	}
	assert_int_equal(sizeof(cases) / sizeof(*cases), N_COLUMNS);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct top_ui ui = { .sort = cases[i].sort };

		assert_list(&m, &ui, cases[i].expected);
		ui.reverse = true;
		assert_list(&m, &ui, cases[i].reversed);
	}
	top_model_deinit(&m);
}

static void test_filter(void **state)
{
	static const char *const cases[][2] = {
		{ "tick", "ticker" },
		{ "TICK", "ticker" },
		{ "waiting", "quotes" },
		{ "refused", "quotes" },
		{ "192.0.2.7", "ticker" },
		{ "wss:", "ticker" },
		{ "schl\xC3\xBCssel", "broken" },
		{ "no such", "" },
	};
	struct top_model m;
	json_t *status = fleet_status(0);

	(void)state;
	top_model_init(&m);
	top_model_take(&m, status, 1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct top_ui ui = { 0 };

		snprintf(ui.filter, sizeof(ui.filter), "%s", cases[i][0]);
		assert_list(&m, &ui, cases[i][1]);
	}
	json_decref(status);
	top_model_deinit(&m);
}

/* An older daemon, or one that says something else: nothing breaks. */
static void test_strange_answers(void **state)
{
	static const char *const answers[] = {
		"{}",
		"{\"daemon\":7,\"bridges\":{}}",
		"{\"bridges\":[7,null,{},{\"name\":1}]}",
		"{\"bridges\":[{\"name\":\"x\",\"state\":5,\"rx\":7,\"clients\":\"many\"}]}",
		"{\"bridges\":[{\"name\":\"x\",\"state\":\"dancing\"},{\"name\":\"x\"}]}",
	};
	struct top_model m;

	(void)state;
	top_model_init(&m);
	for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
		json_t *status = fleet_text(answers[i]);

		top_model_take(&m, status, (double)i);
		assert_true(m.n <= 2);
		json_decref(status);
	}
	assert_int_equal(m.by_state[N_TOP_STATES], 1);
	top_model_deinit(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_bridges_come_and_go),
		cmocka_unit_test(test_a_gap),
		cmocka_unit_test(test_the_past_has_an_end),
		cmocka_unit_test(test_scale),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_filter),
		cmocka_unit_test(test_strange_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
