/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names, addresses and Unix sockets: where a dial leads, what it reports, and with which
 * sentence it fails. getaddrinfo is ours for a few names: a name server that does not answer
 * needs a system of its own. For all others it is the real one.
 */
#include "dial_test.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <sys/un.h>

#include "net/resolve.h"

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool hanging; /* look-ups of hang.test do not come back */
	int asked, family;
} names = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static int hang(void)
{
	pthread_mutex_lock(&names.lock);
	names.asked++;
	pthread_cond_broadcast(&names.changed);
	while (names.hanging)
		pthread_cond_wait(&names.changed, &names.lock);
	pthread_mutex_unlock(&names.lock);
	return EAI_AGAIN;
}

static void release_names(void)
{
	pthread_mutex_lock(&names.lock);
	names.hanging = false;
	pthread_cond_broadcast(&names.changed);
	pthread_mutex_unlock(&names.lock);
}

static int real(const char *host, const char *service, const struct addrinfo *hints,
		struct addrinfo **result)
{
	int (*f)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

	*(void **)&f = dlsym(RTLD_NEXT, "getaddrinfo");
	return f(host, service, hints, result);
}

/* Both loopback addresses, as far as the family goes. */
static int both(const char *service, const struct addrinfo *hints, struct addrinfo **result)
{
	if (hints->ai_family == AF_INET)
		return real("127.0.0.1", service, hints, result);
	if (real("::1", service, hints, result) != 0)
		return EAI_NONAME;
	if (hints->ai_family == AF_UNSPEC)
		return real("127.0.0.1", service, hints, &(*result)->ai_next);
	return 0;
}

int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
		struct addrinfo **result)
{
	if (hints->ai_flags & AI_NUMERICHOST)
		return real(host, service, hints, result);
	if (strcmp(host, "hang.test") == 0)
		return hang();
	if (strcmp(host, "both.test") == 0)
		return both(service, hints, result);
	if (strcmp(host, "family.test") == 0) {
		names.family = hints->ai_family;
		return EAI_NONAME;
	}
	return real(host, service, hints, result);
}

static void test_connects(void **state)
{
	static const char *const hosts[] = { "127.0.0.1", "localhost" };
	struct address a;
	int fd = address_open(&a, "127.0.0.1", 8);

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct dial_params params = { .host = hosts[i],
					      .port = a.port,
					      .connect_timeout = PATIENCE };
		struct attempt t;

		attempt_once(&t, &params);
		assert_non_null(t.stream);
		assert_string_equal(t.report.peer, a.text);
		assert_true(t.report.took[STAGE_RESOLVE] >= 0);
		assert_true(t.report.took[STAGE_CONNECT] >= 0);
		assert_int_equal(t.report.took[STAGE_PROXY], -1);
		assert_int_equal(t.report.took[STAGE_TLS], -1);
		assert_null(t.report.tls);
		assert_string_equal(t.report.tries[t.report.n_tries - 1].address, a.text);
	}
	close(fd);
}

/* The name is the URL's, the place another one: the name is not even looked up. */
static void test_connect_to(void **state)
{
	struct address a;
	int fd = address_open(&a, "127.0.0.1", 8);
	struct dial_params params = { .host = "no-such-host.invalid",
				      .port = 443,
				      .connect_host = "127.0.0.1",
				      .connect_port = a.port };
	struct attempt t;

	(void)state;
	attempt_once(&t, &params);
	assert_non_null(t.stream);
	assert_string_equal(t.report.peer, a.text);
	close(fd);
}

static void test_the_next_attempt_begins_elsewhere(void **state)
{
	struct address four, six;
	int fds[2];

	(void)state;
	if (!have_ipv6())
		skip();
	fds[0] = address_open(&four, "127.0.0.1", 8);
	address_set(&six, "::1", four.port);
	fds[1] = socket_for(&six);
	if (bind(fds[1], (struct sockaddr *)&six.ss, six.len) < 0 || listen(fds[1], 8) < 0)
		skip();
	for (int family = SOCKET_ANY; family <= SOCKET_IPV6; family++) {
		struct attempt t[2];

		for (unsigned i = 0; i < 2; i++) {
			struct dial_params params = { .host = "both.test",
						      .port = four.port,
						      .attempt = i };
			params.socket.family = (enum socket_family)family;
			attempt_once(&t[i], &params);
		}
		if (family == SOCKET_ANY)
			assert_string_equal(t[0].report.peer, six.text);
		if (family == SOCKET_ANY)
			assert_string_equal(t[1].report.peer, four.text);
		else
			assert_string_equal(t[0].report.peer,
					    family == SOCKET_IPV4 ? four.text : six.text);
	}
	close(fds[0]);
	close(fds[1]);
}

/* A name server that chokes on AAAA does not hurt who wants IPv4 only. */
static void test_only_the_family_is_asked_for(void **state)
{
	static const struct {
		struct socket_params socket;
		int family;
	} rows[] = {
		{ { .family = SOCKET_ANY }, AF_UNSPEC },
		{ { .family = SOCKET_IPV4 }, AF_INET },
		{ { .family = SOCKET_IPV6 }, AF_INET6 },
		{ { .bind_address = "127.0.0.1" }, AF_INET },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dial_params params = { .host = "family.test", .socket = rows[i].socket };
		struct attempt t;

		names.family = -1;
		attempt_once(&t, &params);
		assert_int_equal(names.family, rows[i].family);
		assert_string_equal(t.err.text, "resolve family.test: Name or service not known");
	}
}

static void check_failure(const struct dial_params *params, enum err code, enum stage stage,
			  const char *text)
{
	size_t fds = count_fds();
	struct attempt t;

	attempt_once(&t, params);
	assert_null(t.stream);
	assert_string_equal(t.err.text, text);
	assert_int_equal(t.err.code, code);
	assert_int_equal(t.err.stage, stage);
	assert_string_equal(t.report.peer, "");
	assert_int_equal(count_fds(), fds);
}

static void test_refused(void **state)
{
	struct address a;
	int fd = address_open(&a, "127.0.0.1", -1);
	struct dial_params params = { .host = "127.0.0.1", .port = a.port };
	char text[160];

	(void)state;
	snprintf(text, sizeof(text), "connect to %s: Connection refused", a.text);
	check_failure(&params, ERR_CONNECT, STAGE_CONNECT, text);
	close(fd);
}

static void test_blackhole(void **state)
{
	struct blackhole b;
	struct dial_params params = { .host = "127.0.0.1", .connect_timeout = 150000 };
	char text[160];

	(void)state;
	blackhole_open(&b, "127.0.0.1");
	params.port = b.at.port;
	snprintf(text, sizeof(text), "connect to %s: Connection timed out", b.at.text);
	check_failure(&params, ERR_CONNECT, STAGE_CONNECT, text);
	blackhole_close(&b);
}

static void test_refused_option(void **state)
{
	struct dial_params params = { .host = "127.0.0.1",
				      .port = 9,
				      .socket = { .bind_device = "no-such-dev0" } };

	(void)state;
	check_failure(&params, ERR_CONNECT, STAGE_CONNECT,
		      "connect to 127.0.0.1:9: option socket.bind_device: No such device");
}

static void test_unknown_name(void **state)
{
	struct dial_params params = { .host = "no-such-host.invalid", .port = 80 };
	struct attempt t;

	(void)state;
	attempt_once(&t, &params);
	assert_null(t.stream);
	assert_int_equal(t.err.code, ERR_ADDRESS);
	assert_int_equal(t.err.stage, STAGE_RESOLVE);
	assert_memory_equal(t.err.text, "resolve no-such-host.invalid: ", 30);
	assert_int_equal(t.report.took[STAGE_CONNECT], -1);
}

static void test_a_name_server_that_does_not_answer(void **state)
{
	struct dial_params params = { .host = "hang.test", .resolve_timeout = 200000 };
	struct attempt t;

	(void)state;
	names.hanging = true;
	attempt_once(&t, &params);
	assert_string_equal(t.err.text, "resolve hang.test: no answer within 0.2 s");
	assert_int_equal(t.err.code, ERR_ADDRESS);
	assert_int_equal(t.err.os, ETIMEDOUT);
	assert_int_equal(t.err.stage, STAGE_RESOLVE);
	assert_true(t.report.took[STAGE_RESOLVE] >= 200000);
	assert_true(t.report.took[STAGE_RESOLVE] < 2000000);
	release_names();
}

static void unix_name(struct sockaddr_un *addr, const struct temp_dir *dir)
{
	*addr = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf(addr->sun_path, sizeof(addr->sun_path), "%s/s", dir->path);
}

static void test_unix(void **state)
{
	static const char *const created[] = { "s", NULL };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), other;
	struct dial_params params = { .host = "localhost", .port = 80 };
	struct sockaddr_un addr;
	struct temp_dir dir;
	struct attempt t;
	char text[160];

	(void)state;
	temp_dir_make(&dir);
	unix_name(&addr, &dir);
	params.unix_path = addr.sun_path;
	snprintf(text, sizeof(text), "connect to unix:%s: No such file or directory",
		 addr.sun_path);
	check_failure(&params, ERR_CONNECT, STAGE_CONNECT, text);

	assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	snprintf(text, sizeof(text), "connect to unix:%s: Connection refused", addr.sun_path);
	check_failure(&params, ERR_CONNECT, STAGE_CONNECT, text);

	assert_int_equal(listen(fd, 0), 0);
	attempt_run(&t, &params);
	assert_non_null(t.stream);
	snprintf(text, sizeof(text), "unix:%s", addr.sun_path);
	assert_string_equal(t.report.peer, text);
	assert_int_equal(t.report.n_tries, 1);
	assert_int_equal(t.report.tries[0].os, 0);
	assert_int_equal(t.report.took[STAGE_RESOLVE], -1);

	/* That one is still in the queue, and there is room for no other. */
	snprintf(text, sizeof(text), "connect to unix:%s: busy, its backlog is full",
		 addr.sun_path);
	check_failure(&params, ERR_CONNECT, STAGE_CONNECT, text);
	other = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	assert_true(other >= 0);
	attempt_end(&t);
	close(other);
	close(fd);
	temp_dir_remove(&dir, created);
}

static void test_unix_path_too_long(void **state)
{
	struct dial_params params = { .host = "localhost" };
	char path[109], text[200];

	(void)state;
	memset(path, 'a', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	params.unix_path = path;
	snprintf(text, sizeof(text), "connect to unix:%s: File name too long", path);
	check_failure(&params, ERR_CONNECT, STAGE_CONNECT, text);
}

static bool time_is_up(void *arg)
{
	(void)arg;
	return false;
}

static void test_cancelled_dials_say_nothing(void **state)
{
	static const char *const hosts[] = { "127.0.0.1", "localhost", "no-such-host.invalid" };
	struct address a;
	int fd = address_open(&a, "127.0.0.1", 64);

	(void)state;
	for (int i = 0; i < 30; i++) {
		struct dial_params params = { .host = hosts[i % 3], .port = a.port };
		struct attempt t;
		bool before;

		if (i % 5 == 0)
			params.unix_path = "/nonexistent/socket";
		attempt_begin(&t, &params);
		if (i % 2) /* some have got far by then, some are over, some have not begun */
			turn_until(t.loop, time_is_up, NULL, (int64_t)i * 50);
		before = t.done;
		if (!before)
			dial_cancel(t.dial);
		turn_until(t.loop, time_is_up, NULL, 2000);
		assert_int_equal(t.done, before);
		t.done = true;
		attempt_end(&t);
	}
	dial_cancel(NULL);
	close(fd);
}

static int resolved;

static void on_resolved(void *arg, struct addrinfo *list, const struct error *err)
{
	(void)arg;
	(void)err;
	if (list)
		freeaddrinfo(list);
	resolved++;
}

static bool all_resolved(void *arg)
{
	return resolved == *(int *)arg;
}

static void test_many_names_through_few_threads(void **state)
{
	struct loop *l = loop_new();
	struct resolver *r = resolver_new(l);
	int n = 200;

	(void)state;
	resolved = 0;
	for (int i = 0; i < n; i++) {
		struct resolve_query query = { .host = i % 2 ? "localhost" : "127.0.0.1",
					       .port = 80 };

		assert_non_null(resolve_start(r, &query, on_resolved, NULL));
	}
	assert_true(turn_until(l, all_resolved, &n, PATIENCE));
	resolver_free(r);
	loop_free(l);
}

static bool four_are_stuck(void *arg)
{
	int asked;

	(void)arg;
	pthread_mutex_lock(&names.lock);
	asked = names.asked;
	pthread_mutex_unlock(&names.lock);
	return asked == 4;
}

/* Dead names fill the four threads; addresses that need no name server go on all the same. */
static void test_four_dead_names_do_not_stop_literals(void **state)
{
	struct dial_params dead = { .host = "hang.test" };
	struct attempt stuck[6], t;
	struct address a;
	int fd = address_open(&a, "127.0.0.1", 8);
	struct dial_params alive = { .host = "127.0.0.1", .port = a.port };

	(void)state;
	names.hanging = true;
	names.asked = 0;
	attempt_begin(&stuck[0], &dead);
	for (int i = 1; i < 6; i++) {
		stuck[i] = stuck[0];
		stuck[i].dial = dial_start(stuck[0].dialer, &dead, on_dialed, &stuck[i]);
	}
	assert_true(turn_until(stuck[0].loop, four_are_stuck, NULL, PATIENCE));
	turn_until(stuck[0].loop, time_is_up, NULL, 50000);
	assert_true(four_are_stuck(NULL));
	t = stuck[0];
	t.dial = dial_start(stuck[0].dialer, &alive, on_dialed, &t);
	assert_true(turn_until(t.loop, attempt_is_done, &t, PATIENCE));
	assert_non_null(t.stream);
	stream_free(t.stream);
	for (int i = 1; i < 6; i++)
		dial_cancel(stuck[i].dial);
	attempt_end(&stuck[0]);
	release_names();
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_connects),
		cmocka_unit_test(test_connect_to),
		cmocka_unit_test(test_the_next_attempt_begins_elsewhere),
		cmocka_unit_test(test_only_the_family_is_asked_for),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_blackhole),
		cmocka_unit_test(test_refused_option),
		cmocka_unit_test(test_unknown_name),
		cmocka_unit_test(test_a_name_server_that_does_not_answer),
		cmocka_unit_test(test_unix),
		cmocka_unit_test(test_unix_path_too_long),
		cmocka_unit_test(test_cancelled_dials_say_nothing),
		cmocka_unit_test(test_many_names_through_few_threads),
		cmocka_unit_test(test_four_dead_names_do_not_stop_literals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
