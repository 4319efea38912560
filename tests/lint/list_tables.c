/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prints the tables of options, methods and commands, for the checks that the
 * manual says the same. A line is KIND, name and facts, between tabs:
 *
 *   option   NAME             facts
 *   method   NAME             right
 *   param    METHOD NAME      facts
 *   command  NAME             words
 *   summary  NAME             sentence
 *   switch   COMMAND          as in mdoc: Fl o , Fl -option Ar KEY=VALUE
 *   common   COMMAND          the same, for those that many commands have
 *   about    COMMAND SWITCH   sentence
 */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "conf/main_conf.h"
#include "control/methods.h"

static const char *type_words(const struct schema_row *row)
{
	switch (row->type) {
	case OPT_BOOL:
		return "true or false, ";
	case OPT_INT:
		return "whole number, ";
	case OPT_REAL:
		return "number, ";
	case OPT_SIZE:
		return "size, ";
	case OPT_DURATION:
		return "duration, ";
	case OPT_STRING:
		return row->flags & OPT_NULLABLE ? "string or null, " : "string, ";
	case OPT_MODE:
		return "string, ";
	case OPT_STRINGS:
		return "list of strings, ";
	case OPT_ENUM:
	case OPT_CUSTOM:
		break;
	}
	return "";
}

static void add(char *out, size_t size, const char *text)
{
	size_t n = strlen(out);

	snprintf(out + n, size - n, "%s", text);
}

static const char *number(char text[SCHEMA_VALUE_TEXT], const struct schema_row *row, double n)
{
	if (row->type == OPT_SIZE)
		return schema_format_size(text, (size_t)n);
	if (row->type == OPT_DURATION)
		return schema_format_duration(text, (int64_t)(n * 1e6 + 0.5));
	snprintf(text, SCHEMA_VALUE_TEXT, "%.0f", n);
	return text;
}

static void add_limits(char *out, size_t size, const struct schema_row *row)
{
	char min[SCHEMA_VALUE_TEXT], max[SCHEMA_VALUE_TEXT], text[160];

	if (row->min >= row->max)
		return;
	number(max, row, row->max);
	if (row->type == OPT_STRINGS)
		snprintf(text, sizeof(text), ", at most %s", max);
	else
		snprintf(text, sizeof(text), ", %s to %s%s", number(min, row, row->min), max,
			 row->flags & OPT_OFF && row->min > 0 ? ", or 0" : "");
	add(out, size, text);
}

/* "one of text, json; " */
static void add_choices(char *out, size_t size, const struct schema_row *row)
{
	add(out, size, row->choices[1] ? "one of " : "only ");
	for (size_t i = 0; row->choices[i]; i++) {
		add(out, size, row->choices[i]);
		add(out, size, row->choices[i + 1] ? ", " : "; ");
	}
}

static const char *default_words(const struct schema_row *row)
{
	if (row->flags & OPT_REQUIRED)
		return "required";
	if (!row->value)
		return row->type == OPT_BOOL ? "default false" : "no default";
	return *row->value ? "default " : "default empty";
}

/* "duration, default 20s, 100ms to 1d, or 0, live": what the manual says first of an option. */
static const char *facts(const struct schema_row *row, const char *more)
{
	static char out[512];

	out[0] = '\0';
	if (row->type == OPT_ENUM)
		add_choices(out, sizeof(out), row);
	add(out, sizeof(out), type_words(row));
	add(out, sizeof(out), default_words(row));
	add(out, sizeof(out), row->value ? row->value : "");
	add_limits(out, sizeof(out), row);
	add(out, sizeof(out), more);
	return out;
}

/* What a change of a bridge's option costs. */
static const char *cost(const struct schema_row *row)
{
	if (row->flags & OPT_APART)
		return "";
	return row->flags & OPT_LIVE ? ", live" : ", new connection";
}

static void print_options(const struct schema *s, const char *prefix)
{
	for (size_t i = 0; i < s->n_rows; i++)
		printf("option\t%s%s\t%s\n", prefix, s->rows[i].name,
		       facts(&s->rows[i], s == &bridge_schema ? cost(&s->rows[i]) : ""));
}

static const char *right_name(enum conf_level right)
{
	static const char *const names[] = {
		[LEVEL_READ] = "read",
		[LEVEL_SEND] = "send",
		[LEVEL_ADMIN] = "admin",
	};

	return names[right];
}

static void print_method(const struct method *m)
{
	printf("method\t%s\t%s\n", m->name, right_name(m->right));
	for (size_t i = 0; i < m->params->n; i++) {
		const struct schema_row *row = &m->params->rows[i];

		printf("param\t%s %s\t%s\n", m->name, row->name, facts(row, ""));
	}
}

static void print_switches(const char *kind, const char *command, const struct cli_switch *table)
{
	for (; table && table->name; table++) {
		printf("about\t%s %s\t%s\n", command, table->name, table->help);
		printf("%s\t%s\tFl ", kind, command);
		if (table->letter)
			printf("%c , Fl ", table->letter);
		printf("-%s", table->name);
		if (table->takes == TAKES_VALUE)
			printf(" Ar %s", table->value);
		if (table->takes == TAKES_OPTIONAL)
			printf(" Ns Oo = Ns Ar %s Oc", table->value);
		putchar('\n');
	}
}

int main(void)
{
	print_options(&main_schema, "");
	print_options(&control_schema, "control.");
	print_options(&bridge_schema, "bridges.*.");
	print_options(&endpoint_schema, "bridges.*.endpoint.");
	for (size_t i = 0; i < methods_count(); i++)
		print_method(method_at(i));
	print_switches("switch", "", global_switches);
	for (const struct command *c = commands; c->name; c++) {
		printf("command\t%s\t%s\n", c->name, c->words);
		printf("summary\t%s\t%s\n", c->name, c->summary);
		print_switches("switch", c->name, c->switches);
		print_switches("common", c->name, command_common(c));
	}
	return fflush(stdout) == 0 ? 0 : 1;
}
