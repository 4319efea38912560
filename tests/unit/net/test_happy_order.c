/* SPDX-License-Identifier: Apache-2.0 */
/* Which addresses of a name an attempt tries, and in which order. */
#include "net_peer.h"

#include "net/happy.h"

struct list_of {
	struct addrinfo ai[16];
	size_t n;
};

static void add(struct list_of *r, struct address *a)
{
	struct addrinfo *ai = &r->ai[r->n];

	*ai = (struct addrinfo){ .ai_family = a->ss.ss_family,
				 .ai_addr = (struct sockaddr *)&a->ss,
				 .ai_addrlen = a->len };
	if (r->n++)
		ai[-1].ai_next = ai;
}

/* "6644", which of them in which order: "0213" */
static void check_order(const char *families, int family, unsigned rotate, const char *expected)
{
	static struct address any[2];
	const struct addrinfo *order[HAPPY_MAX];
	struct sockaddr_in6 addresses[16] = { 0 };
	struct list_of r = { 0 };
	char got[HAPPY_MAX + 1] = "";
	size_t n;

	address_set(&any[0], "192.0.2.1", 443);
	address_set(&any[1], "2001:db8::1", 443);
	for (size_t i = 0; families[i]; i++) {
		add(&r, &any[families[i] == '6']);
		memcpy(&addresses[i], &any[families[i] == '6'].ss, any[families[i] == '6'].len);
		((uint8_t *)&addresses[i])[7] = (uint8_t)i; /* the address, or the flow */
		r.ai[i].ai_addr = (struct sockaddr *)&addresses[i];
	}
	n = happy_order(r.n ? r.ai : NULL, family, rotate, order);
	for (size_t i = 0; i < n; i++)
		got[i] = (char)('0' + (order[i] - r.ai));
	assert_string_equal(got, expected);
}

static void test_order(void **state)
{
	(void)state;
	check_order("", AF_UNSPEC, 0, "");
	check_order("", AF_UNSPEC, 3, "");
	check_order("4", AF_UNSPEC, 5, "0");
	check_order("64", AF_UNSPEC, 0, "01");
	check_order("64", AF_UNSPEC, 1, "10");
	check_order("64", AF_UNSPEC, 2, "01");
	check_order("6644", AF_UNSPEC, 0, "0213");
	check_order("4466", AF_UNSPEC, 0, "0213");
	check_order("66644", AF_UNSPEC, 0, "03142");
	check_order("66644", AF_UNSPEC, 1, "31420");
	check_order("66644", AF_UNSPEC, 4294967295u, "03142");
	check_order("66644", AF_INET, 0, "34");
	check_order("66644", AF_INET, 1, "43");
	check_order("66644", AF_INET6, 2, "201");
	check_order("666", AF_INET, 0, "");
	check_order("4444444444", AF_UNSPEC, 0, "01234567");
	check_order("4444444444", AF_UNSPEC, 1, "89012345");
	check_order("6666644444", AF_UNSPEC, 0, "05162738");
	check_order("6666644444", AF_UNSPEC, 1, "49051627");
}

static void test_duplicates_count_once(void **state)
{
	const struct addrinfo *order[HAPPY_MAX];
	struct address a, b;
	struct list_of r = { 0 };

	(void)state;
	address_set(&a, "192.0.2.1", 443);
	address_set(&b, "192.0.2.2", 443);
	for (int i = 0; i < 6; i++)
		add(&r, i == 4 ? &b : &a);
	assert_int_equal(happy_order(r.ai, AF_UNSPEC, 0, order), 2);
	assert_ptr_equal(order[0], &r.ai[0]);
	assert_ptr_equal(order[1], &r.ai[4]);
}

/* A name with a thousand addresses, one alive: 125 attempts see them all, none sees more than 8. */
static void test_a_thousand_addresses(void **state)
{
	enum { N = 1000 };
	static struct addrinfo ai[N];
	static struct sockaddr_in sin[N];
	const struct addrinfo *order[HAPPY_MAX];
	bool seen[N] = { false };

	(void)state;
	for (size_t i = 0; i < N; i++) {
		sin[i].sin_family = AF_INET;
		sin[i].sin_addr.s_addr = htonl(0x0a000000u + (uint32_t)i);
		ai[i] = (struct addrinfo){ .ai_family = AF_INET,
					   .ai_addr = (struct sockaddr *)&sin[i],
					   .ai_addrlen = sizeof(sin[i]),
					   .ai_next = i + 1 < N ? &ai[i + 1] : NULL };
	}
	for (unsigned attempt = 0; attempt < N / HAPPY_MAX; attempt++) {
		assert_int_equal(happy_order(ai, AF_UNSPEC, attempt, order), HAPPY_MAX);
		for (size_t i = 0; i < HAPPY_MAX; i++)
			seen[order[i] - ai] = true;
	}
	for (size_t i = 0; i < N; i++)
		assert_true(seen[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_duplicates_count_once),
		cmocka_unit_test(test_a_thousand_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
