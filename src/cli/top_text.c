/* SPDX-License-Identifier: Apache-2.0 */
/* See top_text.h. The trap: a number is rounded before its unit is chosen, or 999.96 is 1000.0. */
#include "cli/top_text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define LARGEST 1e18 /* beyond this nothing that is counted is meant */

/* Three digits, and one letter; n is at least 1 in the unit. */
static char *with_unit(char out[TOP_NUMBER], double n, char unit)
{
	snprintf(out, TOP_NUMBER, n < 99.95 ? "%.1f%c" : "%.0f%c", n, unit);
	return out;
}

static char *word(char out[TOP_NUMBER], const char *text)
{
	snprintf(out, TOP_NUMBER, "%s", text);
	return out;
}

char *top_count(char out[TOP_NUMBER], double n)
{
	static const char units[] = "kMGTPE";
	size_t i = 0;

	if (!(n >= 0))
		return word(out, "-");
	if (n == 0)
		return word(out, "0");
	if (n < 9999.5) {
		snprintf(out, TOP_NUMBER, n < 9.95 ? "%.1f" : "%.0f", n);
		return out;
	}
	n = n < LARGEST ? n : LARGEST;
	for (n /= 1000; n >= 999.5; n /= 1000)
		i++;
	return with_unit(out, n, units[i]);
}

char *top_whole(char out[TOP_NUMBER], double n)
{
	if (!(n >= 0) || n >= 9999.5)
		return top_count(out, n);
	snprintf(out, TOP_NUMBER, "%.0f", n);
	return out;
}

char *top_bytes(char out[TOP_NUMBER], double n)
{
	static const char units[] = "KMGTPE";
	size_t i = 0;

	if (!(n >= 0))
		return word(out, "-");
	if (n == 0)
		return word(out, "0");
	if (n < 999.5) {
		snprintf(out, TOP_NUMBER, "%.0fB", n < 1 ? 1 : n);
		return out;
	}
	n = n < LARGEST ? n : LARGEST;
	for (n /= 1024; n >= 999.5; n /= 1024)
		i++;
	return with_unit(out, n, units[i]);
}

char *top_time(char out[TOP_NUMBER], double seconds)
{
	static const struct {
		double below, size;
		const char *name;
	} units[] = {
		{ 0.0009995, 1e-6, "us" }, { 0.9995, 1e-3, "ms" }, { 59.5, 1, "s" },
		{ 3570, 60, "m" },	   { 84600, 3600, "h" },   { 864e7, 86400, "d" },
	};

	if (!(seconds >= 0))
		return word(out, "-");
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		double n = seconds / units[i].size;
		bool tenths = (i == 1 || i == 2) && n < 9.95;

		if (seconds >= units[i].below)
			continue;
		snprintf(out, TOP_NUMBER, "%.*f%s", tenths ? 1 : 0, n, units[i].name);
		return out;
	}
	return word(out, "ages");
}
