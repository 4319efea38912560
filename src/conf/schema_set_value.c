/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON value → store for each built-in option type. What the store held is
 * freed, and only once the new value is known to be good. The trap: an
 * OPT_ENUM is stored as an int.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "base/mem.h"
#include "conf/schema_int.h"

#define EXPECT_SIZE "a size such as 65536 or \"64K\""
#define EXPECT_DURATION "a duration such as 20 or \"20s\""
#define EXPECT_MODE "a file mode as a string in octal such as \"0600\""

typedef bool setter(const struct schema_row *row, void *store, const json_t *v, const char *path,
		    struct schema_report *r);

static bool has_limits(const struct schema_row *row)
{
	return row->min < row->max;
}

/* Without limits of the row: whole numbers of bytes that a double holds, and a hundred years. */
static double most(const struct schema_row *row)
{
	if (has_limits(row))
		return row->max;
	return row->type == OPT_DURATION ? 100 * 365.25 * 86400 : 9007199254740992.0;
}

static double least(const struct schema_row *row)
{
	return has_limits(row) ? row->min : 0;
}

static bool within(const struct schema_row *row, double value)
{
	if (value == 0 && row->flags & OPT_OFF)
		return true;
	return value >= least(row) && value <= most(row);
}

static bool set_bool(const struct schema_row *row, void *store, const json_t *v, const char *path,
		     struct schema_report *r)
{
	if (!json_is_boolean(v))
		return schema_error_type(r, path, "true or false", v);
	*(bool *)schema_slot(store, row->offset) = json_is_true(v);
	return true;
}

static bool set_int(const struct schema_row *row, void *store, const json_t *v, const char *path,
		    struct schema_report *r)
{
	int64_t n = json_integer_value(v);

	if (!json_is_integer(v))
		return schema_error_type(r, path, "a whole number", v);
	if (has_limits(row) && !within(row, (double)n))
		return schema_error(r, path, "must be %sbetween %.0f and %.0f",
				    row->flags & OPT_OFF ? "0 or " : "", row->min, row->max);
	*(int64_t *)schema_slot(store, row->offset) = n;
	return true;
}

static bool set_real(const struct schema_row *row, void *store, const json_t *v, const char *path,
		     struct schema_report *r)
{
	double n = json_number_value(v);

	if (!json_is_number(v))
		return schema_error_type(r, path, "a number", v);
	if (has_limits(row) && !within(row, n))
		return schema_error(r, path, "must be between %g and %g", row->min, row->max);
	*(double *)schema_slot(store, row->offset) = n;
	return true;
}

static bool size_error(const struct schema_row *row, const char *path, struct schema_report *r)
{
	char min[SCHEMA_VALUE_TEXT], max[SCHEMA_VALUE_TEXT];

	return schema_error(r, path, "must be %sbetween %s and %s",
			    row->flags & OPT_OFF ? "0 or " : "",
			    schema_format_size(min, (size_t)least(row)),
			    schema_format_size(max, (size_t)most(row)));
}

static bool size_from(const json_t *v, double *bytes, const char *path, struct schema_report *r)
{
	const char *text;
	struct error err;
	size_t n;

	if (json_is_integer(v)) {
		*bytes = (double)json_integer_value(v);
		return true;
	}
	text = schema_string(v, EXPECT_SIZE, path, r);
	if (!text)
		return false;
	if (!schema_parse_size(text, &n, &err))
		return schema_error(r, path, "%s", err.text);
	*bytes = (double)n;
	return true;
}

static bool set_size(const struct schema_row *row, void *store, const json_t *v, const char *path,
		     struct schema_report *r)
{
	double bytes;

	if (!size_from(v, &bytes, path, r))
		return false;
	if (!within(row, bytes))
		return size_error(row, path, r);
	*(size_t *)schema_slot(store, row->offset) = (size_t)bytes;
	return true;
}

/* Rounded; nothing below zero comes here. */
static int64_t microseconds(double seconds)
{
	return (int64_t)(seconds * 1e6 + 0.5);
}

static bool duration_error(const struct schema_row *row, const char *path, struct schema_report *r)
{
	char min[SCHEMA_VALUE_TEXT], max[SCHEMA_VALUE_TEXT];

	return schema_error(r, path, "must be %sbetween %s and %s",
			    row->flags & OPT_OFF ? "0 (\"off\") or " : "",
			    schema_format_duration(min, microseconds(least(row))),
			    schema_format_duration(max, microseconds(most(row))));
}

static bool duration_from(const json_t *v, double *seconds, const char *path,
			  struct schema_report *r)
{
	const char *text;
	struct error err;
	int64_t us;

	if (json_is_number(v)) {
		*seconds = json_number_value(v);
		return true;
	}
	text = schema_string(v, EXPECT_DURATION, path, r);
	if (!text)
		return false;
	if (!schema_parse_duration(text, &us, &err))
		return schema_error(r, path, "%s", err.text);
	*seconds = (double)us / 1e6;
	return true;
}

/* Seconds as double are exact to the microsecond up to 285 years; the rows end far below. */
static bool set_duration(const struct schema_row *row, void *store, const json_t *v,
			 const char *path, struct schema_report *r)
{
	double seconds;

	if (!duration_from(v, &seconds, path, r))
		return false;
	if (!within(row, seconds))
		return duration_error(row, path, r);
	*(int64_t *)schema_slot(store, row->offset) = microseconds(seconds);
	return true;
}

static bool set_string(const struct schema_row *row, void *store, const json_t *v, const char *path,
		       struct schema_report *r)
{
	bool nullable = row->flags & OPT_NULLABLE, is_null = nullable && json_is_null(v);
	const char *text = NULL;
	struct error err;

	if (!is_null) {
		text = schema_string(v, nullable ? "a string or null" : "a string", path, r);
		if (!text)
			return false;
		if (row->check && !row->check(text, &err))
			return schema_error(r, path, "%s", err.text);
	}
	schema_release_string(row, store);
	*(char **)schema_slot(store, row->offset) = mem_strdup(text);
	if (nullable)
		*(bool *)schema_slot(store, row->count_offset) = true;
	return true;
}

static bool enum_error(const struct schema_row *row, const char *text, const char *path,
		       struct schema_report *r)
{
	mem_auto_str names = schema_list_names(row->choices);
	const char *near = schema_nearest(text, row->choices);

	if (near)
		return schema_error(r, path, "expected %s; did you mean \"%s\"?", names, near);
	return schema_error(r, path, "expected %s", names);
}

static bool set_enum(const struct schema_row *row, void *store, const json_t *v, const char *path,
		     struct schema_report *r)
{
	mem_auto_str names = NULL;
	const char *text;

	if (!json_is_string(v)) {
		names = schema_list_names(row->choices);
		return schema_error_type(r, path, names, v);
	}
	text = schema_string(v, "a string", path, r);
	if (!text)
		return false;
	for (int i = 0; row->choices[i]; i++) {
		if (strcmp(row->choices[i], text) != 0)
			continue;
		*(int *)schema_slot(store, row->offset) = i + (row->flags & OPT_FROM_1 ? 1 : 0);
		return true;
	}
	return enum_error(row, text, path, r);
}

static bool set_mode(const struct schema_row *row, void *store, const json_t *v, const char *path,
		     struct schema_report *r)
{
	const char *text = schema_string(v, EXPECT_MODE, path, r);
	size_t n;

	if (!text)
		return false;
	n = strspn(text, "01234567");
	if (n < 3 || n > 4 || text[n] != '\0' || (n == 4 && text[0] != '0'))
		return schema_error(r, path, "expected three octal digits such as \"0600\"");
	*(mode_t *)schema_slot(store, row->offset) = (mode_t)strtoul(text, NULL, 8);
	return true;
}

static const char *element_text(const struct schema_row *row, const json_t *v, const char *path,
				struct schema_report *r)
{
	const char *text = schema_string(v, "a string", path, r);
	struct error err;

	if (!text)
		return NULL;
	if (!row->check || row->check(text, &err))
		return text;
	schema_error(r, path, "%s", err.text);
	return NULL;
}

static void check_unique(char *const *list, size_t i, const char *path, struct schema_report *r)
{
	for (size_t j = 0; j < i; j++) {
		if (!list[j] || strcmp(list[j], list[i]) != 0)
			continue;
		schema_error(r, path, "is in the list already, at [%zu]", j);
		return;
	}
}

static void fill_list(const struct schema_row *row, char **list, const json_t *v, const char *path,
		      struct schema_report *r)
{
	for (size_t i = 0; i < json_array_size(v); i++) {
		mem_auto_str at = schema_path_index(path, i);

		list[i] = mem_strdup(element_text(row, json_array_get(v, i), at, r));
		if (list[i] && row->flags & OPT_UNIQUE)
			check_unique(list, i, at, r);
	}
}

static bool set_strings(const struct schema_row *row, void *store, const json_t *v,
			const char *path, struct schema_report *r)
{
	size_t n = json_array_size(v), before = r->n;
	char **list;

	if (!json_is_array(v))
		return schema_error_type(r, path, "a list of strings", v);
	if (has_limits(row) && (double)n > row->max)
		return schema_error(r, path, "must not have more than %.0f elements", row->max);
	list = mem_array(n, sizeof(*list));
	fill_list(row, list, v, path, r);
	if (r->n != before) {
		schema_free_strings(list, n);
		return false;
	}
	schema_release_strings(row, store);
	*(char ***)schema_slot(store, row->offset) = list;
	*(size_t *)schema_slot(store, row->count_offset) = n;
	return true;
}

bool schema_set_value(const struct schema_row *row, void *store, const json_t *v, const char *path,
		      struct schema_report *r)
{
	static setter *const setters[] = {
		[OPT_BOOL] = set_bool, [OPT_INT] = set_int,	      [OPT_REAL] = set_real,
		[OPT_SIZE] = set_size, [OPT_DURATION] = set_duration, [OPT_STRING] = set_string,
		[OPT_ENUM] = set_enum, [OPT_MODE] = set_mode,	      [OPT_STRINGS] = set_strings,
	};

	return setters[row->type](row, store, v, path, r);
}
