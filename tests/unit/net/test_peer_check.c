/* SPDX-License-Identifier: Apache-2.0 */
/* Who may connect: users and groups by name and number, supplementary groups, everybody else. */
#include "net_test.h"

#include <grp.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "net/listen.h"
#include "net/peer_check.h"

#define MANY_GROUPS 200

struct row {
	const char *user, *group; /* of the list; NULL = none */
	uid_t uid;
	gid_t gid;
	bool allowed;
};

static void test_users_and_primary_groups(void **state)
{
	static const struct row rows[] = {
		{ .uid = 4242, .gid = 4243, .allowed = true },
		{ .user = "4242", .uid = 4242, .gid = 1, .allowed = true },
		{ .user = "4242", .uid = 4243, .gid = 4242 },
		{ .group = "4243", .uid = 1, .gid = 4243, .allowed = true },
		{ .group = "4243", .uid = 4243, .gid = 1 },
		{ .user = "4242", .group = "4243", .uid = 4242, .gid = 1, .allowed = true },
		{ .user = "4242", .group = "4243", .uid = 1, .gid = 4243, .allowed = true },
		{ .user = "4242", .group = "4243", .uid = 0, .gid = 0 },
		{ .user = "root", .uid = 0, .gid = 1, .allowed = true },
		{ .user = "root", .uid = 1, .gid = 0 },
		{ .group = "root", .uid = 1, .gid = 0, .allowed = true },
		{ .user = "4294967294", .uid = 4294967294U, .gid = 1, .allowed = true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char *user = (char *)(uintptr_t)rows[i].user;
		char *group = (char *)(uintptr_t)rows[i].group;
		const struct peer_names names = { .users = &user,
						  .n_users = user != NULL,
						  .groups = &group,
						  .n_groups = group != NULL };
		struct peer_cred peer = { .uid = rows[i].uid, .gid = rows[i].gid };
		struct peer_check check;
		struct error err;

		assert_true(peer_check_init(&check, &names, &err));
		if (peer_check_allows(&check, &peer, -1) != rows[i].allowed)
			fail_msg("row %zu", i);
		peer_check_deinit(&check);
		peer_check_deinit(&check);
	}
}

static void test_names_that_mean_nobody(void **state)
{
	static const char *const wrong[] = {
		"",   "nobody at all",	      "-1", "4294967295", "4294967296", "12x", " 1",
		"+1", "99999999999999999999",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		char *list[] = { (char *)(uintptr_t) "0", (char *)(uintptr_t)wrong[i] };
		const struct peer_names users = { .users = list, .n_users = 2 };
		const struct peer_names groups = { .groups = list, .n_groups = 2 };
		struct peer_check check;
		struct error err;
		char text[80];

		assert_false(peer_check_init(&check, &users, &err));
		assert_int_equal(err.code, ERR_ENDPOINT);
		snprintf(text, sizeof(text), "there is no user \"%s\"", wrong[i]);
		assert_string_equal(err.text, text);
		assert_false(peer_check_init(&check, &groups, &err));
		snprintf(text, sizeof(text), "there is no group \"%s\"", wrong[i]);
		assert_string_equal(err.text, text);
	}
}

/* SO_PEERGROUPS of a socket pair are those of the process that made it. */
static int look_as(size_t n_groups, gid_t last, const struct peer_check *check)
{
	const struct peer_cred peer = { .uid = 4242, .gid = 4242 };
	gid_t groups[MANY_GROUPS];
	int fds[2];

	for (size_t i = 0; i < n_groups; i++)
		groups[i] = (gid_t)(10000 + i);
	groups[n_groups - 1] = last;
	if (setgroups(n_groups, groups) < 0 || setgid(4242) < 0 || setuid(4242) < 0)
		return 2;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return 3;
	return peer_check_allows(check, &peer, fds[0]) ? 1 : 0;
}

static void test_supplementary_groups(void **state)
{
	static const struct {
		size_t n;
		gid_t last;
		int allowed;
	} rows[] = {
		{ 1, 77, 1 },		{ 1, 78, 0 },		{ 60, 77, 1 },
		{ MANY_GROUPS, 77, 1 }, { MANY_GROUPS, 78, 0 },
	};
	char *group = (char *)(uintptr_t) "77";
	const struct peer_names names = { .groups = &group, .n_groups = 1 };
	struct peer_check check;
	struct error err;

	(void)state;
	if (geteuid() != 0)
		skip(); /* nobody else may choose groups */
	assert_true(peer_check_init(&check, &names, &err));
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		pid_t child = fork();
		int status;

		assert_true(child >= 0);
		if (child == 0)
			_exit(look_as(rows[i].n, rows[i].last, &check));
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), rows[i].allowed);
	}
	peer_check_deinit(&check);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_users_and_primary_groups),
		cmocka_unit_test(test_names_that_mean_nobody),
		cmocka_unit_test(test_supplementary_groups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
