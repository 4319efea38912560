/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of hosts to be reached without a proxy: what each entry matches, and what it must not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/no_proxy.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct row {
	const char *list, *host;
	uint16_t port;
	bool matches;
} rows[] = {
	{ "", "example.net", 80, false },
	{ "example.net", "", 80, false },
	{ "*", "example.net", 80, true },
	{ "*", "192.0.2.1", 80, true },
	{ "*", "::1", 80, true },
	{ "other.example, *", "example.net", 80, true },
	{ "*.example.net", "a.example.net", 80, false }, /* no other wildcard */
	/* Names. */
	{ "example.net", "example.net", 80, true },
	{ "example.net", "www.example.net", 80, true },
	{ ".example.net", "www.example.net", 80, true },
	{ ".example.net", "example.net", 80, true },
	{ "example.net", "nonexample.net", 80, false },
	{ ".example.net", "nonexample.net", 80, false },
	{ "www.example.net", "example.net", 80, false },
	{ "EXAMPLE.net", "www.Example.NET", 80, true },
	{ "example.net.", "www.example.net", 80, true },
	{ "example.net", "www.example.net.", 80, true },
	{ "example.net.", "example.net.", 80, true },
	{ "example.net..", "example.net", 80, false },
	{ "net", "example.net", 80, true },
	{ ".", "example.net", 80, false },
	{ "..", "example.net", 80, false },
	{ ".", ".", 80, false },
	{ "localhost", "localhost", 80, true },
	{ "127.0.0.1", "localhost", 80, false }, /* nothing is resolved */
	/* Lists. */
	{ "a.example,b.example", "b.example", 80, true },
	{ " a.example ,\tb.example ", "b.example", 80, true },
	{ "a.example b.example", "b.example", 80, true },
	{ ",,,b.example,,", "b.example", 80, true },
	{ "a.example,b.example", "c.example", 80, false },
	/* Ports. */
	{ "example.net:8443", "example.net", 8443, true },
	{ "example.net:8443", "www.example.net", 8443, true },
	{ "example.net:8443", "example.net", 443, false },
	{ "example.net:", "example.net", 443, false },
	{ "example.net:x", "example.net", 443, false },
	{ "example.net:70000", "example.net", 4464, false },
	{ "*:443", "example.net", 443, true },
	{ "*:443", "example.net", 80, false },
	{ "192.0.2.1:80", "192.0.2.1", 80, true },
	{ "192.0.2.1:80", "192.0.2.1", 81, false },
	{ "[::1]:80", "::1", 80, true },
	{ "[::1]:80", "::1", 81, false },
	{ "[::1]", "::1", 81, true },
	{ "[::1", "::1", 81, false },
	{ "[::1]x", "::1", 81, false },
	{ "[::1]:", "::1", 81, false },
	/* IPv4. */
	{ "192.0.2.1", "192.0.2.1", 80, true },
	{ "192.0.2.1", "192.0.2.10", 80, false },
	{ ".2.1", "192.0.2.1", 80, false }, /* an address has no suffixes */
	{ "192.0.2.0/24", "192.0.2.255", 80, true },
	{ "192.0.2.0/24", "192.0.3.0", 80, false },
	{ "192.0.2.77/24", "192.0.2.1", 80, true }, /* host bits do not matter */
	{ "192.0.2.128/25", "192.0.2.127", 80, false },
	{ "192.0.2.128/25", "192.0.2.128", 80, true },
	{ "10.0.0.0/8", "10.255.0.1", 80, true },
	{ "10.0.0.0/8", "11.0.0.0", 80, false },
	{ "10.0.0.0/8:81", "10.1.1.1", 81, true },
	{ "10.0.0.0/8:81", "10.1.1.1", 80, false },
	{ "192.0.2.1/32", "192.0.2.1", 80, true },
	{ "192.0.2.1/31", "192.0.2.0", 80, true },
	{ "0.0.0.0/0", "192.0.2.1", 80, true },
	{ "0.0.0.0/0", "::1", 80, false },
	{ "192.0.2.0/33", "192.0.2.0", 80, false },
	{ "192.0.2.0/", "192.0.2.0", 80, false },
	{ "192.0.2.0/-1", "192.0.2.0", 80, false },
	{ "192.0.2.0/24x", "192.0.2.0", 80, false },
	{ "192.0.2.0/4294967320", "192.0.2.1", 80, false },
	{ "192.0.2/24", "192.0.2.1", 80, false },
	{ "192.0.2.0/24", "example.net", 80, false },
	/* IPv6. */
	{ "::1", "::1", 80, true },
	{ "0:0:0:0:0:0:0:1", "::1", 80, true },
	{ "2001:DB8::1", "2001:db8:0::1", 80, true },
	{ "2001:db8::/32", "2001:db8:ffff::1", 80, true },
	{ "2001:db8::/32", "2001:db9::1", 80, false },
	{ "[2001:db8::/32]", "2001:db8::1", 80, true },
	{ "2001:db8::/33", "2001:db8:8000::1", 80, false },
	{ "::/0", "2001:db8::1", 80, true },
	{ "::/0", "192.0.2.1", 80, false },
	{ "::1/129", "::1", 80, false },
	{ "::ffff:192.0.2.1", "192.0.2.1", 80, false },
};

static void test_lists(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		print_message("\"%s\" %s %u\n", rows[i].list, rows[i].host, (unsigned)rows[i].port);
		assert_int_equal(no_proxy_matches(rows[i].list, rows[i].host, rows[i].port),
				 rows[i].matches);
	}
}

static void test_entries_longer_than_any_host_match_nothing(void **state)
{
	char list[2000];

	(void)state;
	memset(list, 'a', sizeof(list));
	memcpy(list + sizeof(list) - 13, ",example.net", 13);
	assert_true(no_proxy_matches(list, "example.net", 80));
	assert_false(no_proxy_matches(list, "a", 80));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_entries_longer_than_any_host_match_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
