/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See config_file.h. A broken step is the test's own fault and ends it.
 */
#include "config_file.h"

#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <setjmp.h>

#include <cmocka.h>

#include "base/mem.h"
#include "conf/conf_file.h"

static char *with_double_quotes(const char *text)
{
	char *copy = mem_strdup(text);

	for (char *p = copy; *p; p++)
		if (*p == '\'')
			*p = '"';
	return copy;
}

void config_init(struct config *c)
{
	*c = (struct config){ .dir = "/tmp/wsbridge-conf.XXXXXX" };
	assert_non_null(mkdtemp(c->dir));
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void forget(struct config *c)
{
	main_conf_free(c->conf);
	c->conf = NULL;
	free(c->errors);
	c->errors = NULL;
}

void config_deinit(struct config *c)
{
	forget(c);
	assert_int_equal(nftw(c->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

void config_write_bytes(struct config *c, const char *name, const void *p, size_t n)
{
	mem_auto_str folder = mem_printf("%s/wsbridge.d", c->dir);
	mem_auto_str path = mem_printf("%s/%s", c->dir, name);
	FILE *file;

	if (strchr(name, '/'))
		mkdir(folder, 0700);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_int_equal(fwrite(p, 1, n, file), n);
	assert_int_equal(fclose(file), 0);
}

void config_write(struct config *c, const char *name, const char *text)
{
	mem_auto_str json = with_double_quotes(text);

	config_write_bytes(c, name, json, strlen(json));
}

static void on_error(void *arg, const char *sentence)
{
	struct config *c = arg;
	size_t dir = strlen(c->dir);
	char *longer;

	assert_memory_equal(sentence, c->dir, dir);
	longer = mem_printf("%s%s%s", c->errors, *c->errors ? "\n" : "", sentence + dir + 1);
	free(c->errors);
	c->errors = longer;
}

void config_load(struct config *c, const char *name)
{
	mem_auto_str path = mem_printf("%s/%s", c->dir, name);

	forget(c);
	c->errors = mem_strdup("");
	c->conf = conf_file_load(path, on_error, c);
	assert_true((c->conf != NULL) == (*c->errors == '\0'));
}

void config_check_broken(const struct broken *rows, size_t n)
{
	struct config c;
	size_t bad = 0;

	config_init(&c);
	for (size_t i = 0; i < n; i++) {
		config_write(&c, "FILE", rows[i].text);
		config_load(&c, "FILE");
		if (strcmp(c.errors, rows[i].errors) == 0)
			continue;
		print_error("%s\nexpected: %s\nsaid:     %s\n", rows[i].text, rows[i].errors,
			    c.errors);
		bad++;
	}
	config_deinit(&c);
	assert_int_equal(bad, 0);
}

json_t *config_json(const char *text)
{
	mem_auto_str json = with_double_quotes(text);
	json_t *value = json_loads(json, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);

	assert_non_null(value);
	return value;
}
