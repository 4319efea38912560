/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading switches with getopt_long. It prints nothing. The trap: getopt keeps
 * its state in globals, so there can be only one reading at a time, each begun
 * with optind 0.
 */
#include "cli/args.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "conf/schema.h"

#define FIRST_LONG 256 /* getopt's value of the first switch: beyond every letter */
#define SHOWN 80

struct reading {
	const struct cli_switch **all; /* of both tables */
	size_t n;
	struct option *longs;
	char *letters;
};

static void add_table(struct reading *r, const struct cli_switch *table)
{
	for (; table && table->name; table++)
		r->all[r->n++] = table;
}

static size_t count_table(const struct cli_switch *table)
{
	size_t n = 0;

	while (table && table[n].name)
		n++;
	return n;
}

static void add_letter(char *letters, const struct cli_switch *s)
{
	size_t n = strlen(letters);

	if (!s->letter || strchr(letters, s->letter))
		return;
	letters[n++] = s->letter;
	if (s->takes == TAKES_VALUE)
		letters[n] = ':';
}

static void reading_init(struct reading *r, const struct arg_tables *t)
{
	size_t n = count_table(t->own) + count_table(t->common);

	r->n = 0;
	r->all = mem_array(n + 1, sizeof(*r->all));
	r->longs = mem_array(n + 1, sizeof(*r->longs));
	r->letters = mem_zalloc(2 * n + 4);
	add_table(r, t->own);
	add_table(r, t->common);
	/* '+': stop at the first word; ':': tell a missing value from an unknown switch. */
	memcpy(r->letters, t->whole ? ":" : "+:", t->whole ? 1 : 2);
	for (size_t i = 0; i < n; i++) {
		const struct cli_switch *s = r->all[i];
		struct option *o = &r->longs[i];

		o->name = s->name;
		o->has_arg = s->takes == TAKES_NOTHING ? no_argument :
			     s->takes == TAKES_VALUE   ? required_argument :
							 optional_argument;
		o->val = FIRST_LONG + (int)i;
		add_letter(r->letters, s);
	}
}

static void reading_deinit(struct reading *r)
{
	free(r->all);
	free(r->longs);
	free(r->letters);
}

static const struct cli_switch *find(const struct reading *r, int value)
{
	if (value >= FIRST_LONG)
		return r->all[value - FIRST_LONG];
	for (size_t i = 0; i < r->n; i++)
		if (value && r->all[i]->letter == value)
			return r->all[i];
	return NULL;
}

static bool is_ambiguous(const struct reading *r, const char *name)
{
	size_t hits = 0, n = strlen(name);

	for (size_t i = 0; i < r->n; i++)
		hits += strncmp(r->all[i]->name, name, n) == 0;
	return hits > 1;
}

static bool fail_long(const struct reading *r, const char *written, struct error *err)
{
	mem_auto_str name = mem_strndup(written + 2, strcspn(written + 2, "="));
	const char **known = mem_array(r->n + 1, sizeof(*known));
	char shown[SHOWN];
	const char *near;

	escape_text(shown, sizeof(shown), span_str(name));
	for (size_t i = 0; i < r->n; i++)
		known[i] = r->all[i]->name;
	near = schema_nearest(name, known);
	free(known);
	if (is_ambiguous(r, name))
		return error_set(err, ERR_INVALID_OPTION, "--%s is short for more than one switch",
				 shown);
	if (near)
		return error_set(err, ERR_INVALID_OPTION, "unknown switch --%s; did you mean --%s?",
				 shown, near);
	return error_set(err, ERR_INVALID_OPTION, "unknown switch --%s", shown);
}

static bool fail(const struct reading *r, int result, char **argv, struct error *err)
{
	const struct cli_switch *s = find(r, optopt);
	char letter = (char)optopt, shown[SHOWN];

	if (s && result == ':')
		return error_set(err, ERR_INVALID_OPTION, "--%s needs a value (%s)", s->name,
				 s->value);
	if (s && optopt >= FIRST_LONG)
		return error_set(err, ERR_INVALID_OPTION, "--%s takes no value", s->name);
	if (optopt == 0)
		return fail_long(r, argv[optind - 1], err);
	escape_text(shown, sizeof(shown), span_of(&letter, 1));
	return error_set(err, ERR_INVALID_OPTION,
			 "unknown switch -%s (before a word that begins with - put --)", shown);
}

bool args_parse(struct args *a, int argc, char **argv, const struct arg_tables *tables,
		struct error *err)
{
	struct reading r;
	bool good = true;
	int result;

	*a = (struct args){ .given = mem_array((size_t)argc + 1, sizeof(*a->given)) };
	reading_init(&r, tables);
	opterr = 0;
	optind = 0;
	while (good && (result = getopt_long(argc, argv, r.letters, r.longs, NULL)) != -1) {
		good = result != '?' && result != ':';
		if (!good) {
			fail(&r, result, argv, err);
			break;
		}
		/* One word may hold several letters: -vvv. */
		a->given = mem_grow(a->given, a->n_given + 1, sizeof(*a->given));
		a->given[a->n_given++] = (struct given_switch){ find(&r, result), optarg };
	}
	a->words = argv + optind;
	a->n_words = (size_t)(argc - optind);
	reading_deinit(&r);
	return good;
}

void args_deinit(struct args *a)
{
	free(a->given);
	*a = (struct args){ 0 };
}

static const struct given_switch *last_given(const struct args *a, const char *name)
{
	for (size_t i = a->n_given; i > 0; i--)
		if (strcmp(a->given[i - 1].what->name, name) == 0)
			return &a->given[i - 1];
	return NULL;
}

bool args_has(const struct args *a, const char *name)
{
	return last_given(a, name) != NULL;
}

const char *args_value(const struct args *a, const char *name)
{
	const struct given_switch *g = last_given(a, name);

	return g ? g->value : NULL;
}

bool args_number(const char *text, long min, long max, long *out)
{
	char *end;
	long n;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	n = strtol(text, &end, 10);
	if (errno || *end || n < min || n > max)
		return false;
	*out = n;
	return true;
}
