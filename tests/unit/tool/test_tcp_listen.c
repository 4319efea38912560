/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses as people write them, and a listener on loopback. */
#include "tool/tcp_listen.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/loop.h"

static const struct {
	const char *address, *host, *port; /* host NULL: refused, port is the sentence */
} addresses[] = {
	{ "9001", "127.0.0.1", "9001" },
	{ "0", "127.0.0.1", "0" },
	{ "127.0.0.1:0", "127.0.0.1", "0" },
	{ "localhost:65535", "localhost", "65535" },
	{ "[::1]:80", "::1", "80" },
	{ "0.0.0.0:80", "0.0.0.0", "80" },
	{ "", NULL, "\"\": expected ADDRESS:PORT with a port of 0 to 65535" },
	{ "localhost", NULL, "\"localhost\": expected ADDRESS:PORT with a port of 0 to 65535" },
	{ "localhost:", NULL, "\"localhost:\": expected ADDRESS:PORT with a port of 0 to 65535" },
	{ "x:65536", NULL, "\"x:65536\": expected ADDRESS:PORT with a port of 0 to 65535" },
	{ "x:-1", NULL, "\"x:-1\": expected ADDRESS:PORT with a port of 0 to 65535" },
	{ ":9001", NULL, "\":9001\": the address is missing (all of them: 0.0.0.0 or [::])" },
	{ "::1:80", NULL, "\"::1:80\": put an IPv6 address in brackets: [::1]:9001" },
	{ "\x1b:x", NULL, "\"\\x1b:x\": expected ADDRESS:PORT with a port of 0 to 65535" },
};

static void test_addresses(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(addresses) / sizeof(*addresses); i++) {
		char *host = NULL, *port = NULL;
		struct error err = ERROR_INIT;

		if (!tcp_address_parse(addresses[i].address, &host, &port, &err)) {
			assert_null(addresses[i].host);
			assert_int_equal(err.code, ERR_INVALID_OPTION);
			assert_string_equal(err.text, addresses[i].port);
			continue;
		}
		assert_non_null(addresses[i].host);
		assert_string_equal(host, addresses[i].host);
		assert_string_equal(port, addresses[i].port);
		free(host);
		free(port);
	}
}

struct accepted {
	struct loop *loop;
	int fd;
};

static void on_accept(void *arg, int fd)
{
	struct accepted *a = arg;

	a->fd = fd;
	loop_stop(a->loop);
}

static int connect_to(const char *address)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_memory_equal(address, "127.0.0.1:", 10);
	addr.sin_port = htons((uint16_t)strtol(address + 10, NULL, 10));
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(fd, (const struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

static void test_accepts(void **state)
{
	struct accepted a = { .loop = loop_new(), .fd = -1 };
	struct error err = ERROR_INIT;
	struct tcp_listener *ln = tcp_listener_new(a.loop, "0", &err), *second;
	char *address, byte = 0;
	int fd;

	(void)state;
	assert_non_null(ln);
	address = tcp_listener_address(ln);
	second = tcp_listener_new(a.loop, address, &err);
	assert_null(second);
	assert_int_equal(err.code, ERR_ENDPOINT);
	fd = connect_to(address);
	tcp_listener_start(ln, on_accept, &a);
	loop_run(a.loop);
	assert_true(a.fd >= 0);
	assert_int_equal(write(fd, "x", 1), 1);
	close(fd);
	assert_int_equal(recv(a.fd, &byte, 1, MSG_DONTWAIT), 1);
	assert_int_equal(byte, 'x');
	close(a.fd);
	free(address);
	tcp_listener_free(ln);
	tcp_listener_free(NULL);
	loop_free(a.loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_accepts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
