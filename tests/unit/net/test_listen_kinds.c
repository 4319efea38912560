/* SPDX-License-Identifier: Apache-2.0 */
/* Listeners that are no stream socket at a path, and those that do not let everybody in. */
#include "net_test.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/mem.h"
#include "net/listen.h"

struct hall {
	struct loop *loop;
	struct temp_dir dir;
	char path[96];
	char abstract[96];
	int accepted;
	unsigned n_refused;
	struct peer_cred refused;
};

static int set_up(void **state)
{
	struct hall *h = calloc(1, sizeof(*h));

	assert_non_null(h);
	h->loop = loop_new();
	temp_dir_make(&h->dir);
	snprintf(h->path, sizeof(h->path), "%s/s", h->dir.path);
	snprintf(h->abstract, sizeof(h->abstract), "@%s", h->dir.path + 1);
	h->accepted = -1;
	*state = h;
	return 0;
}

static int tear_down(void **state)
{
	static const char *const names[] = { "s", "s.lock", NULL };
	struct hall *h = *state;

	if (h->accepted >= 0)
		close(h->accepted);
	loop_free(h->loop);
	temp_dir_remove(&h->dir, names);
	free(h);
	return 0;
}

static void on_accept(void *arg, int fd, const struct peer_cred *peer)
{
	struct hall *h = arg;

	(void)peer;
	if (h->accepted >= 0)
		close(h->accepted);
	h->accepted = fd;
}

static void on_refused(void *arg, const struct peer_cred *peer)
{
	struct hall *h = arg;

	h->n_refused++;
	h->refused = *peer;
}

static bool has_accepted(void *arg)
{
	return ((struct hall *)arg)->accepted >= 0;
}

static bool has_refused(void *arg)
{
	return ((struct hall *)arg)->n_refused > 0;
}

static socklen_t address_of(const char *path, struct sockaddr_un *addr)
{
	*addr = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf(addr->sun_path, sizeof(addr->sun_path), "%s", path);
	if (path[0] != '@')
		return sizeof(*addr);
	addr->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
}

static int connect_to(const char *path, int type)
{
	struct sockaddr_un addr;
	socklen_t len = address_of(path, &addr);
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	if (connect(fd, (struct sockaddr *)&addr, len) == 0)
		return fd;
	close(fd);
	return -1;
}

static int bind_by_hand(const char *path, int type, bool listening)
{
	struct sockaddr_un addr;
	socklen_t len = address_of(path, &addr);
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&addr, len), 0);
	if (listening)
		assert_int_equal(listen(fd, 4), 0);
	return fd;
}

static struct listener *serve(struct hall *h, const struct listener_params *params)
{
	struct error err = ERROR_INIT;
	struct listener *ln = listener_new(h->loop, params, &err);

	if (!ln)
		fail_msg("%s", err.text);
	listener_on_refused(ln, on_refused, h);
	listener_start(ln, on_accept, h);
	return ln;
}

static void assert_serves(struct hall *h, const char *path, int type)
{
	int fd = connect_to(path, type);

	assert_true(fd >= 0);
	assert_true(turn_until(h->loop, has_accepted, h, PATIENCE));
	close(fd);
	close(h->accepted);
	h->accepted = -1;
}

static void assert_error(struct hall *h, const struct listener_params *params, int os,
			 const char *text)
{
	struct error err = ERROR_INIT;

	assert_null(listener_new(h->loop, params, &err));
	assert_int_equal(err.code, ERR_ENDPOINT);
	assert_int_equal(err.os, os);
	assert_string_equal(err.text, text);
}

static void test_seqpacket(void **state)
{
	struct hall *h = *state;
	const struct listener_params params = { .path = h->path, .seqpacket = true, .mode = 0600 };
	struct listener *ln = serve(h, &params);
	char bytes[16];
	int fd = connect_to(h->path, SOCK_SEQPACKET);

	assert_true(fd >= 0);
	assert_int_equal(connect_to(h->path, SOCK_STREAM), -1);
	assert_true(turn_until(h->loop, has_accepted, h, PATIENCE));
	assert_int_equal(send(fd, "one", 3, 0), 3);
	assert_int_equal(send(fd, "two", 3, 0), 3);
	assert_int_equal(recv(h->accepted, bytes, sizeof(bytes), 0), 3);
	close(fd);
	listener_free(ln);
	assert_int_equal(access(h->path, F_OK), -1);
}

static void test_a_live_one_of_the_other_type_stays(void **state)
{
	struct hall *h = *state;
	const struct listener_params params = { .path = h->path, .seqpacket = true, .mode = 0600 };
	int fd = bind_by_hand(h->path, SOCK_STREAM, true);
	mem_auto_str text = mem_printf("%s is served by another process", h->path);

	assert_error(h, &params, EADDRINUSE, text);
	close(fd);
	listener_free(serve(h, &params)); /* dead now: replaced */
}

static void test_an_abstract_name(void **state)
{
	struct hall *h = *state;
	const struct listener_params params = { .path = h->abstract };
	struct listener *ln = serve(h, &params);
	mem_auto_str text = mem_printf("%s is served by another process", h->abstract);
	mem_auto_str lock = mem_printf("%s.lock", h->abstract);

	assert_error(h, &params, EADDRINUSE, text);
	assert_serves(h, h->abstract, SOCK_STREAM);
	assert_int_equal(access(h->abstract, F_OK), -1);
	assert_int_equal(access(lock, F_OK), -1);
	listener_stop(ln);
	assert_int_equal(connect_to(h->abstract, SOCK_STREAM), -1);
	listener_free(ln);
	listener_free(serve(h, &params));
}

static void test_what_was_handed_down(void **state)
{
	struct hall *h = *state;
	const struct listener_params params = { .path = "systemd:feed" };
	int fd = bind_by_hand(h->path, SOCK_STREAM, true), waiting;
	struct listener *ln;

	listener_inherit("feed", fd);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	ln = serve(h, &params);
	assert_error(h, &params, EADDRINUSE, "the inherited socket \"feed\" is in use already");
	assert_serves(h, h->path, SOCK_STREAM);
	listener_free(ln);

	/* The path stays, and who connects meanwhile is served by the next one. */
	assert_int_equal(access(h->path, F_OK), 0);
	waiting = connect_to(h->path, SOCK_STREAM);
	assert_true(waiting >= 0);
	ln = serve(h, &params);
	assert_true(turn_until(h->loop, has_accepted, h, PATIENCE));
	close(waiting);
	listener_free(ln);
}

static void test_what_was_not_handed_down_so(void **state)
{
	struct hall *h = *state;
	struct listener_params params = { .path = "systemd:nothing" };
	int deaf = bind_by_hand(h->path, SOCK_STREAM, false), tcp, packets, file;

	tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	unlink(h->path);
	packets = bind_by_hand(h->path, SOCK_SEQPACKET, true);
	file = open("/dev/null", O_RDONLY | O_CLOEXEC);
	listener_inherit("deaf", deaf);
	listener_inherit("tcp", tcp);
	listener_inherit("packets", packets);
	listener_inherit("file", file);
	assert_error(h, &params, 0,
		     "no socket named \"nothing\" was handed down by the service manager");
	params.path = "systemd:deaf";
	assert_error(h, &params, 0, "the inherited socket \"deaf\" does not listen");
	params.path = "systemd:tcp";
	assert_error(h, &params, 0, "the inherited socket \"tcp\" is no Unix socket");
	params.path = "systemd:file";
	assert_error(h, &params, 0, "the inherited socket \"file\" is no Unix socket");
	params.path = "systemd:packets";
	assert_error(h, &params, 0,
		     "the inherited socket \"packets\" is not of the type \"stream\"");
	params.seqpacket = true;
	listener_free(serve(h, &params));
	assert_int_equal(access(h->path, F_OK), 0);
}

/* Two of the same name, as a unit with two ListenStream= lines has them. */
static void test_two_of_one_name(void **state)
{
	struct hall *h = *state;
	const struct listener_params params = { .path = "systemd:twice" };
	mem_auto_str other = mem_printf("%s2", h->abstract);
	struct listener *first, *second;

	listener_inherit("twice", bind_by_hand(h->abstract, SOCK_STREAM, true));
	listener_inherit("twice", bind_by_hand(other, SOCK_STREAM, true));
	first = serve(h, &params);
	second = serve(h, &params);
	assert_error(h, &params, EADDRINUSE, "the inherited socket \"twice\" is in use already");
	assert_serves(h, h->abstract, SOCK_STREAM);
	assert_serves(h, other, SOCK_STREAM);
	listener_free(first);
	assert_serves(h, other, SOCK_STREAM);
	listener_free(second);
}

/* Its bytes are there before it is looked at, and come back unread: ECONNRESET says so. */
static void assert_turned_away(struct hall *h, const char *path)
{
	int fd = connect_to(path, SOCK_STREAM);
	char byte;

	assert_true(fd >= 0);
	assert_int_equal(send(fd, "secret", 6, MSG_NOSIGNAL), 6);
	assert_true(turn_until(h->loop, has_refused, h, PATIENCE));
	assert_int_equal(recv(fd, &byte, 1, 0), -1);
	assert_int_equal(errno, ECONNRESET);
	close(fd);
}

static void test_who_is_not_named_is_turned_away(void **state)
{
	struct hall *h = *state;
	mem_auto_str other = mem_printf("%lu", (unsigned long)getuid() + 1);
	struct listener_params params = {
		.path = h->path, .mode = 0600, .allow_users = &other, .n_allow_users = 1
	};
	struct listener *ln = serve(h, &params);

	assert_turned_away(h, h->path);
	assert_int_equal(h->n_refused, 1);
	assert_int_equal(h->refused.pid, getpid());
	assert_int_equal(h->refused.uid, getuid());
	assert_int_equal(h->accepted, -1);
	listener_free(ln);
}

static void test_who_is_named_is_let_in(void **state)
{
	struct hall *h = *state;
	mem_auto_str own = mem_printf("%lu", (unsigned long)getuid());
	mem_auto_str group = mem_printf("%lu", (unsigned long)getgid());
	struct listener_params by_user = { .path = h->abstract,
					   .allow_users = &own,
					   .n_allow_users = 1 };
	struct listener_params by_group = { .path = h->abstract,
					    .allow_groups = &group,
					    .n_allow_groups = 1 };
	struct listener *ln = serve(h, &by_user);

	assert_serves(h, h->abstract, SOCK_STREAM);
	listener_free(ln);
	ln = serve(h, &by_group);
	assert_serves(h, h->abstract, SOCK_STREAM);
	listener_free(ln);
	assert_int_equal(h->n_refused, 0);
}

static void test_an_unknown_name_on_the_list(void **state)
{
	struct hall *h = *state;
	char *name = (char *)(uintptr_t) "nobody we know";
	const struct listener_params params = {
		.path = h->path, .mode = 0600, .allow_users = &name, .n_allow_users = 1
	};
	mem_auto_str text = mem_printf("%s: there is no user \"nobody we know\"", h->path);

	assert_error(h, &params, 0, text);
	assert_int_equal(access(h->path, F_OK), -1);
}

/* A port that was free a moment ago. */
static int free_port(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
	close(fd);
	return ntohs(addr.sin_port);
}

static int connect_to_port(int port)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

/* The place is free again at once, also while a connection of before is there. */
static void test_tcp(void **state)
{
	struct hall *h = *state;
	int port = free_port(), fd;
	mem_auto_str address = mem_printf("127.0.0.1:%d", port);
	mem_auto_str taken = mem_printf("bind %s: Address already in use", address);
	const struct listener_params params = { .path = address, .tcp = true };
	struct listener *ln = serve(h, &params);

	fd = connect_to_port(port);
	assert_true(turn_until(h->loop, has_accepted, h, PATIENCE));
	assert_error(h, &params, EADDRINUSE, taken);
	listener_free(ln);
	ln = serve(h, &params);
	close(fd);
	listener_free(ln);
}

static void test_what_is_no_address(void **state)
{
	static const char *const bad[] = { "1",
					   ":1",
					   "localhost:1",
					   "[::1:1",
					   "::1:1",
					   "[127.0.0.1]:1",
					   "127.0.0.1.2:1",
					   "127.0.0.1:0",
					   "127.0.0.1:65536" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		const struct listener_params params = { .path = bad[i], .tcp = true };
		mem_auto_str text = mem_printf("%s is not ADDRESS:PORT", bad[i]);

		assert_error(*state, &params, 0, text);
	}
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_seqpacket),
		T(test_a_live_one_of_the_other_type_stays),
		T(test_an_abstract_name),
		T(test_what_was_handed_down),
		T(test_what_was_not_handed_down_so),
		T(test_two_of_one_name),
		T(test_who_is_not_named_is_turned_away),
		T(test_who_is_named_is_let_in),
		T(test_an_unknown_name_on_the_list),
		T(test_tcp),
		T(test_what_is_no_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
