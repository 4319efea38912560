/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon's own options and the list of all bridges. `control`, `defaults`
 * and `bridges` are read here by hand, the rest by the table. The trap: an
 * error in `defaults` is reported there once, not again in every bridge.
 */
#include "conf/main_conf.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/bridge_int.h"
#include "conf/main_int.h"

#define CONTROLS_MAX 16
#define MEBI (1024.0 * 1024)

#define AT(member) .offset = offsetof(struct main_conf, member)
#define NAMES(...)                \
	(const char *const[])     \
	{                         \
		__VA_ARGS__, NULL \
	}

static const struct schema_row main_rows[] = {
	{ .name = "log.level",
	  .type = OPT_ENUM,
	  .flags = OPT_LIVE,
	  AT(log_level),
	  .value = "notice",
	  .choices = NAMES("error", "warning", "notice", "info", "debug"),
	  .help = "What is logged: this and everything graver." },
	{ .name = "log.format",
	  .type = OPT_ENUM,
	  .flags = OPT_LIVE,
	  AT(log_format),
	  .value = "text",
	  .choices = NAMES("text", "json"),
	  .help = "How a log line looks." },
	{ .name = "metrics.unix",
	  .type = OPT_STRING,
	  .flags = OPT_LIVE,
	  AT(metrics.unix_path),
	  .check = conf_check_socket,
	  .help = "Socket on which metrics are served: absolute path, @NAME or systemd:NAME." },
	{ .name = "metrics.listen",
	  .type = OPT_STRING,
	  .flags = OPT_LIVE,
	  AT(metrics.listen),
	  .check = conf_check_loopback,
	  .help = "Loopback address and port on which metrics are served." },
	{ .name = "metrics.mode",
	  .type = OPT_MODE,
	  .flags = OPT_LIVE,
	  AT(metrics.mode),
	  .value = "0600",
	  .help = "File mode of the socket for metrics, as a string in octal." },
	{ .name = "metrics.owner",
	  .type = OPT_STRING,
	  .flags = OPT_LIVE,
	  AT(metrics.owner),
	  .check = conf_check_account,
	  .help = "User that the socket for metrics belongs to, by name or number." },
	{ .name = "metrics.group",
	  .type = OPT_STRING,
	  .flags = OPT_LIVE,
	  AT(metrics.group),
	  .check = conf_check_account,
	  .help = "Group that the socket for metrics belongs to, by name or number." },
	{ .name = "limits.clients",
	  .type = OPT_INT,
	  .flags = OPT_LIVE,
	  AT(limits.clients),
	  .value = "256",
	  .min = 1,
	  .max = 65536,
	  .help = "Local clients of all bridges together." },
	{ .name = "limits.queues",
	  .type = OPT_SIZE,
	  .flags = OPT_LIVE,
	  AT(limits.queues),
	  .value = "64M",
	  .min = 65536,
	  .max = MEBI * MEBI,
	  .help = "Bytes queued for local clients of all bridges together." },
	{ .name = "limits.control_request",
	  .type = OPT_SIZE,
	  .flags = OPT_LIVE,
	  AT(limits.control_request),
	  .value = "1M",
	  .min = 1024,
	  .max = 64 * MEBI,
	  .help = "Longest line on a control socket." },
	{ .name = "limits.control_clients",
	  .type = OPT_INT,
	  .flags = OPT_LIVE,
	  AT(limits.control_clients),
	  .value = "32",
	  .min = 1,
	  .max = 4096,
	  .help = "Connections to the control sockets at a time." },
	{ .name = "limits.control_stall",
	  .type = OPT_DURATION,
	  .flags = OPT_LIVE,
	  AT(limits.control_stall),
	  .value = "30s",
	  .min = 0.1,
	  .max = 3600,
	  .help = "A control client that takes nothing of what waits for it so long is dropped." },
	{ .name = "limits.bridges",
	  .type = OPT_INT,
	  .flags = OPT_LIVE,
	  AT(limits.bridges),
	  .value = "1000",
	  .min = 1,
	  .max = 100000,
	  .help = "Bridges in all." },
	{ .name = "limits.dials_per_second",
	  .type = OPT_INT,
	  .flags = OPT_LIVE,
	  AT(limits.dials_per_second),
	  .value = "20",
	  .min = 0,
	  .max = 100000,
	  .help = "Attempts to connect that begin in a second, of all bridges; 0 is no limit." },
	{ .name = "limits.tls_handshakes",
	  .type = OPT_INT,
	  .flags = OPT_LIVE,
	  AT(limits.tls_handshakes),
	  .value = "10",
	  .min = 0,
	  .max = 100000,
	  .help = "TLS handshakes at a time, of all bridges; 0 is no limit." },
};

const struct schema main_schema = {
	.what = "configuration",
	.rows = main_rows,
	.n_rows = sizeof(main_rows) / sizeof(*main_rows),
	.size = sizeof(struct main_conf),
};

static void add_control(struct main_conf *c, const json_t *v, const char *path,
			struct schema_report *report)
{
	c->controls = mem_grow(c->controls, c->n_controls + 1, sizeof(*c->controls));
	control_conf_read(&c->controls[c->n_controls++], v, path, report);
}

static void read_controls(struct main_conf *c, const json_t *v, struct schema_report *report)
{
	size_t n = json_array_size(v);

	if (!json_is_array(v)) {
		add_control(c, v, "control", report);
		return;
	}
	if (n == 0 || n > CONTROLS_MAX) {
		schema_error(report, "control", "must have 1 to %d control sockets", CONTROLS_MAX);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		mem_auto_str at = schema_path_index("control", i);

		add_control(c, json_array_get(v, i), at, report);
	}
}

static void read_defaults(struct main_conf *c, const json_t *v, struct schema_report *report)
{
	struct schema_under under;

	if (!v)
		return;
	schema_under_init(&under, report, "defaults");
	if (!conf_bridge_check_defaults(v, &under.report))
		return;
	c->defaults = json_deep_copy(v);
}

static void read_bridge(struct main_conf *c, const char *name, const json_t *v,
			const json_t *defaults, struct schema_report *report)
{
	mem_auto_str path = schema_path_key("bridges", name);
	struct schema_under under;
	struct bridge_conf *bridge;

	if (!bridge_name_valid(name)) {
		schema_error_key(report, path, "a bridge's name is 1 to %d of A-Z a-z 0-9 _ . @ -",
				 BRIDGE_NAME_MAX);
		return;
	}
	schema_under_init(&under, report, path);
	bridge = bridge_conf_new(name, defaults, v, &under.report);
	if (!bridge)
		return;
	bridge->from_file = true;
	bridge_conf_share(bridge, c->shared);
	c->bridges[c->n_bridges++] = bridge;
}

/* What is wrong in the defaults has been said: they are left out, but a URL counts as given. */
static json_t *sound_defaults(const struct main_conf *c, const json_t *given)
{
	json_t *sound;

	if (c->defaults)
		return json_incref(c->defaults);
	sound = json_object();
	if (json_object_get(given, "url"))
		json_object_set_new(sound, "url", json_string("ws://localhost/"));
	return sound;
}

static void read_bridges(struct main_conf *c, const json_t *root, struct schema_report *report)
{
	const json_t *v = json_object_get(root, "bridges");
	json_t *defaults, *bridge;
	const char *name;

	if (!v)
		return;
	if (!json_is_object(v)) {
		schema_error_type(report, "bridges", "an object of names and bridges", v);
		return;
	}
	if (json_object_size(v) > (size_t)c->limits.bridges)
		schema_error_key(report, "bridges", "has %zu bridges, limits.bridges allows %lld",
				 json_object_size(v), (long long)c->limits.bridges);
	c->bridges = mem_array(json_object_size(v), sizeof(*c->bridges));
	defaults = sound_defaults(c, json_object_get(root, "defaults"));
	json_object_foreach(schema_walkable(v), name, bridge)
		read_bridge(c, name, bridge, defaults, report);
	json_decref(defaults);
}

static int by_name(const void *a, const void *b)
{
	struct bridge_conf *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

static void read_rest(struct main_conf *c, const json_t *root, struct schema_report *report)
{
	c->has_log_level = json_object_get(json_object_get(root, "log"), "level") != NULL;
	read_controls(c, json_object_get(root, "control"), report);
	read_defaults(c, json_object_get(root, "defaults"), report);
	read_bridges(c, root, report);
	main_conf_check_metrics(c, root, report);
	main_conf_check_paths(c, root, report);
}

struct main_conf *main_conf_new(const json_t *root, struct schema_report *report)
{
	static const char *const by_hand[] = { "control", "defaults", "bridges", NULL };
	struct main_conf *c = mem_alloc(sizeof(*c));
	size_t before = report->n;

	schema_defaults(&main_schema, c);
	c->shared = mem_zalloc(sizeof(*c->shared));
	schema_set(&main_schema, c, root, by_hand, report);
	if (json_is_object(root))
		read_rest(c, root, report);
	if (report->n != before) {
		main_conf_free(c);
		return NULL;
	}
	if (c->n_bridges > 0)
		qsort(c->bridges, c->n_bridges, sizeof(struct bridge_conf *), by_name);
	return c;
}

void main_conf_free(struct main_conf *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n_controls; i++)
		control_conf_deinit(&c->controls[i]);
	for (size_t i = 0; i < c->n_bridges; i++)
		bridge_conf_unref(c->bridges[i]);
	schema_pool_deinit(c->shared);
	free(c->shared);
	free(c->controls);
	free(c->bridges);
	json_decref(c->defaults);
	schema_release(&main_schema, c);
	free(c);
}
