/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Durations and sizes as text: the spans of systemd.time(7) and numbers with
 * K, M, G. Integer arithmetic throughout: "0.1s" is exactly 100000 us. The
 * trap: a span without a unit is seconds, also behind another ("1min 30").
 */
#include "conf/schema.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "base/span.h"

#define US_PER_MS INT64_C(1000)
#define US_PER_SEC INT64_C(1000000)
#define US_PER_MINUTE (60 * US_PER_SEC)
#define US_PER_HOUR (60 * US_PER_MINUTE)
#define US_PER_DAY (24 * US_PER_HOUR)
#define US_PER_MONTH INT64_C(2629800000000) /* 30.44 days, as systemd has it */
#define US_PER_YEAR INT64_C(31557600000000) /* 365.25 days */

struct unit {
	const char *name;
	int64_t us;
};

static const struct unit units[] = {
	{ "us", 1 },
	{ "usec", 1 },
	{ "\xc2\xb5s", 1 }, /* micro sign */
	{ "\xce\xbcs", 1 }, /* Greek mu */
	{ "ms", US_PER_MS },
	{ "msec", US_PER_MS },
	{ "s", US_PER_SEC },
	{ "sec", US_PER_SEC },
	{ "second", US_PER_SEC },
	{ "seconds", US_PER_SEC },
	{ "m", US_PER_MINUTE },
	{ "min", US_PER_MINUTE },
	{ "minute", US_PER_MINUTE },
	{ "minutes", US_PER_MINUTE },
	{ "h", US_PER_HOUR },
	{ "hr", US_PER_HOUR },
	{ "hour", US_PER_HOUR },
	{ "hours", US_PER_HOUR },
	{ "d", US_PER_DAY },
	{ "day", US_PER_DAY },
	{ "days", US_PER_DAY },
	{ "w", 7 * US_PER_DAY },
	{ "week", 7 * US_PER_DAY },
	{ "weeks", 7 * US_PER_DAY },
	{ "M", US_PER_MONTH },
	{ "month", US_PER_MONTH },
	{ "months", US_PER_MONTH },
	{ "y", US_PER_YEAR },
	{ "year", US_PER_YEAR },
	{ "years", US_PER_YEAR },
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static const char *skip_blanks(const char *p)
{
	return p + strspn(p, " \t");
}

static bool fail(struct error *err, const char *text, const char *kind, const char *why)
{
	char shown[80];

	escape_text(shown, sizeof(shown), span_str(text));
	return error_set(err, ERR_INVALID_OPTION, "\"%s\" is not %s: %s", shown, kind, why);
}

/* The digits at *p, which is advanced; false if the number is too big. */
static bool take_digits(const char **p, int64_t *out)
{
	int64_t n = 0;

	for (; is_digit(**p); (*p)++)
		if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, **p - '0', &n))
			return false;
	*out = n;
	return true;
}

/* The unit at *p, which is advanced; NULL if there is no such unit. */
static const struct unit *take_unit(const char **p)
{
	static const struct unit seconds = { "s", US_PER_SEC };
	const char *name = skip_blanks(*p);
	size_t n = strcspn(name, "0123456789. \t-+");

	if (n == 0)
		return &seconds;
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (strlen(units[i].name) != n || memcmp(units[i].name, name, n) != 0)
			continue;
		*p = name + n;
		return &units[i];
	}
	return NULL;
}

/* One "NUMBER[.FRACTION] [UNIT]" at *p added to *total; NULL, or what is wrong with it. */
static const char *take_span(const char **p, int64_t *total)
{
	const char *fraction = NULL, *fraction_end = NULL, *start = *p;
	const struct unit *unit;
	int64_t n, scale;

	if (!take_digits(p, &n))
		return "it is too long";
	if (**p == '.') {
		fraction = ++*p;
		fraction_end = *p += strspn(*p, "0123456789");
		if (fraction == fraction_end)
			return "a digit is missing behind the point";
		if (**p == '.')
			return "it has one point too many";
	}
	if (*p == start)
		return "a number is missing";
	unit = take_unit(p);
	if (!unit)
		return "the unit must be one of us, ms, s, min, h, d, w, month, y";
	if (__builtin_mul_overflow(n, unit->us, &n) || __builtin_add_overflow(*total, n, total))
		return "it is too long";
	scale = unit->us / 10;
	for (; fraction != fraction_end && scale; fraction++, scale /= 10)
		if (__builtin_add_overflow(*total, (*fraction - '0') * scale, total))
			return "it is too long";
	return NULL;
}

bool schema_parse_duration(const char *text, int64_t *us, struct error *err)
{
	const char *p = skip_blanks(text);
	int64_t total = 0;

	if (strncmp(p, "off", 3) == 0 && *skip_blanks(p + 3) == '\0') {
		*us = 0;
		return true;
	}
	do {
		const char *why = take_span(&p, &total);

		if (why)
			return fail(err, text, "a duration", why);
		p = skip_blanks(p);
	} while (*p != '\0');
	*us = total;
	return true;
}

static bool size_shift(const char *suffix, unsigned *shift)
{
	static const char *const names[] = { "", "K", "M", "G" };

	for (unsigned i = 0; i < 4; i++) {
		if (strcmp(suffix, names[i]) != 0)
			continue;
		*shift = 10 * i;
		return true;
	}
	return false;
}

bool schema_parse_size(const char *text, size_t *bytes, struct error *err)
{
	const char *p = text;
	unsigned shift;
	int64_t n;

	if (!is_digit(*p))
		return fail(err, text, "a size", "a whole number is missing");
	if (!take_digits(&p, &n))
		return fail(err, text, "a size", "it is too big");
	if (!size_shift(p, &shift))
		return fail(err, text, "a size",
			    "behind the whole number only K, M or G may stand");
	if (__builtin_mul_overflow(n, INT64_C(1) << shift, &n))
		return fail(err, text, "a size", "it is too big");
	*bytes = (size_t)n;
	return true;
}

char *schema_format_duration(char out[SCHEMA_VALUE_TEXT], int64_t us)
{
	static const struct unit shown[] = {
		{ "d", US_PER_DAY }, { "h", US_PER_HOUR }, { "min", US_PER_MINUTE },
		{ "s", US_PER_SEC }, { "ms", US_PER_MS },  { "us", 1 },
	};
	size_t i = 0;

	while (us % shown[i].us != 0 || (us == 0 && shown[i].us != US_PER_SEC))
		i++;
	snprintf(out, SCHEMA_VALUE_TEXT, "%" PRId64 "%s", us / shown[i].us, shown[i].name);
	return out;
}

char *schema_format_size(char out[SCHEMA_VALUE_TEXT], size_t bytes)
{
	static const char *const suffixes[] = { "", "K", "M", "G" };
	size_t i = 0;

	for (; i < 3 && bytes != 0 && bytes % 1024 == 0; i++)
		bytes /= 1024;
	snprintf(out, SCHEMA_VALUE_TEXT, "%zu%s", bytes, suffixes[i]);
	return out;
}
