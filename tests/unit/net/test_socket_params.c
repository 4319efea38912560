/* SPDX-License-Identifier: Apache-2.0 */
/* Each option as the kernel has it afterwards, and each refusal with the option's name. */
#include "net_peer.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/wait.h>

#include "net/socket_params.h"

static int option_of(int fd, int level, int number)
{
	int value = -1;
	socklen_t len = sizeof(value);

	assert_int_equal(getsockopt(fd, level, number, &value, &len), 0);
	return value;
}

static int open_or_fail(int family, const struct socket_params *p)
{
	struct error err = ERROR_INIT;
	int fd = socket_open(family, p, &err);

	if (fd < 0)
		fail_msg("%s", err.text);
	return fd;
}

static void test_bare(void **state)
{
	struct socket_params p = { 0 };
	int fd = open_or_fail(AF_INET, &p);

	(void)state;
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(option_of(fd, SOL_SOCKET, SO_DOMAIN), AF_INET);
	assert_int_equal(option_of(fd, SOL_SOCKET, SO_TYPE), SOCK_STREAM);
	assert_int_equal(option_of(fd, IPPROTO_TCP, TCP_NODELAY), 0);
	assert_int_equal(option_of(fd, SOL_SOCKET, SO_KEEPALIVE), 0);
	assert_int_equal(option_of(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 0);
	assert_int_equal(option_of(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT), 131072);
	close(fd);
}

static void test_values(void **state)
{
	struct socket_params p = {
		.nodelay = true,
		.user_timeout = 29999500,
		.keepalive = true,
		.keepalive_idle = 15000000,
		.keepalive_interval = 4500000,
		.keepalive_count = 3,
		.rcvbuf = 40000,
		.sndbuf = 50000,
	};
	int fd = open_or_fail(AF_INET, &p);

	(void)state;
	assert_int_equal(option_of(fd, IPPROTO_TCP, TCP_NODELAY), 1);
	assert_int_equal(option_of(fd, IPPROTO_TCP, TCP_USER_TIMEOUT), 30000); /* rounded up */
	assert_int_equal(option_of(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
	assert_int_equal(option_of(fd, IPPROTO_TCP, TCP_KEEPIDLE), 15);
	assert_int_equal(option_of(fd, IPPROTO_TCP, TCP_KEEPINTVL), 5);
	assert_int_equal(option_of(fd, IPPROTO_TCP, TCP_KEEPCNT), 3);
	assert_int_equal(option_of(fd, SOL_SOCKET, SO_RCVBUF), 80000); /* socket(7): doubled */
	assert_int_equal(option_of(fd, SOL_SOCKET, SO_SNDBUF), 100000);
	close(fd);
}

static void test_keepalive_off_sets_nothing(void **state)
{
	struct socket_params none = { 0 }, p = { .keepalive_idle = 15000000, .keepalive_count = 3 };
	int bare = open_or_fail(AF_INET, &none), fd = open_or_fail(AF_INET, &p);

	(void)state;
	assert_int_equal(option_of(fd, SOL_SOCKET, SO_KEEPALIVE), 0);
	assert_int_equal(option_of(fd, IPPROTO_TCP, TCP_KEEPIDLE),
			 option_of(bare, IPPROTO_TCP, TCP_KEEPIDLE));
	close(bare);
	close(fd);
}

static void test_bind_address(void **state)
{
	struct socket_params p = { .bind_address = "127.0.0.2" };
	int fd = open_or_fail(AF_INET, &p);
	struct sockaddr_in own;
	socklen_t len = sizeof(own);

	(void)state;
	assert_int_equal(getsockname(fd, (struct sockaddr *)&own, &len), 0);
	assert_int_equal(own.sin_addr.s_addr, htonl(0x7f000002));
	assert_int_equal(own.sin_port, 0); /* chosen for the destination, in connect */
	close(fd);
}

static void test_bind_device(void **state)
{
	struct socket_params p = { .bind_device = "lo" };
	int fd = open_or_fail(AF_INET, &p);
	char device[16] = "";
	socklen_t len = sizeof(device);

	(void)state;
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, &len), 0);
	assert_string_equal(device, "lo");
	close(fd);
}

struct refusal {
	struct socket_params params;
	const char *option, *text;
	int os;
};

static void check_refusal(const struct refusal *r)
{
	struct error err = ERROR_INIT;
	size_t fds = count_fds();

	assert_int_equal(socket_open(AF_INET, &r->params, &err), -1);
	assert_string_equal(err.text, r->text);
	assert_string_equal(err.option, r->option);
	assert_int_equal(err.code, ERR_CONNECT);
	assert_int_equal(err.stage, STAGE_CONNECT);
	assert_int_equal(err.os, r->os);
	assert_int_equal(count_fds(), fds);
}

static void test_refusals(void **state)
{
	static const struct refusal refusals[] = {
		{ { .user_timeout = INT64_MAX },
		  "socket.user_timeout",
		  "option socket.user_timeout: Numerical result out of range",
		  ERANGE },
		{ { .user_timeout = -5000 },
		  "socket.user_timeout",
		  "option socket.user_timeout: Invalid argument",
		  EINVAL },
		{ { .keepalive = true, .keepalive_idle = (int64_t)40000 * 1000000 },
		  "socket.keepalive.idle",
		  "option socket.keepalive.idle: Invalid argument",
		  EINVAL },
		{ { .keepalive = true, .keepalive_interval = (int64_t)40000 * 1000000 },
		  "socket.keepalive.interval",
		  "option socket.keepalive.interval: Invalid argument",
		  EINVAL },
		{ { .keepalive = true, .keepalive_count = 128 },
		  "socket.keepalive.count",
		  "option socket.keepalive.count: Invalid argument",
		  EINVAL },
		{ { .rcvbuf = INT64_MAX },
		  "socket.rcvbuf",
		  "option socket.rcvbuf: Numerical result out of range",
		  ERANGE },
		{ { .sndbuf = (int64_t)1 << 31 },
		  "socket.sndbuf",
		  "option socket.sndbuf: Numerical result out of range",
		  ERANGE },
		{ { .bind_device = "no-such-dev0" },
		  "socket.bind_device",
		  "option socket.bind_device: No such device",
		  ENODEV },
		{ { .bind_address = "192.0.2.77" },
		  "socket.bind_address",
		  "option socket.bind_address: Cannot assign requested address",
		  EADDRNOTAVAIL },
		{ { .bind_address = "::1" },
		  "socket.bind_address",
		  "::1 is no IPv4 address: option socket.bind_address: "
		  "Address family not supported by protocol",
		  EAFNOSUPPORT },
		{ { .bind_address = "localhost" }, /* literals only: nothing here may block */
		  "socket.bind_address",
		  "localhost is no IPv4 address: option socket.bind_address: "
		  "Address family not supported by protocol",
		  EAFNOSUPPORT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		check_refusal(&refusals[i]);
}

static void test_mark(void **state)
{
	struct socket_params p = { .mark = 0xfffffffe };
	struct error err = ERROR_INIT;
	int fd = socket_open(AF_INET, &p, &err);

	(void)state;
	if (fd < 0 && err.os == EPERM)
		skip(); /* the other test has its sentence */
	assert_true(fd >= 0);
	assert_int_equal((uint32_t)option_of(fd, SOL_SOCKET, SO_MARK), 0xfffffffe);
	close(fd);
}

/* In a process of its own, which is nobody. */
static void test_mark_without_the_right(void **state)
{
	struct socket_params p = { .mark = 7 };
	int status;
	pid_t child = fork();

	(void)state;
	if (child == 0) {
		struct error err = ERROR_INIT;

		if (geteuid() == 0 && setresuid(65534, 65534, 65534) < 0)
			_exit(77);
		if (socket_open(AF_INET, &p, &err) >= 0)
			_exit(1);
		if (strcmp(err.text, "option socket.mark: Operation not permitted") != 0)
			_exit(2);
		_exit(strcmp(err.option, "socket.mark") == 0 ? 0 : 3);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(status, 0);
}

static void test_family(void **state)
{
	static const struct {
		struct socket_params params;
		int family;
	} rows[] = {
		{ { .family = SOCKET_ANY }, AF_UNSPEC },
		{ { .family = SOCKET_IPV4 }, AF_INET },
		{ { .family = SOCKET_IPV6 }, AF_INET6 },
		{ { .bind_address = "192.0.2.1" }, AF_INET },
		{ { .bind_address = "2001:db8::1" }, AF_INET6 },
		{ { .family = SOCKET_IPV4, .bind_address = "::1" }, AF_INET },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(socket_params_family(&rows[i].params), rows[i].family);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bare),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_keepalive_off_sets_nothing),
		cmocka_unit_test(test_bind_address),
		cmocka_unit_test(test_bind_device),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_mark),
		cmocka_unit_test(test_mark_without_the_right),
		cmocka_unit_test(test_family),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
