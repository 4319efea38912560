/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ring of events without a network: what is kept, what each reader gets of
 * it, and that whatever is lost is told exactly, or told to be unknown.
 */
#include "control/events.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "control/control_fixture.h"
#include "support/fixed_rand.h"

struct test {
	struct fixture f;
	struct fixed_rand rand;
	struct events *events;
	struct event_reader *reader, *other;
	struct bridge *a, *b;
	unsigned changed, woken;
	uint64_t seq;
};

static void on_changed(void *arg)
{
	struct test *t = arg;

	t->changed++;
}

static void on_wake(void *arg)
{
	struct test *t = arg;

	t->woken++;
}

static int setup(void **state)
{
	struct test *t = calloc(1, sizeof(*t));

	fixture_init(&t->f, "{\"bridges\":{\"a\":{\"url\":\"ws://h/\",\"start\":\"manual\"},"
			    "\"b\":{\"url\":\"ws://h/\",\"start\":\"manual\"}}}");
	t->a = registry_find(t->f.registry, "a");
	t->b = registry_find(t->f.registry, "b");
	fixed_rand_init(&t->rand, span_of("\0", 1));
	t->events = events_new(t->f.loop, &t->rand.source, on_changed, t);
	t->reader = event_reader_new(t->events, on_wake, t);
	t->other = event_reader_new(t->events, on_wake, t);
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	struct test *t = *state;

	mem_fail_try_after(0);
	event_reader_free(t->other);
	event_reader_free(t->reader);
	events_free(t->events);
	fixture_deinit(&t->f);
	free(t);
	return 0;
}

/* events: NULL = all, or one. The cursor it begins at; caller frees. */
static char *subscribe(struct event_reader *r, const char *name, const char *event,
		       const char *since)
{
	char *one = mem_strdup(event ? event : "");
	const struct event_choice choice = {
		.name = name, .events = &one, .n_events = event ? 1 : 0, .since = since
	};
	struct error err = ERROR_INIT;
	json_t *result = event_reader_subscribe(r, &choice, &err);
	char *cursor = result ? mem_strdup(json_string_value(json_object_get(result, "cursor"))) :
				NULL;

	free(one);
	json_decref(result);
	return cursor;
}

static void subscribe_now(struct event_reader *r, const char *name, const char *event)
{
	char *cursor = subscribe(r, name, event, NULL);

	assert_non_null(cursor);
	free(cursor);
}

static void say_bytes(struct test *t, struct bridge *b, struct span text)
{
	const struct record r = {
		.type = RECORD_MESSAGE,
		.msg = { .type = MSG_TEXT, .data = text },
		.seq = ++t->seq,
		.epoch = 1,
		.time = 1500000,
	};

	events_add(t->events, b, &r);
}

static void say(struct test *t, struct bridge *b, const char *text)
{
	say_bytes(t, b, span_str(text));
}

/* "a:text", "a state", "gap 3", "gap ?"; "" = nothing is there. Caller frees. */
static char *next(struct event_reader *r)
{
	size_t n;
	char *line = event_reader_next(r, &n), *shown = NULL;
	json_t *root, *params;
	const char *event, *data, *bridge;

	if (!line)
		return mem_strdup("");
	assert_int_equal(line[n - 1], '\n');
	root = json_loadb(line, n, JSON_REJECT_DUPLICATES, NULL);
	params = json_object_get(root, "params");
	assert_string_equal(json_string_value(json_object_get(root, "method")), "event");
	event = json_string_value(json_object_get(params, "event"));
	bridge = json_string_value(json_object_get(params, "bridge"));
	data = json_string_value(json_object_get(params, "data"));
	if (strcmp(event, "gap") != 0)
		shown = data ? mem_printf("%s:%s", bridge, data) :
			       mem_printf("%s %s", bridge, event);
	else if (json_is_null(json_object_get(params, "dropped")))
		shown = mem_strdup("gap ?");
	else
		shown = mem_printf("gap %d",
				   (int)json_integer_value(json_object_get(params, "dropped")));
	json_decref(root);
	free(line);
	return shown;
}

static void expect(struct event_reader *r, const char *shown)
{
	mem_auto_str found = next(r);

	assert_string_equal(found, shown);
}

static void test_each_gets_what_it_asked_for(void **state)
{
	struct test *t = *state;

	subscribe_now(t->reader, "a", "message");
	subscribe_now(t->other, "*", NULL);
	say(t, t->a, "1");
	say(t, t->b, "2");
	events_add(t->events, t->a, NULL);
	expect(t->reader, "a:1");
	expect(t->reader, "");
	expect(t->other, "a:1");
	expect(t->other, "b:2");
	expect(t->other, "a state");
	expect(t->other, "");
	assert_int_equal(t->woken,
			 2 + 2 + 1 + 1); /* two subscriptions, then as many as it was for */
}

static void test_whole_line(void **state)
{
	struct test *t = *state;
	size_t n;
	char *line;

	subscribe_now(t->reader, "a", NULL);
	say(t, t->a, "hi");
	line = event_reader_next(t->reader, &n);
	assert_string_equal(line, "{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{"
				  "\"bridge\":\"a\",\"event\":\"message\",\"type\":\"text\","
				  "\"data\":\"hi\",\"seq\":1,\"epoch\":1,\"time\":1.5,"
				  "\"subscription\":1,\"cursor\":\"0000000000000000:2\"}}\n");
	free(line);
}

/* One that has much to read does not keep the others of its reader waiting. */
static void test_subscriptions_take_turns(void **state)
{
	struct test *t = *state;

	subscribe_now(t->reader, "a", NULL);
	subscribe_now(t->reader, "b", NULL);
	say(t, t->a, "1");
	say(t, t->a, "2");
	say(t, t->b, "3");
	expect(t->reader, "a:1");
	expect(t->reader, "b:3");
	expect(t->reader, "a:2");
	expect(t->reader, "");
}

static void test_only_what_is_wanted_is_kept(void **state)
{
	struct test *t = *state;

	assert_false(events_wanted(t->events));
	say(t, t->a, "unheard");
	subscribe_now(t->reader, "a", "state");
	assert_true(events_wanted(t->events));
	assert_int_equal(t->changed, 1);
	say(t, t->a, "unheard");
	assert_false(event_reader_is_behind(t->reader));
	assert_int_equal(event_reader_unsubscribe(t->reader, 1, NULL), 1);
	assert_int_equal(event_reader_unsubscribe(t->reader, 1, NULL), 0);
	assert_true(events_wanted(t->events)); /* for a while */
	assert_int_equal(t->changed, 1);
	assert_int_equal(events_subscriptions(t->events), 0);
}

static void test_overtaken(void **state)
{
	struct test *t = *state;

	subscribe_now(t->reader, "a", "message");
	subscribe_now(t->other, "b", "message");
	for (int i = 0; i < EVENTS_MAX + 10; i++)
		say(t, i % 2 ? t->b : t->a, "x");
	say(t, t->b, "last");
	expect(t->reader, "gap 6"); /* of the eleven that are gone */
	expect(t->other, "gap 5");
	for (int i = 0; i < EVENTS_MAX / 2 - 1; i++)
		expect(t->reader, "a:x");
	expect(t->reader, "");
	for (int i = 0; i < EVENTS_MAX / 2; i++)
		expect(t->other, "b:x");
	expect(t->other, "b:last");
	expect(t->other, "");
}

/* What is no loss for a subscription is none of its business. */
static void test_overtaken_by_events_of_others(void **state)
{
	struct test *t = *state;

	subscribe_now(t->reader, "a", "message");
	subscribe_now(t->other, "b", "message");
	for (int i = 0; i < 2 * EVENTS_MAX; i++)
		say(t, t->b, "x");
	expect(t->reader, "");
	say(t, t->a, "1");
	expect(t->reader, "a:1");
}

static void test_bytes_are_bounded(void **state)
{
	struct test *t = *state;
	size_t n = EVENTS_BYTES_MAX / 4;
	char *big = calloc(1, EVENTS_BYTES_MAX);

	subscribe_now(t->reader, "a", NULL);
	memset(big, 'x', n);
	for (int i = 0; i < 4; i++) /* with what is around them, three have room */
		say_bytes(t, t->a, span_of(big, n));
	expect(t->reader, "gap 1");
	say_bytes(t, t->a, span_of(big, EVENTS_BYTES_MAX)); /* none has */
	expect(t->reader, "gap 4");
	say(t, t->a, "small");
	expect(t->reader, "a:small");
	expect(t->reader, "");
	free(big);
}

static void test_no_memory(void **state)
{
	struct test *t = *state;

	subscribe_now(t->reader, "a", NULL);
	subscribe_now(t->other, "b", NULL);
	mem_fail_try_after(1);
	say(t, t->a, "lost");
	say(t, t->a, "here");
	expect(t->reader, "gap 1");
	expect(t->reader, "a:here");
	expect(t->other, "");
}

static void test_what_could_not_be_passed_on(void **state)
{
	struct test *t = *state;

	event_reader_lost(t->reader);
	subscribe_now(t->reader, "a", NULL);
	say(t, t->a, "1");
	expect(t->reader, "a:1");
	event_reader_lost(t->reader);
	expect(t->reader, "gap 1");
	assert_int_equal(event_reader_unsubscribe(t->reader, 0, "a"), 1);
	event_reader_lost(t->reader);
	expect(t->reader, "");
}

static void test_since(void **state)
{
	struct test *t = *state;
	mem_auto_str first = subscribe(t->reader, "*", "message", NULL);
	mem_auto_str again = NULL;

	say(t, t->a, "1");
	say(t, t->b, "2");
	event_reader_unsubscribe(t->reader, 0, "*");
	say(t, t->a, "3"); /* nobody listens, but may come back */
	again = subscribe(t->other, "a", "message", first);
	assert_string_equal(again, first);
	expect(t->other, "a:1");
	expect(t->other, "a:3");
	expect(t->other, "");
	free(subscribe(t->other, "b", "message", "0000000000000000:3"));
	expect(t->other, "");
	free(subscribe(t->other, "b", "message", "0000000000000000:2"));
	expect(t->other, "b:2");
	expect(t->other, "");
}

static void test_since_is_unknown(void **state)
{
	struct test *t = *state;
	mem_auto_str first = subscribe(t->reader, "*", "message", NULL);

	say(t, t->a, "1");
	free(subscribe(t->other, "a", "message", "ffffffffffffffff:0")); /* another run */
	expect(t->other, "gap ?");
	expect(t->other, "a:1");
	free(subscribe(t->other, "a", "message", "0000000000000000:7")); /* not yet */
	expect(t->other, "gap ?");
	expect(t->other, "a:1");
	free(subscribe(t->other, "a", "state", first)); /* these were not kept */
	expect(t->other, "gap ?");
	expect(t->other, "");
	for (int i = 0; i < EVENTS_MAX; i++)
		say(t, t->b, "x");
	free(subscribe(t->other, "a", "message", first)); /* it is gone */
	expect(t->other, "gap ?");
}

/* Nobody has asked for messages when they came, and nothing else has moved the cursor on. */
static void test_since_a_time_when_it_was_not_kept(void **state)
{
	struct test *t = *state;
	mem_auto_str before = subscribe(t->reader, "*", "state", NULL);
	mem_auto_str same = NULL;

	say(t, t->a, "missed");
	free(subscribe(t->other, "a", "message", before));
	expect(t->other, "gap ?");
	expect(t->other, "");
	same = subscribe(t->other, "a", "message", NULL);
	free(subscribe(t->other, "a", "message", same)); /* from now on nothing is missed */
	expect(t->other, "");
	say(t, t->a, "kept");
	event_reader_unsubscribe(t->other, 0, "a");
	free(subscribe(t->other, "a", "message", same));
	expect(t->other, "a:kept");
	expect(t->other, "");
}

static void test_refused(void **state)
{
	static const char *const wrong[] = {
		"",
		":",
		"1",
		"0000000000000000",
		"0000000000000000:",
		"0000000000000000:x",
		"0000000000000000:1 ",
		"0000000000000000:1111111111111111111",
		"000:1",
		"00000000000000000:1",
		"000000000000000G:1",
	};
	struct test *t = *state;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_null(subscribe(t->reader, "a", NULL, wrong[i]));
	assert_false(event_reader_is_subscribed(t->reader));
	for (int i = 0; i < SUBSCRIPTIONS_MAX; i++)
		subscribe_now(t->reader, "a", NULL);
	assert_null(subscribe(t->reader, "a", NULL, NULL));
	assert_int_equal(events_subscriptions(t->events), SUBSCRIPTIONS_MAX);
	subscribe_now(t->other, "a", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_each_gets_what_it_asked_for, setup, teardown),
		cmocka_unit_test_setup_teardown(test_whole_line, setup, teardown),
		cmocka_unit_test_setup_teardown(test_subscriptions_take_turns, setup, teardown),
		cmocka_unit_test_setup_teardown(test_only_what_is_wanted_is_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(test_overtaken, setup, teardown),
		cmocka_unit_test_setup_teardown(test_overtaken_by_events_of_others, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_bytes_are_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_could_not_be_passed_on, setup, teardown),
		cmocka_unit_test_setup_teardown(test_since, setup, teardown),
		cmocka_unit_test_setup_teardown(test_since_is_unknown, setup, teardown),
		cmocka_unit_test_setup_teardown(test_since_a_time_when_it_was_not_kept, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
