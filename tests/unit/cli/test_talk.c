/* SPDX-License-Identifier: Apache-2.0 */
/* The commands that wait: what becomes of their command lines, and how events and messages look. */
#include "cli/request_talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "cli/cli_test.h"
#include "cli/command.h"
#include "cli/print_talk.h"

typedef bool request(const struct args *a, struct call_request *r, struct error *err);

static const struct {
	const char *line;
	request *request;
	const char *params; /* NULL: refused */
	const char *sentence;
	int64_t timeout;
} requests[] = {
	{ "wait a", request_wait, "{\"name\":\"a\"}", NULL, -1 },
	{ "wait a closed -t 2s", request_wait,
	  "{\"name\":\"a\",\"state\":\"closed\",\"timeout\":\"2s\"}", NULL, 12000000 },
	{ "wait a -t 0", request_wait, "{\"name\":\"a\",\"timeout\":\"0\"}", NULL, -1 },
	{ "wait a -t x", request_wait, NULL,
	  "--timeout: \"x\" is not a duration: a number is missing", 0 },
	{ "wait a\xff", request_wait, NULL, "name: not valid UTF-8", 0 },
	{ "ping a", request_ping, "{\"name\":\"a\"}", NULL, 20000000 },
	{ "ping a -t 1s", request_ping, "{\"name\":\"a\",\"timeout\":\"1s\"}", NULL, 11000000 },
	{ "recv a", request_recv, "{\"name\":\"a\"}", NULL, -1 },
	{ "recv a -n 5 -m x -t 1s", request_recv,
	  "{\"count\":5,\"name\":\"a\",\"match\":{\"contains\":\"x\"},\"timeout\":\"1s\"}", NULL,
	  11000000 },
	{ "recv a -n 0", request_recv, NULL, "--number: expected 1 to 1000", 0 },
	{ "recv a -n 1001", request_recv, NULL, "--number: expected 1 to 1000", 0 },
	{ "request a 1.10 --match /id=1", request_ask,
	  "{\"name\":\"a\",\"text\":\"1.10\",\"match\":{\"pointer\":\"/id\",\"equals\":1}}", NULL,
	  20000000 },
	{ "request a 1", request_ask, NULL, "--match is needed: which message is the answer?", 0 },
	{ "request a 1 -m {", request_ask, NULL, "--match: not valid JSON", 0 },
	{ "request a 1 -m \xff", request_ask, NULL, "--match: not valid UTF-8", 0 },
};

static void parse(struct words *w, struct args *a)
{
	const struct command *c = command_find(w->argv[0]);
	const struct arg_tables tables = { c->switches, command_common(c), true };
	struct error err = ERROR_INIT;

	if (!args_parse(a, w->argc, w->argv, &tables, &err))
		fail_msg("%s", err.text);
}

static void check_request(size_t i)
{
	struct call_request r = { .params = json_object(), .timeout = CALL_TIMEOUT };
	struct error err = ERROR_INIT;
	struct words w;
	struct args a;
	bool good;

	words_init(&w, requests[i].line);
	parse(&w, &a);
	good = requests[i].request(&a, &r, &err);
	if (requests[i].params) {
		mem_auto_str params = json_dumps(r.params, JSON_COMPACT);

		assert_true(good);
		assert_string_equal(params, requests[i].params);
		assert_int_equal(r.timeout, requests[i].timeout);
	} else {
		assert_false(good);
		assert_string_equal(err.text, requests[i].sentence);
		assert_int_equal(error_exit_status(err.code), 2);
	}
	json_decref(r.params);
	args_deinit(&a);
	words_deinit(&w);
}

static void test_requests(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++)
		check_request(i);
}

static void test_matches(void **state)
{
	static const struct {
		const char *text, *match;
	} matches[] = {
		{ "/id=1", "{\"pointer\":\"/id\",\"equals\":1}" },
		{ "/id=x", "{\"pointer\":\"/id\",\"equals\":\"x\"}" },
		{ "/id=\"1\"", "{\"pointer\":\"/id\",\"equals\":\"1\"}" },
		{ "/a/b=x=y", "{\"pointer\":\"/a/b\",\"equals\":\"x=y\"}" },
		{ "/a=null", "{\"pointer\":\"/a\",\"equals\":null}" },
		{ "/a={\"b\":[]}", "{\"pointer\":\"/a\",\"equals\":{\"b\":[]}}" },
		{ "/id=", "{\"pointer\":\"/id\",\"equals\":\"\"}" },
		{ "/id", "{\"pointer\":\"/id\"}" },
		{ "~^a", "{\"regex\":\"^a\"}" },
		{ "a/b=~", "{\"contains\":\"a/b=~\"}" },
		{ "{\"contains\":\"/\"}", "{\"contains\":\"/\"}" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(matches) / sizeof(*matches); i++) {
		struct error err = ERROR_INIT;
		json_t *match = request_match(matches[i].text, &err);
		mem_auto_str text = json_dumps(match, JSON_COMPACT);

		assert_string_equal(text, matches[i].match);
		json_decref(match);
	}
}

static void check_subscription(const char *line, const char *name, const char *params)
{
	struct call_request r = { .params = json_object() };
	struct error err = ERROR_INIT;
	mem_auto_str text = NULL;
	struct words w;
	struct args a;

	words_init(&w, line);
	parse(&w, &a);
	assert_true(request_subscribe(name, &a, &r, &err));
	text = json_dumps(r.params, JSON_COMPACT);
	assert_string_equal(text, params);
	json_decref(r.params);
	args_deinit(&a);
	words_deinit(&w);
}

static void test_subscriptions(void **state)
{
	(void)state;
	check_subscription("monitor", NULL, "{\"name\":\"*\"}");
	check_subscription("monitor -e state,,ping,", "a",
			   "{\"events\":[\"state\",\"ping\"],\"name\":\"a\"}");
}

typedef void print(struct printer *p, const json_t *value);

static void check_printed(print *how, const char *value, bool colour, const char *expected)
{
	struct printer p = { .colour = colour };
	json_t *v = json_loads(value, JSON_ALLOW_NUL, NULL);
	char *text = NULL;
	size_t n = 0;

	assert_non_null(v);
	p.out = open_memstream(&text, &n);
	how(&p, v);
	fclose(p.out);
	assert_string_equal(text, expected);
	free(text);
	json_decref(v);
}

static void test_events(void **state)
{
	static const struct {
		const char *event, *line;
	} events[] = {
		{ "{\"event\":\"state\",\"bridge\":\"a\",\"state\":\"open\",\"time\":0.25}",
		  "00:00:00.250 a state open\n" },
		{ "{\"event\":\"open\",\"bridge\":\"a\",\"url\":\"ws://h/\",\"time\":3661.0625}",
		  "01:01:01.062 a open ws://h/\n" },
		{ "{\"event\":\"close\",\"bridge\":\"a\",\"code\":1001,\"reason\":\"bye\","
		  "\"retry_in\":0.5,\"time\":0}",
		  "00:00:00.000 a close 1001 bye; next attempt in 500ms\n" },
		{ "{\"event\":\"close\",\"bridge\":\"a\",\"code\":1000,\"reason\":\"\","
		  "\"retry_in\":null,\"time\":0}",
		  "00:00:00.000 a close 1000\n" },
		{ "{\"event\":\"error\",\"bridge\":\"a\",\"error\":{\"message\":\"no\"},\"time\":"
		  "0}",
		  "00:00:00.000 a error no\n" },
		{ "{\"event\":\"message\",\"bridge\":\"a\",\"data\":\"x\\n\\u001b\\u0000y\","
		  "\"time\":0}",
		  "00:00:00.000 a message x\\x0a\\x1b\\x00y\n" },
		{ "{\"event\":\"ping\",\"bridge\":\"a\",\"data\":\"\",\"time\":0}",
		  "00:00:00.000 a ping \n" },
		{ "{\"event\":\"gap\",\"dropped\":3}",
		  "--:--:--.--- * gap 3 events were missed\n" },
		{ "{\"event\":\"gap\",\"bridge\":\"a\",\"dropped\":null}",
		  "--:--:--.--- a gap some events were missed\n" },
		{ "{}", "--:--:--.--- *  \n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(events) / sizeof(*events); i++)
		check_printed(print_event, events[i].event, false, events[i].line);
	check_printed(print_event, "{\"event\":\"state\",\"bridge\":\"a\",\"state\":\"open\"}",
		      true, "\033[2m--:--:--.---\033[0m a state \033[32mopen\033[0m\n");
}

static void test_results(void **state)
{
	(void)state;
	check_printed(print_rtt, "{\"rtt\":0.0042}", false, "4.2ms\n");
	check_printed(print_received, "{\"type\":\"text\",\"data\":\"a\\u001b[2J\\nb\"}", false,
		      "a\033[2J\nb\n");
	check_printed(print_received, "{}", false, "\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),      cmocka_unit_test(test_matches),
		cmocka_unit_test(test_subscriptions), cmocka_unit_test(test_events),
		cmocka_unit_test(test_results),
	};

	setenv("TZ", "UTC", 1);
	tzset();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
