/* SPDX-License-Identifier: Apache-2.0 */
/* Command lines → requests: method and parameters as JSON, or the sentence about what is wrong. */
#include "cli/request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/cli_test.h"
#include "cli/command.h"

static const struct {
	const char *line;
	const char *params; /* NULL: refused */
	const char *sentence;
	int64_t timeout;
} requests[] = {
	{ "open a", "{\"name\":\"a\"}", NULL, CALL_TIMEOUT },
	{ "open a ws://h/", "{\"name\":\"a\",\"url\":\"ws://h/\"}", NULL, CALL_TIMEOUT },
	{ "open a --wait", "{\"name\":\"a\",\"wait\":true}", NULL, -1 },
	{ "open a --wait=2s", "{\"name\":\"a\",\"wait\":\"2s\"}", NULL, 12000000 },
	{ "open a -o ping.interval=5 -o mask=zero",
	  "{\"name\":\"a\",\"ping\":{\"interval\":5},\"mask\":\"zero\"}", NULL, CALL_TIMEOUT },
	{ "open a ws://h/ -o url=ws://i/", "{\"name\":\"a\",\"url\":\"ws://i/\"}", NULL,
	  CALL_TIMEOUT },
	{ "open a -o headers.X-A=b=c", "{\"name\":\"a\",\"headers\":{\"X-A\":\"b=c\"}}", NULL,
	  CALL_TIMEOUT },
	{ "open a --wait=soon", NULL, "--wait: \"soon\" is not a duration: a number is missing",
	  0 },
	{ "open a -o mask", NULL, "-o mask: expected KEY=VALUE", 0 },
	{ "open a -o =x", NULL, "-o =x: expected KEY=VALUE", 0 },
	{ "open a -o maks=zero", NULL, "maks: unknown key; did you mean \"mask\"?", 0 },
	{ "open a\xff", NULL, "\"a\\xff\" is not valid UTF-8", 0 },
	{ "open a -f /nonexistent/x", NULL, "-f: /nonexistent/x: No such file or directory", 0 },
	{ "close a", "{\"name\":\"a\"}", NULL, CALL_TIMEOUT },
	{ "close a --code 4000 --reason 'good bye' --wait",
	  "{\"code\":4000,\"reason\":\"good bye\",\"name\":\"a\",\"wait\":true}", NULL, -1 },
	{ "close a --code x", NULL, "--code: expected a number such as 1000", 0 },
	{ "close a --code 65536", NULL, "--code: expected a number such as 1000", 0 },
	{ "reconnect a", "{\"name\":\"a\"}", NULL, CALL_TIMEOUT },
	{ "explain a", "{\"name\":\"a\"}", NULL, CALL_TIMEOUT },
	{ "reload", "{}", NULL, CALL_TIMEOUT },
	{ "reload --dry-run", "{\"dry_run\":true}", NULL, CALL_TIMEOUT },
	{ "shutdown", "{}", NULL, -1 },
	{ "shutdown -t 500ms", "{\"timeout\":\"500ms\"}", NULL, -1 },
	{ "shutdown -t x", NULL, "--timeout: \"x\" is not a duration: a number is missing", 0 },
	{ "log", "{}", NULL, CALL_TIMEOUT },
	{ "log debug", "{\"level\":\"debug\"}", NULL, CALL_TIMEOUT },
	{ "log \xff", NULL, "\"\\xff\" is not valid UTF-8", 0 },
	{ "trace", "{}", NULL, CALL_TIMEOUT },
	{ "trace a", "{\"name\":\"a\"}", NULL, CALL_TIMEOUT },
	{ "trace a --for 30s", "{\"for\":\"30s\",\"name\":\"a\"}", NULL, CALL_TIMEOUT },
	{ "trace a --for 0", "{\"for\":\"0\",\"name\":\"a\"}", NULL, CALL_TIMEOUT },
	{ "trace off", "{\"for\":\"off\"}", NULL, CALL_TIMEOUT },
	{ "trace off --for 1s", NULL, "--for: say which bridge", 0 },
	{ "trace --for 1s", NULL, "--for: say which bridge", 0 },
	{ "trace a --for x", NULL, "--for: \"x\" is not a duration: a number is missing", 0 },
	{ "metrics", "{}", NULL, CALL_TIMEOUT },
	{ "version", "{}", NULL, CALL_TIMEOUT },
	{ "rpc m", "{}", NULL, -1 },
	{ "rpc m '{\"b\":1, \"a\":[2]}'", "{\"b\":1,\"a\":[2]}", NULL, -1 },
	{ "rpc m [1]", NULL, "PARAMS must be an object", 0 },
	{ "rpc m {", NULL, "PARAMS is not a JSON text: character 1", 0 },
};

static void parse(struct words *w, struct args *a, const struct command *c)
{
	const struct arg_tables tables = { c->switches, command_common(c), true };
	struct error err = ERROR_INIT;

	if (!args_parse(a, w->argc, w->argv, &tables, &err))
		fail_msg("%s", err.text);
}

static void check_request(size_t i)
{
	struct call_request r = { .params = json_object(), .timeout = CALL_TIMEOUT };
	struct error err = ERROR_INIT;
	const struct command *c;
	struct words w;
	struct args a;
	bool good;

	words_init(&w, requests[i].line);
	c = command_find(w.argv[0]);
	assert_non_null(c);
	r.method = c->method;
	parse(&w, &a, c);
	good = c->request(&a, &r, &err);
	if (!requests[i].params) {
		assert_false(good);
		assert_string_equal(err.text, requests[i].sentence);
		assert_int_equal(error_exit_status(err.code), 2);
	} else {
		mem_auto_str params = json_dumps(r.params, JSON_COMPACT);

		assert_true(good);
		assert_string_equal(params, requests[i].params);
		assert_int_equal(r.timeout, requests[i].timeout);
		assert_string_equal(r.method, strcmp(c->name, "rpc") == 0 ? "m" : c->name);
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

static const struct {
	const char *content;
	const char *params;   /* NULL: refused */
	const char *sentence; /* behind "-f: PATH", which differs */
} files[] = {
	{ "{\"url\": \"ws://h/\", // here\n \"mask\": \"random\"}",
	  "{\"url\":\"ws://h/\",\"mask\":\"zero\",\"name\":\"a\"}", NULL },
	{ "{\n  \"url\": ws\n}", NULL, ":2:10: " },
	{ "[1]", NULL, ":1:1: expected an object" },
	{ "{\"mask\": \"zero\",\n\"mask\": \"zero\"}", NULL, ":2:1: mask: the key comes twice" },
	{ "{\"name\": \"b\"}", NULL, "" },
	{ "{\"wait\": true}", NULL, "" },
};

static void check_file(size_t i, const char *path)
{
	struct call_request r = { .params = json_object(), .timeout = CALL_TIMEOUT };
	mem_auto_str line = mem_printf("open a -o mask=zero -f %s", path);
	mem_auto_str begin = mem_printf("-f: %s%s", path,
					files[i].sentence ? files[i].sentence : "");
	struct error err = ERROR_INIT;
	struct words w;
	struct args a;

	words_init(&w, line);
	parse(&w, &a, command_find("open"));
	if (request_open(&a, &r, &err)) {
		mem_auto_str params = json_dumps(r.params, JSON_COMPACT);

		assert_non_null(files[i].params);
		assert_string_equal(params, files[i].params);
	} else {
		assert_null(files[i].params);
		if (*files[i].sentence == '\0')
			assert_string_equal(err.text, "-f: \"name\" and \"wait\" belong on the "
						      "command line");
		else if (strncmp(err.text, begin, strlen(begin)) != 0)
			fail_msg("%s: %s", files[i].content, err.text);
	}
	json_decref(r.params);
	args_deinit(&a);
	words_deinit(&w);
}

static void test_files(void **state)
{
	char path[] = "/tmp/wsbridge-test-XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		size_t n = strlen(files[i].content);

		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(pwrite(fd, files[i].content, n, 0), n);
		check_file(i, path);
	}
	close(fd);
	unlink(path);
}

static const struct {
	const char *line, *message;
	size_t n;
	const char *params;
	enum err code;
} messages[] = {
	{ "send a", "hello", 5, "{\"name\":\"a\",\"text\":\"hello\"}", ERR_NONE },
	{ "send a", "", 0, "{\"name\":\"a\",\"text\":\"\"}", ERR_NONE },
	{ "send a -q", "x", 1, "{\"name\":\"a\",\"text\":\"x\",\"queue\":true}", ERR_NONE },
	{ "send a --binary", "\xff\0y", 3, "{\"name\":\"a\",\"binary\":\"/wB5\"}", ERR_NONE },
	{ "send a", "\xff", 1, NULL, ERR_PAYLOAD },
};

static void test_messages(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(messages) / sizeof(*messages); i++) {
		struct call_request r = { .params = json_object() };
		struct error err = ERROR_INIT;
		struct words w;
		struct args a;

		words_init(&w, messages[i].line);
		parse(&w, &a, command_find("send"));
		request_send(a.words[0], span_of(messages[i].message, messages[i].n), &a, &r, &err);
		assert_int_equal(err.code, messages[i].code);
		if (messages[i].params) {
			mem_auto_str params = json_dumps(r.params, JSON_COMPACT);

			assert_string_equal(params, messages[i].params);
		}
		json_decref(r.params);
		args_deinit(&a);
		words_deinit(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
