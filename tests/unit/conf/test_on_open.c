/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Steps of on_open: what they become, and every sentence about broken ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config_file.h"

#define COUNT(rows) (sizeof(rows) / sizeof(*(rows)))

#define SECOND INT64_C(1000000)

/* The steps stand on the second line. */
#define STEPS(steps) "{'bridges': {'a': {'url': 'ws://h/', 'on_open':\n" steps "}}}"
#define AT0 "bridges.a.on_open[0]"
#define AT1 "bridges.a.on_open[1]"

static const struct broken shapes[] = {
	{ STEPS("'hello'"),
	  "FILE:2:1: bridges.a.on_open: expected a list of steps, found a string" },
	{ STEPS("[5]"), "FILE:2:2: " AT0 ": expected a string or an object with \"text\", \"json\""
			", \"binary\", \"expect\" or \"wait\", found a number" },
	{ STEPS("['a', {}]"), "FILE:2:7: " AT1 ": needs exactly one of \"text\", \"json\", \"binar"
			      "y\", \"expect\" and \"wait\"" },
	{ STEPS("[{'text': 'a', 'json': 1}]"),
	  "FILE:2:2: " AT0 ": needs exactly one of \"text\", \"json\", \"binary\", \"expect\" and "
	  "\"wait\"" },
	{ STEPS("[{'expect': {'contains': 'a'}, 'wait': 1}]"),
	  "FILE:2:2: " AT0 ": needs exactly one of \"text\", \"json\", \"binary\", \"expect\" and "
	  "\"wait\"" },
	{ STEPS("[{'txt': 'a'}]"), "FILE:2:3: " AT0 ".txt: unknown key; did you mean \"text\"?" },
	{ STEPS("[{'expct': {}}]"),
	  "FILE:2:3: " AT0 ".expct: unknown key; did you mean \"expect\"?" },
	{ STEPS("[{'text': 5}]"), "FILE:2:11: " AT0 ".text: expected a string, found a number" },
	{ STEPS("[{'text': {}}]"),
	  "FILE:2:11: " AT0 ".text: needs exactly one of \"file\", \"env\", \"credential\" or "
	  "\"command\"" },
	{ STEPS("[{'text': {'file': 'x'}}]"),
	  "FILE:2:20: " AT0 ".text.file: must be an absolute path" },
	{ STEPS("[{'binary': 'canary'}]"),
	  "FILE:2:13: " AT0 ".binary: is not Base64 with padding" },
	{ STEPS("[{'binary': 'AB==', 'x': 1}]"),
	  "FILE:2:13: " AT0 ".binary: is not Base64 with padding\n"
	  "FILE:2:21: " AT0 ".x: unknown key" },
	{ STEPS("[{'binary': 'AB=='}]"), "FILE:2:13: " AT0 ".binary: is not Base64 with padding" },
	{ STEPS("[{'binary': {'file': '/x'}}]"),
	  "FILE:2:13: " AT0 ".binary: expected a string in Base64, found an object" },
	{ STEPS("[{'text': 'a', 'timeout': 1, 'capture': {}, 'deliver': true}]"),
	  "FILE:2:16: " AT0 ".timeout: goes with \"expect\" only\n"
	  "FILE:2:30: " AT0 ".capture: goes with \"expect\" only\n"
	  "FILE:2:45: " AT0 ".deliver: goes with \"expect\" only" },
	{ STEPS("[{'wait': 1, 'secrets': {}}]"),
	  "FILE:2:14: " AT0 ".secrets: goes with \"text\" or \"json\" only" },
	{ STEPS("[{'binary': 'AQ==', 'secrets': {}}]"),
	  "FILE:2:21: " AT0 ".secrets: goes with \"text\" or \"json\" only" },
	{ STEPS("[{'wait': 0}]"), "FILE:2:11: " AT0 ".wait: must be between 1ms and 1d" },
	{ STEPS("[{'wait': 'long'}]"),
	  "FILE:2:11: " AT0 ".wait: \"long\" is not a duration: a number is missing" },
	{ STEPS("[{'expect': {'contains': 'x'}, 'timeout': 0}]"),
	  "FILE:2:43: " AT0 ".timeout: must be between 1ms and 1d" },
	{ STEPS("[{'expect': {'contains': 'x'}, 'deliver': 1}]"),
	  "FILE:2:43: " AT0 ".deliver: expected true or false, found a number" },
};

static const struct broken matches[] = {
	{ STEPS("[{'expect': 'x'}]"), "FILE:2:13: " AT0 ".expect: expected an object with \"pointe"
				      "r\", \"contains\" or \"regex\", found a string" },
	{ STEPS("[{'expect': {}}]"),
	  "FILE:2:13: " AT0 ".expect: needs exactly one of \"pointer\", \"contains\" and \"regex"
	  "\"" },
	{ STEPS("[{'expect': {'regex': 'a', 'contains': 'a'}}]"),
	  "FILE:2:13: " AT0 ".expect: needs exactly one of \"pointer\", \"contains\" and \"regex"
	  "\"" },
	{ STEPS("[{'expect': {'contains': 'a', 'equals': 1}}]"),
	  "FILE:2:31: " AT0 ".expect.equals: goes with \"pointer\" only" },
	{ STEPS("[{'expect': {'contain': 'a'}}]"),
	  "FILE:2:14: " AT0 ".expect.contain: unknown key; did you mean \"contains\"?" },
	{ STEPS("[{'expect': {'contains': ''}}]"),
	  "FILE:2:26: " AT0 ".expect.contains: must not be empty" },
	{ STEPS("[{'expect': {'contains': 5}}]"),
	  "FILE:2:26: " AT0 ".expect.contains: expected a string, found a number" },
	{ STEPS("[{'expect': {'pointer': 'id'}}]"),
	  "FILE:2:25: " AT0 ".expect.pointer: must be empty or begin with \"/\" (RFC 6901)" },
	{ STEPS("[{'expect': {'pointer': '/a~2'}}]"),
	  "FILE:2:25: " AT0 ".expect.pointer: behind \"~\" 0 or 1 must follow (RFC 6901)" },
	{ STEPS("[{'expect': {'pointer': '/a~'}}]"),
	  "FILE:2:25: " AT0 ".expect.pointer: behind \"~\" 0 or 1 must follow (RFC 6901)" },
	{ STEPS("[{'expect': {'regex': '(a'}}]"),
	  "FILE:2:23: " AT0 ".expect.regex: is no extended regular expression: Unmatched ( or "
	  "\\(" },
	{ STEPS("[{'expect': {'regex': '(a)\\\\1'}}]"),
	  "FILE:2:23: " AT0 ".expect.regex: back-references such as \\1 are not supported" },
	{ STEPS("[{'expect': {'regex': '((a?){16}b){17}'}}]"),
	  "FILE:2:23: " AT0 ".expect.regex: wit"
	  "h its repetitions written out it is longer than 256 characters" },
	{ STEPS("[{'expect': {'regex': 'a{99999999999999999999}'}}]"),
	  "FILE:2:23: " AT0
	  ".expect.regex: with its repetitions written out it is longer than 256 characters" },
	{ STEPS("[{'expect': {'regex': 'a\\u0000b'}}]"),
	  "FILE:2:23: " AT0 ".expect.regex: must not contain a NUL character" },
};

#define LITERAL "$${ writes a literal ${"

static const struct broken names[] = {
	{ STEPS("['x${id}']"), "FILE:2:2: " AT0 ": ${id} is captured by no earlier step and none o"
			       "f \"secrets\"; " LITERAL },
	{ STEPS("[{'text': '${id}'}]"), "FILE:2:11: " AT0 ".text: ${id} is captured by no earlier "
					"step and none of \"secrets\"; " LITERAL },
	{ STEPS("[{'json': {'a': ['${a}', {'${b}': 1}]}}]"),
	  "FILE:2:11: " AT0 ".json: ${a} is captured by no earlier step and none of \"secrets\"; "
	  "" LITERAL "\n"
	  "FILE:2:11: " AT0 ".json: ${b} is captured by no earlier step and none of \"secrets\"; "
	  "" LITERAL },
	{ STEPS("['${n}', {'expect': {'contains': 'x'}, 'capture': {'n': '/n'}}]"),
	  "FILE:2:2: " AT0 ": ${n} is captured by no earlier step and none of \"secrets\"; "
	  "" LITERAL },
	{ STEPS("[{'text': '${t}', 'secrets': {'t': 'x'}}, '${t}']"),
	  "FILE:2:43: " AT1 ": ${t} is captured by no earlier step and none of \"secrets\"; "
	  "" LITERAL },
	{ STEPS("['cost ${', '${}', '${a b}', '${a', '$$${']"),
	  "FILE:2:2: " AT0 ": behind \"${\" a name and \"}\" must follow; " LITERAL "\n"
	  "FILE:2:13: " AT1 ": behind \"${\" a name and \"}\" must follow; " LITERAL "\n"
	  "FILE:2:20: bridges.a.on_open[2]: behind \"${\" a name and \"}\" must follow; " LITERAL
	  "\n"
	  "FILE:2:30: bridges.a.on_open[3]: behind \"${\" a name and \"}\" must follow; " LITERAL },
	{ STEPS("[{'expect': {'contains': 'x'}, 'capture': {'a-b': '/a'}}, '${a-b}']"),
	  "FILE:2:44: " AT0 ".capture.a-b: a name is 1 to 64 of A-Z a-z 0-9 _" },
	{ STEPS("[{'expect': {'contains': 'x'}, 'capture': {'': 'a'}}]"),
	  "FILE:2:44: " AT0 ".capture[\"\"]: a name is 1 to 64 of A-Z a-z 0-9 _\n"
	  "FILE:2:48: " AT0 ".capture[\"\"]: must be empty or begin with \"/\" (RFC 6901)" },
	{ STEPS("[{'expect': {'contains': 'x'}, 'capture': {'a': 1}}]"),
	  "FILE:2:49: " AT0 ".capture.a: expected a JSON Pointer, found a number" },
	{ STEPS("[{'expect': {'contains': 'x'}, 'capture': ['a']}]"),
	  "FILE:2:43: " AT0 ".capture: expected an object of names and JSON Pointers, found a "
	  "list" },
	{ STEPS("[{'text': 'x', 'secrets': 'canary'}]"),
	  "FILE:2:27: " AT0 ".secrets: expected an object of names and secrets, found a string" },
	{ STEPS("[{'text': '${t}', 'secrets': {'t': 5}}]"),
	  "FILE:2:36: " AT0 ".secrets.t: expected a string or an object with \"file\", \"env\", \""
	  "credential\" or \"command\", found a number" },
	{ STEPS("[{'text': '${t}', 'secrets': {'t': {'file': 'x'}}}]"),
	  "FILE:2:45: " AT0 ".secrets.t.file: must be an absolute path" },
	{ STEPS("[{'text': '$${t}', 'secrets': {'t': 'canary'}}]"),
	  "FILE:2:32: " AT0 ".secrets.t: the message does not have ${t} in it" },
	{ STEPS("[{'text': {'file': '/x'}, 'secrets': {'text': 'canary'}}]"),
	  "FILE:2:27: " AT0 ".secrets: contradicts \"text\", which is a secret here" },
	{ STEPS("[{'expect': {'contains': 'x'}, 'capture': {'t': ''}},"
		"{'text': '${t}', 'secrets': {'t': 'canary'}}]"),
	  "FILE:2:83: " AT1 ".secrets.t: an earlier step captures the same name" },
};

static void test_shapes(void **state)
{
	(void)state;
	config_check_broken(shapes, COUNT(shapes));
}

static void test_matches(void **state)
{
	(void)state;
	config_check_broken(matches, COUNT(matches));
}

static void test_names(void **state)
{
	(void)state;
	config_check_broken(names, COUNT(names));
}

/* A login as gateways have it: challenge, answer with a secret, subscription, rest. */
static const char login[] = STEPS(
	"[{'expect': {'pointer': '/op', 'equals': 10}, 'capture': {'nonce': '/d/nonce', 'all': "
	"''}},"
	"{'json': {'op': 2, 'd': ['${nonce}', 'token ${t}', '$${x}']}, 'secrets': {'t': {'env': "
	"'T'}}},"
	"{'expect': {'regex': '^ok'}, 'timeout': '2s', 'deliver': true},"
	"{'wait': '1.5s'}, '$$${all}', 'plain $5', {'binary': 'JHt4fQ=='},"
	"{'text': {'credential': 'c'}}]");

static void check_message(const struct conf_step *s, const char *text, bool is_template)
{
	assert_int_equal(s->kind, STEP_SEND);
	assert_int_equal(s->message.n, strlen(text));
	assert_memory_equal(s->message.data, text, strlen(text));
	assert_true(s->is_template == is_template);
}

static void check_expects(const struct conf_step *s)
{
	assert_int_equal(s[0].kind, STEP_EXPECT);
	assert_int_equal(s[0].match.kind, MATCH_POINTER);
	assert_string_equal(s[0].match.text, "/op");
	assert_int_equal(json_integer_value(s[0].match.equals), 10);
	assert_int_equal(s[0].timeout, 10 * SECOND);
	assert_false(s[0].deliver);
	assert_int_equal(s[0].n_captures, 2);
	assert_string_equal(s[0].captures[0].name, "nonce");
	assert_string_equal(s[0].captures[0].pointer, "/d/nonce");
	assert_string_equal(s[0].captures[1].pointer, "");
	assert_int_equal(s[2].kind, STEP_EXPECT);
	assert_int_equal(s[2].match.kind, MATCH_REGEX);
	assert_int_equal(s[2].timeout, 2 * SECOND);
	assert_true(s[2].deliver);
	assert_int_equal(s[3].kind, STEP_WAIT);
	assert_int_equal(s[3].wait, 3 * SECOND / 2);
}

static void test_login(void **state)
{
	const struct conf_step *s;
	struct config c;

	(void)state;
	config_init(&c);
	config_write(&c, "FILE", login);
	config_load(&c, "FILE");
	assert_string_equal(c.errors, "");
	assert_int_equal(c.conf->bridges[0]->handshake->n_on_open, 8);
	s = c.conf->bridges[0]->handshake->on_open;
	check_expects(s);
	check_message(&s[1], "{\"op\":2,\"d\":[\"${nonce}\",\"token ${t}\",\"$${x}\"]}", true);
	assert_true(s[1].is_json);
	assert_int_equal(s[1].n_secrets, 1);
	assert_string_equal(s[1].secrets[0].name, "t");
	assert_int_equal(s[1].secrets[0].value.kind, SECRET_ENV);
	check_message(&s[4], "$$${all}", true);
	assert_false(s[4].is_json);
	check_message(&s[5], "plain $5", false);
	check_message(&s[6], "${x}", false);
	assert_int_equal(s[6].message.type, MSG_BINARY);
	check_message(&s[7], "${text}", true);
	assert_int_equal(s[7].n_secrets, 1);
	assert_string_equal(s[7].secrets[0].name, "text");
	assert_int_equal(s[7].secrets[0].value.kind, SECRET_CREDENTIAL);
	config_deinit(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shapes),
		cmocka_unit_test(test_matches),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_login),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
