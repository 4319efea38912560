/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order in which an attempt tries the addresses of a name (RFC 8305, 4):
 * families in turn, rotated by the number of the attempt. Pure. A name server
 * chooses the length of the list; what is behind SEEN_MAX is not looked at.
 */
#include <netdb.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "net/happy.h"

#define SEEN_MAX 1024

/* From ai on: the next one of this family. */
static const struct addrinfo *of_family(const struct addrinfo *ai, int family)
{
	while (ai && ai->ai_family != family)
		ai = ai->ai_next;
	return ai;
}

static const struct addrinfo *first_usable(const struct addrinfo *ai, int family)
{
	while (ai && !((ai->ai_family == AF_INET || ai->ai_family == AF_INET6) &&
		       (family == AF_UNSPEC || family == ai->ai_family)))
		ai = ai->ai_next;
	return ai;
}

static size_t interleave(const struct addrinfo *list, int family, const struct addrinfo **seen)
{
	const struct addrinfo *a = first_usable(list, family), *b = NULL;
	int first, other;
	size_t n = 0;

	if (!a)
		return 0;
	first = a->ai_family;
	other = first == AF_INET ? AF_INET6 : AF_INET;
	if (family == AF_UNSPEC)
		b = of_family(list, other);
	while ((a || b) && n + 2 <= SEEN_MAX) {
		if (a) {
			seen[n++] = a;
			a = of_family(a->ai_next, first);
		}
		if (b) {
			seen[n++] = b;
			b = of_family(b->ai_next, other);
		}
	}
	return n;
}

static bool is_among(const struct addrinfo *ai, const struct addrinfo *const *order, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (order[i]->ai_addrlen == ai->ai_addrlen &&
		    memcmp(order[i]->ai_addr, ai->ai_addr, ai->ai_addrlen) == 0)
			return true;
	return false;
}

size_t happy_order(const struct addrinfo *list, int family, unsigned rotate,
		   const struct addrinfo *order[HAPPY_MAX])
{
	const struct addrinfo *seen[SEEN_MAX];
	size_t n_seen = interleave(list, family, seen), n = 0, start;

	if (n_seen == 0)
		return 0;
	start = rotate % n_seen;
	if (n_seen > HAPPY_MAX)
		start = start * HAPPY_MAX % n_seen;
	for (size_t i = 0; i < n_seen && n < HAPPY_MAX; i++) {
		const struct addrinfo *ai = seen[(start + i) % n_seen];

		if (!is_among(ai, order, n))
			order[n++] = ai;
	}
	return n;
}
