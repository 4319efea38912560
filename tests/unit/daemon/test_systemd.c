/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sockets that a service manager hands down. Each row is a process of its
 * own with the descriptors from 3 on, since there they must be.
 */
#include "daemon/systemd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/listen.h"
#include "net/loop.h"

struct row {
	const char *pid;   /* LISTEN_PID; "" = ours */
	const char *fds;   /* LISTEN_FDS */
	const char *names; /* LISTEN_FDNAMES */
	const char *wanted;
	bool found;
};

enum { FOUND = 20, MISSING, VARIABLE_LEFT, STAYS_OPEN_IN_CHILDREN };

/* Autobind (unix(7)): an abstract name that nobody has. */
static void put_socket_at(int fd)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int made = socket(AF_UNIX, SOCK_STREAM, 0);

	if (bind(made, (struct sockaddr *)&addr, sizeof(sa_family_t)) < 0 || listen(made, 1) < 0)
		_exit(1);
	if (made == fd)
		return;
	if (dup2(made, fd) != fd)
		_exit(1);
	close(made);
}

static void set_variable(const char *name, const char *value)
{
	if (value)
		setenv(name, value, 1);
	else
		unsetenv(name);
}

static int look_for(const struct row *row)
{
	const struct listener_params params = { .path = row->wanted };
	char pid[32];
	struct listener *ln;
	struct error err;
	struct loop *l;

	put_socket_at(3);
	put_socket_at(4);
	snprintf(pid, sizeof(pid), "%ld", (long)getpid());
	set_variable("LISTEN_PID", row->pid && !*row->pid ? pid : row->pid);
	set_variable("LISTEN_FDS", row->fds);
	set_variable("LISTEN_FDNAMES", row->names);
	systemd_take_sockets();
	if (getenv("LISTEN_PID") || getenv("LISTEN_FDS") || getenv("LISTEN_FDNAMES"))
		return VARIABLE_LEFT;
	l = loop_new();
	ln = listener_new(l, &params, &err);
	if (ln && fcntl(3, F_GETFD) != FD_CLOEXEC)
		return STAYS_OPEN_IN_CHILDREN;
	listener_free(ln);
	loop_free(l);
	return ln ? FOUND : MISSING;
}

static void test_by_name(void **state)
{
	static const struct row rows[] = {
		{ "", "2", "a:b", "systemd:a", true },
		{ "", "2", "a:b", "systemd:b", true },
		{ "", "2", "a:b", "systemd:c", false },
		{ "", "2", "a:b", "systemd:a:b", false },
		{ "", "1", "a:b", "systemd:b", false },
		{ "", "2", "a", "systemd:unknown", true },
		{ "", "2", ":b", "systemd:unknown", true },
		{ "", "1", NULL, "systemd:unknown", true },
		{ "", "100000", "a:b", "systemd:b", true },
		{ "", "0", "a:b", "systemd:a", false },
		{ "", "-1", "a:b", "systemd:a", false },
		{ "", "2x", "a:b", "systemd:a", false },
		{ "", NULL, "a:b", "systemd:a", false },
		{ "1", "2", "a:b", "systemd:a", false },
		{ NULL, "2", "a:b", "systemd:a", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		pid_t child = fork();
		int status;

		assert_true(child >= 0);
		if (child == 0)
			_exit(look_for(&rows[i]));
		assert_int_equal(waitpid(child, &status, 0), child);
		if (!WIFEXITED(status) || WEXITSTATUS(status) != (rows[i].found ? FOUND : MISSING))
			fail_msg("row %zu: status %#x", i, (unsigned)status);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
