/* SPDX-License-Identifier: Apache-2.0 */
/*
 * No secret shows in an error: a configuration with a canary in every place
 * that takes one is broken in every place, and byte by byte; whatever is said
 * then, the canary is not in it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "config_file.h"

#define COUNT(rows) (sizeof(rows) / sizeof(*(rows)))

/* Twice, so that one is left whole when a byte is lost. */
#define CANARY "canarycanary"

static const char whole[] =
	"{'defaults': {'cookie': '" CANARY "'},\n"
	"'bridges': {'a': {'url': ['ws://u:" CANARY "@h/', 'wss://" CANARY "@h/'],\n"
	"'headers': {'X': '" CANARY "', 'Y': ['" CANARY "', {'command': ['/x', '" CANARY "']}]},\n"
	"'cookie': '" CANARY "', 'on_open': ['x " CANARY "', {'text': '" CANARY "'},\n"
	"{'text': '${t}', 'secrets': {'t': '" CANARY "'}}, {'text': {'command': ['/x', '" CANARY
	"']}},\n"
	"{'expect': {'contains': '" CANARY "'}}, {'expect': {'pointer': '/a', 'equals': '" CANARY
	"'}}],\n"
	"'heartbeat': {'interval': 1, 'message': 'x " CANARY "', 'expect': {'regex': '" CANARY
	"'}},\n"
	"'tls': {'cert': '/c', 'key_password': '" CANARY "'},\n"
	"'proxy': 'socks5h://" CANARY ":" CANARY "@h', 'proxy_password': '" CANARY "'},\n"
	"'b': {'url': 'ws://h', 'auth': {'basic': {'user': 'u', 'password': '" CANARY "'}}},\n"
	"'c': {'url': 'ws://h', 'auth': {'bearer': '" CANARY "'}}}}";

static void check_quiet(const char *text, const char *errors)
{
	if (strstr(errors, "canary"))
		fail_msg("%s\nsaid %s", text, errors);
}

static void test_whole(void **state)
{
	struct config c;

	(void)state;
	config_init(&c);
	config_write(&c, "FILE", whole);
	config_load(&c, "FILE");
	assert_string_equal(c.errors, "");
	config_deinit(&c);
}

/* `whole` with the n bytes at `at` replaced. */
static void check_changed(struct config *c, size_t at, size_t n, const char *with)
{
	mem_auto_str text = mem_printf("%.*s%s%s", (int)at, whole, with, whole + at + n);

	config_write(c, "FILE", text);
	config_load(c, "FILE");
	check_quiet(text, c->errors);
}

/* Each byte lost, or another in its place; the text cut off at each. */
static void test_every_byte(void **state)
{
	static const char *const marks[] = { "", "'", "\\u0000", "\\n", "{", "]", ":", "@", "5" };
	struct config c;

	(void)state;
	config_init(&c);
	for (size_t at = 0; at < sizeof(whole) - 1; at++) {
		mem_auto_str cut = mem_strndup(whole, at);

		config_write(&c, "FILE", cut);
		config_load(&c, "FILE");
		assert_string_not_equal(c.errors, "");
		check_quiet(cut, c.errors);
		for (size_t i = 0; i < COUNT(marks); i++)
			check_changed(&c, at, 1, marks[i]);
	}
	config_deinit(&c);
}

/* Values of wrong types and shapes in the places of the canaries. */
static void test_every_place(void **state)
{
	static const char value[] = "'" CANARY "'";
	static const char *const others[] = {
		"5",
		"null",
		"{}",
		"[]",
		"['" CANARY "']",
		"[['" CANARY "']]",
		"{'" CANARY "': 1}",
		"{'file': '" CANARY "'}",
		"{'file': ['" CANARY "']}",
		"{'env': '" CANARY " " CANARY "'}",
		"{'credential': '" CANARY "/'}",
		"{'command': '" CANARY "'}",
		"{'command': ['" CANARY "']}",
		"{'command': ['/x', '" CANARY "', 5]}",
		"{'file': '/" CANARY "', 'env': '" CANARY "'}",
		"'" CANARY "\\r\\n'",
		"'" CANARY "\\u0000'",
		"' " CANARY "'",
		"'" CANARY "\\u007f'",
	};
	struct config c;
	size_t places = 0;

	(void)state;
	config_init(&c);
	for (const char *p = whole; (p = strstr(p, value)); p += sizeof(value) - 1) {
		places++;
		for (size_t i = 0; i < COUNT(others); i++)
			check_changed(&c, (size_t)(p - whole), sizeof(value) - 1, others[i]);
	}
	assert_int_equal(places, 15);
	config_deinit(&c);
}

/* URLs of servers and proxies with a slip of the pen. */
static void test_urls(void **state)
{
	static const char *const keys[] = { "url", "proxy", "connect_to" };
	static const char *const urls[] = {
		"%s" CANARY,
		"%su:" CANARY "@",
		"%su:" CANARY,
		"%su:" CANARY "@h:0",
		"%su:" CANARY "@h:" CANARY,
		"%su:" CANARY "/@h",
		"%su:" CANARY "#@h",
		"%su:" CANARY "?@h",
		"%su:" CANARY "%%@h",
		"%su:%%00" CANARY "@h",
		"%su:" CANARY " @h",
		"%su:" CANARY "@@h",
		"%su:" CANARY "@[::1",
		"%su:" CANARY "@[" CANARY "]",
		"%s[" CANARY "]@h",
		"x%su:" CANARY "@h",
	};
	static const char *const schemes[] = { "ws://",	   "wss://",	"ws+unix:", "http://",
					       "https://", "socks4://", "unix:",    "" };
	struct config c;

	(void)state;
	config_init(&c);
	for (size_t i = 0; i < COUNT(keys) * COUNT(urls) * COUNT(schemes); i++) {
		const char *key = keys[i % COUNT(keys)];
		const char *scheme = schemes[i / COUNT(keys) % COUNT(schemes)];
		const char *url = urls[i / COUNT(keys) / COUNT(schemes)], *mark = strstr(url, "%s");
		mem_auto_str text = mem_printf("{'bridges': {'a': {'start': 5, '%s': '%.*s%s%s'}}}",
					       key, (int)(mark - url), url, scheme, mark + 2);

		config_write(&c, "FILE", text);
		config_load(&c, "FILE");
		assert_string_not_equal(c.errors, "");
		check_quiet(text, c.errors);
	}
	config_deinit(&c);
}

/* The same from a command line and from the control socket. */
static void test_texts(void **state)
{
	static const char *const keys[] = {
		"url",
		"headers.X",
		"cookie",
		"cookie.file",
		"auth.bearer",
		"auth.basic.password",
		"auth",
		"auth.basic",
		"tls",
		"tls.key_password",
		"proxy",
		"proxy_password",
		"proxy_password.env",
		"headers",
	};
	static const char *const texts[] = {
		CANARY,
		"{\"" CANARY,
		"[\"" CANARY "\"",
		"[\"" CANARY "\", 5]",
		"\"" CANARY,
		"\"" CANARY "\\n\"",
		"{\"file\": \"" CANARY "\"}",
		CANARY "\xff",
		CANARY "\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(keys) * COUNT(texts); i++) {
		const char *key = keys[i % COUNT(keys)], *text = texts[i / COUNT(keys)];
		struct schema_first first;
		json_t *own = json_object();

		schema_first_init(&first);
		if (schema_put_text(&bridge_schema, own, key, text, &first.err))
			bridge_conf_unref(bridge_conf_new("a", NULL, own, &first.report));
		check_quiet(key, first.err.text);
		check_quiet(key, first.err.option);
		json_decref(own);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),	    cmocka_unit_test(test_every_byte),
		cmocka_unit_test(test_every_place), cmocka_unit_test(test_urls),
		cmocka_unit_test(test_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
