/* SPDX-License-Identifier: Apache-2.0 */
/* See account.h. It reads the records as a client would, by their text. */
#include "account.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void take_gap(struct account *a)
{
	uint64_t dropped, from, to;
	int end = 0;

	assert_int_equal(sscanf(a->line,
				"{\"type\":\"gap\",\"dropped\":%" SCNu64 ",\"from\":%" SCNu64
				",\"to\":%" SCNu64 "}%n",
				&dropped, &from, &to, &end),
			 3);
	assert_int_equal((size_t)end, a->n);
	assert_true(from <= to && dropped == to - from + 1);
	if (a->next > 0)
		assert_int_equal(from, a->next);
	a->next = to + 1;
	a->dropped += dropped;
	a->gaps++;
}

static void take_message(struct account *a)
{
	uint64_t seq;

	assert_int_equal(sscanf(a->line, "{\"type\":\"text\",\"seq\":%" SCNu64 ",", &seq), 1);
	assert_int_equal(a->line[a->n - 1], '}');
	if (a->next > 0)
		assert_int_equal(seq, a->next);
	a->next = seq + 1;
	a->received++;
}

static bool begins(const struct account *a, const char *head)
{
	return a->n >= strlen(head) && memcmp(a->line, head, strlen(head)) == 0;
}

static void take_record(struct account *a)
{
	a->line[a->n] = '\0';
	if (begins(a, "{\"type\":\"gap\""))
		take_gap(a);
	else if (begins(a, "{\"type\":\"text\""))
		take_message(a);
	else if (begins(a, "{\"type\":\"close\"") || begins(a, "{\"type\":\"error\""))
		a->events++;
	else
		fail_msg("no record: %s", a->line);
	a->n = 0;
}

void account_feed(struct account *a, const void *bytes, size_t n)
{
	const char *p = bytes;

	for (size_t i = 0; i < n; i++) {
		if (p[i] == '\n') {
			take_record(a);
			continue;
		}
		assert_true(a->n < sizeof(a->line) - 1);
		a->line[a->n++] = p[i];
	}
}
