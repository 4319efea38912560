/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The option table of one endpoint, with the two types that only it has. A new
 * option is one row here, one paragraph in wsbridge.json(5) and, if it does
 * not fit every endpoint, one line in endpoint_check.c. The trap: send_as has
 * another default for raw, which endpoint_conf.c puts in.
 */
#include <string.h>

#include "base/mem.h"
#include "conf/bridge_int.h"

#define CLIENTS_MAX 4096
#define QUEUE_MIN 1024
#define QUEUE_MAX (1024.0 * 1024 * 1024)
#define REPLAY_MAX 10000
#define ACCOUNTS_MAX 64
#define DAY 86400.0

#define AT(member)                                     \
	.part = offsetof(struct endpoint_conf, rules), \
	.offset = offsetof(struct endpoint_rules, member)
#define COUNT(member) .count_offset = offsetof(struct endpoint_rules, member)
#define AT_OWN(member) .offset = offsetof(struct endpoint_conf, member)
#define NAMES(...)                \
	(const char *const[])     \
	{                         \
		__VA_ARGS__, NULL \
	}

static bool delimiter_set(const struct schema_row *row, void *store, const json_t *v,
			  const char *path, struct schema_report *r)
{
	const char *text = json_string_value(v);

	if (!text)
		return schema_error_type(r, path, "\"\\n\" or \"\\u0000\"", v);
	if (json_string_length(v) != 1 || (text[0] != '\n' && text[0] != '\0'))
		return schema_error(r, path, "expected \"\\n\" or \"\\u0000\"");
	*(unsigned *)schema_slot(store, row->offset) = (unsigned char)text[0];
	return true;
}

static bool unsigned_equal(const struct schema_row *row, const void *a, const void *b)
{
	const unsigned *x = schema_slot_const(a, row->offset);
	const unsigned *y = schema_slot_const(b, row->offset);

	return *x == *y;
}

static void release_nothing(const struct schema_row *row, void *store)
{
	(void)row;
	(void)store;
}

static json_t *delimiter_json_schema(const struct schema_row *row)
{
	(void)row;
	return json_pack("{s:[s,s%]}", "enum", "\n", "\0", (size_t)1);
}

const struct schema_custom conf_delimiter_type = {
	.set = delimiter_set,
	.equal = unsigned_equal,
	.release = release_nothing,
	.json_schema = delimiter_json_schema,
};

/* Bit i of enum conf_events. */
static const char *const event_names[] = { "open", "close", "ping", "pong",
					   "gap",  "error", "ack",  NULL };

static unsigned event_bit(const json_t *v, const char *path, struct schema_report *r)
{
	mem_auto_str list = schema_list_names(event_names);
	const char *name = json_string_value(v), *near;

	if (!name) {
		schema_error_type(r, path, list, v);
		return 0;
	}
	for (unsigned i = 0; event_names[i]; i++)
		if (strcmp(name, event_names[i]) == 0)
			return 1u << i;
	near = schema_nearest(name, event_names);
	if (near)
		schema_error(r, path, "expected %s; did you mean \"%s\"?", list, near);
	else
		schema_error(r, path, "expected %s", list);
	return 0;
}

static bool events_set(const struct schema_row *row, void *store, const json_t *v, const char *path,
		       struct schema_report *r)
{
	size_t before = r->n;
	unsigned events = 0;

	if (!json_is_array(v))
		return schema_error_type(r, path, "a list of strings", v);
	for (size_t i = 0; i < json_array_size(v); i++) {
		mem_auto_str at = schema_path_index(path, i);
		unsigned bit = event_bit(json_array_get(v, i), at, r);

		if (events & bit)
			schema_error(r, at, "is in the list already");
		events |= bit;
	}
	if (r->n != before)
		return false;
	*(unsigned *)schema_slot(store, row->offset) = events;
	return true;
}

static json_t *events_json_schema(const struct schema_row *row)
{
	json_t *names = json_array();

	(void)row;
	for (size_t i = 0; event_names[i]; i++)
		json_array_append_new(names, json_string(event_names[i]));
	return json_pack("{s:s,s:b,s:{s:o}}", "type", "array", "uniqueItems", 1, "items", "enum",
			 names);
}

const struct schema_custom conf_events_type = {
	.set = events_set,
	.equal = unsigned_equal,
	.release = release_nothing,
	.json_schema = events_json_schema,
	.list = true,
};

static const struct schema_row rows[] = {
	{ .name = "unix",
	  .type = OPT_STRING,
	  AT_OWN(unix_path),
	  .check = conf_check_socket,
	  .help = "Socket that local clients connect to: absolute path, @NAME or systemd:NAME." },
	{ .name = "fifo.out",
	  .type = OPT_STRING,
	  AT_OWN(fifo_out),
	  .check = conf_check_fifo,
	  .help = "Absolute path of the FIFO that messages are written to." },
	{ .name = "fifo.in",
	  .type = OPT_STRING,
	  AT_OWN(fifo_in),
	  .check = conf_check_fifo,
	  .help = "Absolute path of the FIFO that records are read from." },
	{ .name = "type",
	  .type = OPT_ENUM,
	  AT(type),
	  .value = "stream",
	  .choices = NAMES("stream", "seqpacket"),
	  .help = "Type of the socket; with seqpacket one packet is one message." },
	{ .name = "framing",
	  .type = OPT_ENUM,
	  AT(framing),
	  .value = "lines",
	  .choices = NAMES("lines", "json", "length", "raw"),
	  .help = "How messages look: lines, JSON objects, with their length in front, or bare." },
	{ .name = "delimiter",
	  .type = OPT_CUSTOM,
	  AT(delimiter),
	  .value = "\"\\n\"",
	  .custom = &conf_delimiter_type,
	  .help = "Lines: what ends one, \"\\n\" or \"\\u0000\"." },
	{ .name = "newlines",
	  .type = OPT_ENUM,
	  AT(newlines),
	  .value = "space",
	  .choices = NAMES("space", "escape", "reject"),
	  .help = "Lines: what a delimiter inside a message becomes; reject does not deliver it." },
	{ .name = "binary",
	  .type = OPT_ENUM,
	  AT(binary),
	  .value = "base64",
	  .choices = NAMES("base64", "hex", "drop"),
	  .help = "Lines: how a binary message is shown." },
	{ .name = "send_as",
	  .type = OPT_ENUM,
	  AT(send_as),
	  .value = "text",
	  .choices = NAMES("text", "binary", "base64"),
	  .help = "Lines, raw: what is read becomes; base64 is decoded. For raw binary is "
		  "default." },
	{ .name = "data",
	  .type = OPT_ENUM,
	  AT(data),
	  .value = "string",
	  .choices = NAMES("string", "inline"),
	  .help = "JSON: a text message as a string, or, if it is JSON itself, as that value." },
	{ .name = "events",
	  .type = OPT_CUSTOM,
	  AT(events),
	  .value = "open,close,ping,pong,gap,error,ack",
	  .custom = &conf_events_type,
	  .help = "JSON: what clients are told besides messages." },
	{ .name = "mode",
	  .type = OPT_MODE,
	  AT(mode),
	  .value = "0600",
	  .help = "File mode of the socket, or of a FIFO that is made, as a string in octal." },
	{ .name = "owner",
	  .type = OPT_STRING,
	  AT(owner),
	  .check = conf_check_account,
	  .help = "User that the socket or FIFO belongs to, by name or number." },
	{ .name = "group",
	  .type = OPT_STRING,
	  AT(group),
	  .check = conf_check_account,
	  .help = "Group that the socket or FIFO belongs to, by name or number." },
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
	{ .name = "access",
	  .type = OPT_ENUM,
	  AT(access),
	  .value = "rw",
	  .choices = NAMES("rw", "r", "w"),
	  .help = "What clients may do: read and write, only read, or only write." },
	{ .name = "max_clients",
	  .type = OPT_INT,
	  AT(max_clients),
	  .value = "64",
	  .min = 1,
	  .max = CLIENTS_MAX,
	  .help = "Local clients at a time." },
	{ .name = "replay",
	  .type = OPT_INT,
	  AT(replay),
	  .value = "0",
	  .min = 0,
	  .max = REPLAY_MAX,
	  .help = "How many of the last messages a client that attaches gets first." },
	{ .name = "queue",
	  .type = OPT_SIZE,
	  AT(queue),
	  .value = "1M",
	  .min = QUEUE_MIN,
	  .max = QUEUE_MAX,
	  .help = "Bytes that may wait for one slow client." },
	{ .name = "overflow",
	  .type = OPT_ENUM,
	  AT(overflow),
	  .value = "drop-oldest",
	  .choices = NAMES("drop-oldest", "drop-newest", "disconnect", "block"),
	  .help = "What happens to whole messages when a client's queue is full." },
	{ .name = "block_timeout",
	  .type = OPT_DURATION,
	  AT(block_timeout),
	  .value = "30s",
	  .min = 0.01,
	  .max = DAY,
	  .help = "With block: how long a full client may hold up the others." },
};

static const struct schema_part part = {
	.pointer = offsetof(struct endpoint_conf, rules),
	.size = sizeof(struct endpoint_rules),
};

const struct schema endpoint_schema = {
	.what = "endpoint",
	.rows = rows,
	.n_rows = sizeof(rows) / sizeof(*rows),
	.size = sizeof(struct endpoint_conf),
	.parts = &part,
	.n_parts = 1,
};
