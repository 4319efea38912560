/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Matching of no_proxy lists. Names are compared as written: nothing is
 * resolved, so an address on the list never matches a name. Pure. The trap:
 * an IPv6 address without brackets has colons, and none of them is a port.
 */
#include "net/no_proxy.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "base/span.h"

#define ENTRY_MAX 300

struct address {
	int family; /* 0 = a name */
	uint8_t bytes[16];
};

struct host {
	const char *name;
	size_t n; /* without a trailing dot */
	struct address address;
	uint16_t port;
};

static bool parse_address(const char *text, struct address *a)
{
	*a = (struct address){ .family = AF_INET };
	if (inet_pton(AF_INET, text, a->bytes) == 1)
		return true;
	a->family = AF_INET6;
	if (inet_pton(AF_INET6, text, a->bytes) == 1)
		return true;
	a->family = 0;
	return false;
}

/* Digits only, up to most; false: anything else, or nothing. */
static bool parse_number(const char *text, unsigned most, unsigned *out)
{
	unsigned v = 0;

	if (*text == '\0')
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		v = v * 10 + (unsigned)(*text - '0');
		if (v > most)
			return false;
	}
	*out = v;
	return true;
}

static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	if (memcmp(a, b, whole) != 0)
		return false;
	return rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0;
}

/* "192.0.2.1", "192.0.2.0/24", "2001:db8::/32". */
static bool matches_address(char *entry, const struct address *host)
{
	unsigned bits = host->family == AF_INET ? 32 : 128;
	char *slash = strchr(entry, '/');
	struct address block;

	if (slash) {
		*slash = '\0';
		if (!parse_number(slash + 1, bits, &bits))
			return false;
	}
	return parse_address(entry, &block) && block.family == host->family &&
	       same_bits(block.bytes, host->bytes, bits);
}

static bool matches_name(const char *entry, const struct host *host)
{
	size_t n = strlen(entry);

	if (n > 0 && entry[n - 1] == '.')
		n--;
	if (n > 0 && entry[0] == '.') {
		entry++;
		n--;
	}
	if (n == 0 || n > host->n || strncasecmp(entry, host->name + host->n - n, n) != 0)
		return false;
	return n == host->n || host->name[host->n - n - 1] == '.';
}

/* Takes brackets and a port off the entry; false: it is not for this port, or nonsense. */
static bool cut_port(char **entry, uint16_t port)
{
	char *colon = strchr(*entry, ':'), *bracket = NULL;
	unsigned wanted;

	if (**entry == '[') {
		bracket = strchr(*entry, ']');
		if (!bracket || (bracket[1] != ':' && bracket[1] != '\0'))
			return false;
		colon = bracket[1] == ':' ? bracket + 1 : NULL;
		*bracket = '\0';
		++*entry;
	} else if (colon && strchr(colon + 1, ':')) {
		return true;
	}
	if (!colon)
		return true;
	*colon = '\0';
	return parse_number(colon + 1, UINT16_MAX, &wanted) && wanted == port;
}

static bool matches(struct span s, const struct host *host)
{
	char text[ENTRY_MAX], *entry = text;

	if (s.n == 0 || s.n >= sizeof(text))
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	if (!cut_port(&entry, host->port))
		return false;
	if (strcmp(entry, "*") == 0)
		return true;
	if (host->address.family)
		return matches_address(entry, &host->address);
	return matches_name(entry, host);
}

bool no_proxy_matches(const char *list, const char *host, uint16_t port)
{
	static const char between[] = ", \t";
	struct host h = { .name = host, .n = strlen(host), .port = port };

	if (!parse_address(host, &h.address) && h.n > 0 && host[h.n - 1] == '.')
		h.n--;
	while (*list) {
		size_t n = strcspn(list, between);

		if (matches(span_of(list, n), &h))
			return true;
		list += n;
		list += strspn(list, between);
	}
	return false;
}
