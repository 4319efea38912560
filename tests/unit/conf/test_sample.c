/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sample configuration as it is installed, and with every option set that
 * is commented out in it: both are taken, and the latter shows the defaults.
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

/* Of what cannot be given with its neighbour: a line, or all of "fifo". */
static bool is_either_or(const char *line, bool *in_fifo)
{
	static const char *const keys[] = { "endpoints", "bearer", "data",
					    "events",	 "listen", "block_timeout" };
	bool was_in_fifo = *in_fifo;

	*in_fifo = strstr(line, "\"fifo\"") || (was_in_fifo && !strchr(line, '}'));
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		mem_auto_str key = mem_printf("\"%s\":", keys[i]);

		if (strstr(line, key))
			return true;
	}
	return was_in_fifo || *in_fifo;
}

/* The sample; with `all`, lines that begin with // and no blank lose it, but for either-or. */
static char *read_sample(bool all)
{
	const char *top = getenv("top_srcdir");
	mem_auto_str path = mem_printf("%s/etc/wsbridge.json", top ? top : ".");
	FILE *file = fopen(path, "re");
	char line[256], *text = mem_strdup("");
	bool in_fifo = false;

	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		char *mark = strstr(line, "//"), *longer;
		bool is_given = !is_either_or(line, &in_fifo);

		if (all && mark && strspn(line, "\t") == (size_t)(mark - line) &&
		    strchr("\t\"{}]", mark[2]) && is_given)
			memcpy(mark, "  ", 2);
		longer = mem_printf("%s%s", text, line);
		free(text);
		text = longer;
	}
	fclose(file);
	return text;
}

static void load(struct config *c, bool all)
{
	mem_auto_str text = read_sample(all);

	config_init(c);
	config_write_bytes(c, "FILE", text, strlen(text));
	config_load(c, "FILE");
	assert_string_equal(c->errors, "");
	assert_int_equal(c->conf->n_bridges, 1);
	assert_string_equal(c->conf->bridges[0]->name, "echo");
	assert_int_equal(c->conf->bridges[0]->common->start, START_MANUAL);
}

static void test_as_it_is(void **state)
{
	struct config c;

	(void)state;
	load(&c, false);
	assert_int_equal(c.conf->bridges[0]->n_endpoints, 0);
	assert_int_equal(c.conf->bridges[0]->urls[0].port, 9001);
	config_deinit(&c);
}

/* What the sample does not show as it is by default. */
static bool differs(const char *name)
{
	static const char *const names[] = { "start", "socket.keepalive", "heartbeat.interval",
					     "rate.messages", "rate.burst" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

/* Every row that has a default holds it in `store`. */
static void check_defaults(const struct schema *s, const void *store)
{
	void *defaults = mem_zalloc(s->size);

	schema_defaults(s, defaults);
	for (size_t i = 0; i < s->n_rows; i++) {
		struct schema one = *s;

		one.rows = &s->rows[i];
		one.n_rows = 1;
		if (!s->rows[i].value || differs(s->rows[i].name))
			continue;
		if (schema_compare(&one, defaults, store) != SCHEMA_SAME)
			fail_msg("the sample does not show the default of %s", s->rows[i].name);
	}
	schema_release(s, defaults);
	free(defaults);
}

static void test_all_options(void **state)
{
	const struct bridge_conf *b;
	struct config c;

	(void)state;
	load(&c, true);
	b = c.conf->bridges[0];
	check_defaults(&main_schema, c.conf);
	check_defaults(&control_schema, &c.conf->controls[0]);
	check_defaults(&bridge_schema, b);
	assert_int_equal(b->n_endpoints, 1);
	check_defaults(&endpoint_schema, &b->endpoints[0]);
	assert_non_null(c.conf->defaults);
	assert_true(c.conf->has_log_level);
	assert_int_equal(b->handshake->n_headers, 3);
	assert_int_equal(b->handshake->n_subprotocols, 2);
	assert_int_equal(b->handshake->auth.kind, AUTH_BASIC);
	assert_int_equal(b->common->tls.max_version, CONF_TLS_1_3);
	assert_int_equal(b->common->proxy.n_no_proxy, 4);
	assert_true(b->common->socket.keepalive);
	assert_int_equal(b->handshake->n_on_open, 5);
	assert_int_equal(b->common->rate.burst, 100);
	assert_true(b->common->heartbeat.has_expect);
	assert_int_equal(b->common->reconnect.n_fatal_status, 2);
	assert_int_equal(b->endpoints[0].rules->n_allow_groups, 1);
	config_deinit(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_it_is),
		cmocka_unit_test(test_all_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
