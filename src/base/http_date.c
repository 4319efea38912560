/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See http_date.h. It knows the three fixed forms and no others: a header that
 * is not one of them is worth nothing. The trap: two-digit years of the
 * obsolete form are read as RFC 9110 wants, never more than 50 years ahead.
 */
#include "base/http_date.h"

#include <string.h>

#define DAY 86400

static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

struct date {
	int year, month, day, hour, minute, second; /* month: 1...12 */
};

/* Days from 1970-01-01 in the Gregorian calendar. */
static int64_t days_of(const struct date *d)
{
	static const int before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
	int64_t y = d->year - 1;
	int64_t days = y * 365 + y / 4 - y / 100 + y / 400 - 719162;
	bool leap = d->year % 4 == 0 && (d->year % 100 != 0 || d->year % 400 == 0);

	return days + before[d->month - 1] + (leap && d->month > 2) + d->day - 1;
}

/* n digits, or blanks before them where pad says so. */
static bool number(const char *s, int n, bool pad, int *out)
{
	int v = 0;

	for (int i = 0; i < n; i++) {
		if (pad && s[i] == ' ' && i < n - 1 && v == 0)
			continue;
		if (s[i] < '0' || s[i] > '9')
			return false;
		v = v * 10 + (s[i] - '0');
	}
	*out = v;
	return true;
}

static bool month_of(const char *s, int *month)
{
	for (int i = 0; i < 12; i++) {
		if (strncmp(s, months + 3 * i, 3) != 0)
			continue;
		*month = i + 1;
		return true;
	}
	return false;
}

/* "08:49:37" */
static bool time_of(const char *s, struct date *d)
{
	return s[2] == ':' && s[5] == ':' && number(s, 2, false, &d->hour) &&
	       number(s + 3, 2, false, &d->minute) && number(s + 6, 2, false, &d->second) &&
	       d->hour < 24 && d->minute < 60 && d->second <= 60;
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" */
static bool imf_fixdate(const char *s, size_t n, struct date *d)
{
	return n == 29 && strncmp(s + 3, ", ", 2) == 0 && number(s + 5, 2, false, &d->day) &&
	       s[7] == ' ' && month_of(s + 8, &d->month) && s[11] == ' ' &&
	       number(s + 12, 4, false, &d->year) && s[16] == ' ' && time_of(s + 17, d) &&
	       strcmp(s + 25, " GMT") == 0;
}

/* "Sunday, 06-Nov-94 08:49:37 GMT" */
static bool rfc850_date(const char *s, size_t n, struct date *d)
{
	const char *comma = strchr(s, ',');

	if (!comma || n - (size_t)(comma - s) != 24 || comma[1] != ' ')
		return false;
	s = comma + 2;
	if (!number(s, 2, false, &d->day) || s[2] != '-' || !month_of(s + 3, &d->month) ||
	    s[6] != '-' || !number(s + 7, 2, false, &d->year) || s[9] != ' ')
		return false;
	d->year += d->year < 70 ? 2000 : 1900;
	return time_of(s + 10, d) && strcmp(s + 18, " GMT") == 0;
}

/* "Sun Nov  6 08:49:37 1994" */
static bool asctime_date(const char *s, size_t n, struct date *d)
{
	return n == 24 && s[3] == ' ' && month_of(s + 4, &d->month) && s[7] == ' ' &&
	       number(s + 8, 2, true, &d->day) && s[10] == ' ' && time_of(s + 11, d) &&
	       s[19] == ' ' && number(s + 20, 4, false, &d->year);
}

bool http_date_parse(struct span text, int64_t *seconds)
{
	struct date d = { 0 };
	char s[40];

	if (text.n >= sizeof(s) || text.n < 24 || memchr(text.p, '\0', text.n))
		return false;
	memcpy(s, text.p, text.n);
	s[text.n] = '\0';
	if (!imf_fixdate(s, text.n, &d) && !rfc850_date(s, text.n, &d) &&
	    !asctime_date(s, text.n, &d))
		return false;
	if (d.year < 1970 || d.day < 1 || d.day > 31)
		return false;
	*seconds = days_of(&d) * DAY + d.hour * 3600 + d.minute * 60 + d.second;
	return true;
}

bool http_retry_after(struct span value, int64_t now, int64_t *seconds)
{
	int64_t v = 0;

	if (value.n == 0)
		return false;
	for (size_t i = 0; i < value.n; i++) {
		if (value.p[i] < '0' || value.p[i] > '9') {
			if (!http_date_parse(value, &v))
				return false;
			*seconds = v > now ? v - now : 0;
			return true;
		}
		if (v < INT64_MAX / 20)
			v = v * 10 + (value.p[i] - '0');
	}
	*seconds = v;
	return true;
}
