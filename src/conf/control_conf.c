/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The option table of one control socket. What its options mean is as for an
 * endpoint's socket. The trap: at a reload all rows but `level` are compared,
 * so that a new row makes the socket anew unless it is live.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/bridge_int.h"
#include "conf/main_conf.h"

#define ACCOUNTS_MAX 64

#define AT(member) .offset = offsetof(struct control_conf, member)
#define COUNT(member) .count_offset = offsetof(struct control_conf, member)
#define NAMES(...)                \
	(const char *const[])     \
	{                         \
		__VA_ARGS__, NULL \
	}

static const struct schema_row rows[] = {
	{ .name = "unix",
	  .type = OPT_STRING,
	  .flags = OPT_APART,
	  AT(unix_path),
	  .check = conf_check_socket,
	  .help = "Place other than the default path: absolute path, @NAME or systemd:NAME." },
	{ .name = "mode",
	  .type = OPT_MODE,
	  AT(mode),
	  .value = "0600",
	  .help = "File mode of the socket, as a string in octal." },
	{ .name = "owner",
	  .type = OPT_STRING,
	  AT(owner),
	  .check = conf_check_account,
	  .help = "User that the socket belongs to, by name or number." },
	{ .name = "group",
	  .type = OPT_STRING,
	  AT(group),
	  .check = conf_check_account,
	  .help = "Group that the socket belongs to, by name or number." },
	{ .name = "allow_users",
	  .type = OPT_STRINGS,
	  .flags = OPT_UNIQUE,
	  AT(allow_users),
	  COUNT(n_allow_users),
	  .max = ACCOUNTS_MAX,
	  .check = conf_check_account,
	  .help = "Users that may connect, by name or number." },
	{ .name = "allow_groups",
	  .type = OPT_STRINGS,
	  .flags = OPT_UNIQUE,
	  AT(allow_groups),
	  COUNT(n_allow_groups),
	  .max = ACCOUNTS_MAX,
	  .check = conf_check_account,
	  .help = "Groups whose members may connect, by name or number." },
	{ .name = "level",
	  .type = OPT_ENUM,
	  .flags = OPT_LIVE,
	  AT(level),
	  .value = "admin",
	  .choices = NAMES("read", "send", "admin"),
	  .help = "What its clients may do: look, also send messages, or everything." },
};

const struct schema control_schema = {
	.what = "control socket",
	.rows = rows,
	.n_rows = sizeof(rows) / sizeof(*rows),
	.size = sizeof(struct control_conf),
};

/* A socket that is no file has no owner and no mode. */
static void check_file(const struct control_conf *c, const json_t *v, struct schema_report *report)
{
	static const char *const of_files[] = { "mode", "owner", "group" };

	if (!c->unix_path || c->unix_path[0] == '/')
		return;
	for (size_t i = 0; i < sizeof(of_files) / sizeof(*of_files); i++)
		if (json_object_get(v, of_files[i]))
			schema_error_key(report, of_files[i], "only for a socket at a path");
}

void control_conf_read(struct control_conf *c, const json_t *v, const char *path,
		       struct schema_report *report)
{
	struct schema_under under;

	schema_defaults(&control_schema, c);
	if (!v)
		return;
	schema_under_init(&under, report, path);
	schema_set(&control_schema, c, v, NULL, &under.report);
	check_file(c, v, &under.report);
}

static char *copy_string(const char *text)
{
	return text ? mem_strdup(text) : NULL;
}

static char **copy_strings(char *const *list, size_t n)
{
	char **copy = n ? mem_array(n, sizeof(*copy)) : NULL;

	for (size_t i = 0; i < n; i++)
		copy[i] = mem_strdup(list[i]);
	return copy;
}

void control_conf_copy(struct control_conf *to, const struct control_conf *from)
{
	*to = *from;
	to->unix_path = copy_string(from->unix_path);
	to->owner = copy_string(from->owner);
	to->group = copy_string(from->group);
	to->allow_users = copy_strings(from->allow_users, from->n_allow_users);
	to->allow_groups = copy_strings(from->allow_groups, from->n_allow_groups);
}

void control_conf_deinit(struct control_conf *c)
{
	schema_release(&control_schema, c);
}
