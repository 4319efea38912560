/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The steps of on_open as dialogues. A line of one is what happens next:
 *   >text  it sends this      #text  it sends this as binary
 *   ?      it waits           .      it is done
 *   !text  it fails with this in its sentence
 *   <text  this comes in and local clients get it    -text  ... and they do not
 *   ~text  a fragment that goes on comes in           +ms    time passes
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "link/script.h"

#define LINES 16

struct dialogue {
	const char *name;
	const char *on_open; /* ' for " */
	const char *secrets[3];
	const char *lines[LINES];
};

static struct bridge_conf *conf_of(const char *on_open)
{
	mem_auto_str text = mem_printf("{'url': 'ws://x/', 'on_open': [%s]}", on_open);
	struct schema_first first;
	struct bridge_conf *conf;
	json_error_t err;
	json_t *own;

	for (char *p = text; *p; p++)
		if (*p == '\'')
			*p = '"';
	own = json_loads(text, 0, &err);
	if (!own)
		fail_msg("%s: %s", text, err.text);
	schema_first_init(&first);
	conf = bridge_conf_new("b", NULL, own, &first.report);
	json_decref(own);
	if (!conf)
		fail_msg("%s: %s", text, first.err.text);
	return conf;
}

/* ' for ", as in the configuration. */
static char *quoted(const char *text)
{
	char *s = mem_strdup(text);

	for (char *p = s; *p; p++)
		if (*p == '\'')
			*p = '"';
	return s;
}

struct talk {
	struct script *script;
	int64_t now;
	const struct dialogue *d;
};

static void hear(struct talk *t, const char *text, bool more, bool delivered)
{
	mem_auto_str data = quoted(text);
	struct msg msg = { .type = MSG_TEXT, .data = span_str(data), .more = more };

	if (script_hear(t->script, t->now, msg) != delivered)
		fail_msg("%s: %s: %sdelivered", t->d->name, text, delivered ? "not " : "");
	memset(data, 'x', strlen(data)); /* it keeps nothing of it */
}

static void check_sent(struct talk *t, const char *text, enum msg_type type, const struct msg *msg)
{
	mem_auto_str expected = quoted(text);

	assert_int_equal(msg->type, type);
	assert_false(msg->more);
	if (!span_equal(msg->data, span_str(expected)))
		fail_msg("%s: sent %.*s, expected %s", t->d->name, (int)msg->data.n,
			 (const char *)msg->data.p, expected);
}

static void ask(struct talk *t, char mark, const char *text)
{
	struct error err = ERROR_INIT;
	struct msg msg = { .type = MSG_TEXT };
	enum script_do what = script_next(t->script, t->now, &msg, &err);
	static const struct {
		char mark;
		enum script_do what;
	} expected[] = { { '>', SCRIPT_SEND },
			 { '#', SCRIPT_SEND },
			 { '?', SCRIPT_WAIT },
			 { '.', SCRIPT_DONE },
			 { '!', SCRIPT_FAILED } };

	for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++)
		if (expected[i].mark == mark && expected[i].what != what)
			fail_msg("%s: %c%s: %d %s", t->d->name, mark, text, (int)what, err.text);
	if (mark == '?')
		assert_true(script_due(t->script) > t->now);
	if (what == SCRIPT_SEND)
		check_sent(t, text, mark == '>' ? MSG_TEXT : MSG_BINARY, &msg);
	if (what != SCRIPT_FAILED)
		return;
	assert_int_equal(err.stage, STAGE_OPEN);
	assert_true(err.code == ERR_TIMEOUT || err.code == ERR_PROTOCOL);
	if (!strstr(err.text, text))
		fail_msg("%s: %s, expected %s", t->d->name, err.text, text);
}

static void line(struct talk *t, const char *text)
{
	switch (text[0]) {
	case '<':
		hear(t, text + 1, false, true);
		break;
	case '-':
		hear(t, text + 1, false, false);
		break;
	case '~':
		hear(t, text + 1, true, true);
		break;
	case '+':
		t->now += strtol(text + 1, NULL, 10) * 1000;
		break;
	default:
		ask(t, text[0], text + 1);
		break;
	}
}

static void hold(const struct dialogue *d)
{
	struct bridge_conf *conf = conf_of(d->on_open);
	struct talk t = { .now = 1000000, .d = d };
	char *secrets[3];

	for (size_t i = 0; i < 3; i++)
		secrets[i] = mem_strdup(d->secrets[i]);
	t.script = script_new(conf, secrets);
	for (size_t i = 0; i < LINES && d->lines[i]; i++)
		line(&t, d->lines[i]);
	script_free(t.script);
	for (size_t i = 0; i < 3; i++)
		free(secrets[i]);
	bridge_conf_unref(conf);
}

#define ANY "{'expect': {'regex': '.*'}, 'timeout': '1s'}"
#define CAPTURE(pointer) \
	"{'expect': {'regex': '.*'}, 'capture': {'v': '" pointer "'}, 'timeout': '1s'}"

static const struct dialogue steps[] = {
	{ "nothing", "", { 0 }, { "." } },
	{ "two messages", "'one', {'text': 'two'}", { 0 }, { ">one", ">two", ".", "." } },
	{ "binary and JSON",
	  "{'binary': 'QUI='}, {'json': {'b': 1, 'a': [true]}}",
	  { 0 },
	  { "#AB", ">{'b':1,'a':[true]}", "." } },
	{ "empty message", "''", { 0 }, { ">", "." } },
	{ "expect",
	  "{'expect': {'contains': 'hi'}}, 'answer'",
	  { 0 },
	  { "?", "<no", "?", "-oh hi", ">answer", "." } },
	{ "expect by pointer",
	  "{'expect': {'pointer': '/op', 'equals': 10}}",
	  { 0 },
	  { "?", "<{'op':1}", "<op 10", "?", "-{'op':10}", "." } },
	{ "deliver",
	  "{'expect': {'contains': 'hi'}, 'deliver': true}",
	  { 0 },
	  { "?", "<hi", ".", "<hi" } },
	{ "not before the first look", ANY, { 0 }, { "<early", "?", "-late", "." } },
	{ "the second is not the first's",
	  ANY ", {'expect': {'contains': 'b'}}",
	  { 0 },
	  { "?", "-ab", "<ab", "?", "-ab", "." } },
	{ "two in one read",
	  "{'expect': {'contains': 'a'}}, 'x', {'expect': {'contains': 'b'}}",
	  { 0 },
	  { "?", "-a", ">x", "?", "-b", "." } },
	{ "timeout",
	  "'a', {'expect': {'contains': 'b'}, 'timeout': '1500ms'}",
	  { 0 },
	  { ">a", "?", "+1499", "?", "+1", "!on_open[1]: nothing that matches has come within 1.5s",
	    "!nothing" } },
	{ "late, but before the look", ANY, { 0 }, { "?", "+5000", "-there", "." } },
	{ "the time begins with the step",
	  ANY ", " ANY,
	  { 0 },
	  { "?", "+900", "-one", "?", "+900", "?", "-two", "." } },
	{ "wait", "{'wait': '2s'}, 'then'", { 0 }, { "?", "+1999", "?", "+1", ">then", "." } },
	{ "messages while it waits", "{'wait': '1s'}", { 0 }, { "?", "<hello", "+1000", "." } },
	{ "no fragment matches", ANY, { 0 }, { "?", "~a", "?", "~b", "<c", "?", "-whole", "." } },
	{ "behind the end", "'x'", { 0 }, { ">x", ".", "<more", "." } },
};

static const struct dialogue captures[] = {
	{ "whole string",
	  CAPTURE("/s") ", {'json': {'a': '${v}'}}",
	  { 0 },
	  { "?", "-{'s':'x y'}", ">{'a':'x y'}", "." } },
	{ "number keeps its digits",
	  CAPTURE("/n") ", {'json': ['${v}']}",
	  { 0 },
	  { "?", "-{'n':1.50e2}", ">[1.50e2]", "." } },
	{ "object as it stood",
	  CAPTURE("") ", {'json': {'all': '${v}'}}",
	  { 0 },
	  { "?", "-{'b' : 1, 'a':2}", ">{'all':{'b' : 1, 'a':2}}", "." } },
	{ "null",
	  CAPTURE("/d") ", {'json': '${v}'}, {'text': 'v=${v}'}",
	  { 0 },
	  { "?", "-{'d':null}", ">null", ">v=null", "." } },
	{ "inside a longer string",
	  CAPTURE("/s") ", {'json': {'a': 'id ${v}.'}}",
	  { 0 },
	  { "?", "-{'s':'q\\'\\\\\\n'}", ">{'a':'id q\\'\\\\\\n.'}", "." } },
	{ "a number inside one",
	  CAPTURE("/n") ", {'json': 'n=${v}'}",
	  { 0 },
	  { "?", "-{'n':7}", ">'n=7'", "." } },
	{ "an object inside one",
	  CAPTURE("/o") ", {'json': 'o=${v}'}",
	  { 0 },
	  { "?", "-{'o':{'k':1}}", ">'o={\\'k\\':1}'", "." } },
	{ "text",
	  CAPTURE("/s") ", 'I am ${v}, ${v}'",
	  { 0 },
	  { "?", "-{'s':'\\u00e9\\t\\'x\\''}", ">I am \u00e9\t'x', \u00e9\t'x'", "." } },
	{ "binary goes out as it is",
	  CAPTURE("/s") ", {'binary': 'PiR7dn08'}",
	  { 0 },
	  { "?", "-{'s':'mid'}", "#>${v}<", "." } },
	{ "escaped dollar",
	  CAPTURE("/s") ", '$${v} $$ $v ${v} $$${v}', {'json': ['$${v}']}",
	  { 0 },
	  { "?", "-{'s':'x'}", ">${v} $$ $v x $${v}", ">['${v}']", "." } },
	{ "two names",
	  "{'expect': {'regex': '.*'}, 'capture': {'a': '/a', 'b_2': '/b'}}, "
	  "{'json': {'x': ['${b_2}', '${a}'], 'y': '${a}${b_2}'}}",
	  { 0 },
	  { "?", "-{'a':1,'b':'2'}", ">{'x':['2',1],'y':'12'}", "." } },
	{ "the last capture counts",
	  CAPTURE("/s") ", '${v}', " CAPTURE("/s") ", '${v}'",
	  { 0 },
	  { "?", "-{'s':'one'}", ">one", "?", "-{'s':2}", ">2", "." } },
	{ "the last member counts",
	  CAPTURE("/s") ", '${v}'",
	  { 0 },
	  { "?", "-{'s':'one','s':'two'}", ">two", "." } },
	{ "kept over other messages",
	  CAPTURE("/s") ", " ANY ", '${v}'",
	  { 0 },
	  { "?", "-{'s':'one'}", "?", "-{'s':'two'}", ">one", "." } },
	{ "leads nowhere",
	  "'x', " CAPTURE("/d/session"),
	  { 0 },
	  { ">x", "?", "-{'d':{}}", "!on_open[1]: there is nothing at \"/d/session\" to capture",
	    "!on_open[1]" } },
	{ "no JSON at all", CAPTURE("/d"), { 0 }, { "?", "-hello", "!\"/d\"" } },
	{ "half a surrogate pair",
	  CAPTURE("/s") ", {'json': '${v}'}, '${v}'",
	  { 0 },
	  { "?", "-{'s':'\\ud800'}", ">'\\ud800'", "!half a surrogate pair" } },
};

#define SECRETS "'secrets': {'token': {'env': 'T'}, 'b': {'env': 'B'}}"

static const struct dialogue secret_steps[] = {
	{ "a text that is a secret", "{'text': {'file': '/x'}}", { "t0p" }, { ">t0p", "." } },
	{ "in text",
	  "{'text': 'auth ${token}/${b}', " SECRETS "}",
	  { "t", "u" },
	  { ">auth t/u", "." } },
	{ "in JSON they are strings",
	  "{'json': {'t': '${token}', 'u': 'x${b}'}, " SECRETS "}",
	  { "12\"3", "4\\" },
	  { ">{'t':'12\\'3','u':'x4\\\\'}", "." } },
	{ "in the order of the steps",
	  "{'text': {'env': 'A'}}, 'between', {'text': '${b}${a}', 'secrets': {'b': {'env': 'B'}, "
	  "'a': {'env': 'C'}}}",
	  { "1", "2", "3" },
	  { ">1", ">between", ">23", "." } },
	{ "a secret with ${", "{'text': {'env': 'A'}}", { "${x}$${" }, { ">${x}$${", "." } },
	{ "and a capture",
	  CAPTURE("/s") ", {'text': '${v}:${token}${b}', " SECRETS "}",
	  { "t", "u" },
	  { "?", "-{'s':'one'}", ">one:tu", "." } },
	{ "no UTF-8",
	  "{'text': {'env': 'A'}}",
	  { "\xff" },
	  { "!on_open[0]: the message would not be valid UTF-8" } },
	{ "no secret in the sentence",
	  "{'text': 'x'}, {'text': '${token}${b}', " SECRETS "}",
	  { "hush", "\xc3" },
	  { ">x", "!on_open[1]: the message would" } },
};

static void test_steps(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++)
		hold(&steps[i]);
}

static void test_captures(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(captures) / sizeof(*captures); i++)
		hold(&captures[i]);
}

static void test_secrets(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(secret_steps) / sizeof(*secret_steps); i++)
		hold(&secret_steps[i]);
}

/* {"s":"xxx"}: the value with its quotes is n bytes. */
static struct span long_value(char *text, size_t n)
{
	memcpy(text, "{\"s\":\"", 6);
	memset(text + 6, 'x', n - 2);
	memcpy(text + 4 + n, "\"}", 2);
	return span_of(text, n + 6);
}

static void check_capture_of(size_t n, bool fits)
{
	struct bridge_conf *conf = conf_of(CAPTURE("/s"));
	struct script *s = script_new(conf, NULL);
	struct error err = ERROR_INIT;
	char *text = mem_alloc(n + 6);
	struct msg msg;

	assert_int_equal(script_next(s, 0, &msg, &err), SCRIPT_WAIT);
	assert_false(script_hear(s, 0, (struct msg){ .data = long_value(text, n) }));
	assert_int_equal(script_next(s, 0, &msg, &err), fits ? SCRIPT_DONE : SCRIPT_FAILED);
	if (!fits) {
		assert_int_equal(err.code, ERR_PROTOCOL);
		assert_non_null(strstr(err.text, "longer than 64 KiB"));
	}
	script_free(s);
	bridge_conf_unref(conf);
	free(text);
}

static void test_capture_is_bounded(void **state)
{
	(void)state;
	check_capture_of((size_t)64 * 1024, true);
	check_capture_of((size_t)64 * 1024 + 1, false);
}

/* 300 times 64 KiB. */
static void test_message_is_bounded(void **state)
{
	size_t n = (size_t)64 * 1024, times = 300;
	char *names = mem_zalloc(times * 4 + 1), *text = mem_alloc(n + 6);
	struct error err = ERROR_INIT;
	struct bridge_conf *conf;
	mem_auto_str on_open = NULL;
	struct script *s;
	struct msg msg;

	(void)state;
	for (size_t i = 0; i < times; i++)
		memcpy(names + 4 * i, "${v}", 4);
	on_open = mem_printf("%s, '%s'", CAPTURE("/s"), names);
	conf = conf_of(on_open);
	s = script_new(conf, NULL);
	assert_int_equal(script_next(s, 0, &msg, &err), SCRIPT_WAIT);
	script_hear(s, 0, (struct msg){ .data = long_value(text, n) });
	assert_int_equal(script_next(s, 0, &msg, &err), SCRIPT_FAILED);
	assert_string_equal(err.text, "on_open[1]: the message would be longer than 16 MiB");
	script_free(s);
	bridge_conf_unref(conf);
	free(names);
	free(text);
}

static void test_time_that_was_waited(void **state)
{
	struct bridge_conf *conf = conf_of("{'wait': '2s'}, " ANY ", {'wait': '3s'}");
	struct script *s = script_new(conf, NULL);
	struct error err = ERROR_INIT;
	struct msg msg;

	(void)state;
	assert_int_equal(script_waited(s), 0);
	assert_int_equal(script_due(s), INT64_MAX);
	assert_int_equal(script_next(s, 500, &msg, &err), SCRIPT_WAIT);
	assert_int_equal(script_due(s), 2000500);
	assert_int_equal(script_next(s, 700, &msg, &err), SCRIPT_WAIT);
	assert_int_equal(script_waited(s), 2000000);
	assert_int_equal(script_next(s, 2000500, &msg, &err), SCRIPT_WAIT);
	assert_int_equal(script_due(s), 3000500);
	assert_int_equal(script_waited(s), 2000000); /* an expect is no wait */
	script_hear(s, 2500000, (struct msg){ .data = span_str("x") });
	assert_int_equal(script_next(s, 2500000, &msg, &err), SCRIPT_WAIT);
	assert_int_equal(script_due(s), 5500000);
	assert_int_equal(script_waited(s), 5000000);
	assert_int_equal(script_next(s, 5500000, &msg, &err), SCRIPT_DONE);
	assert_int_equal(script_due(s), INT64_MAX);
	script_free(s);
	script_free(NULL);
	bridge_conf_unref(conf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_captures),
		cmocka_unit_test(test_secrets),
		cmocka_unit_test(test_capture_is_bounded),
		cmocka_unit_test(test_message_is_bounded),
		cmocka_unit_test(test_time_that_was_waited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
