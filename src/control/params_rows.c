/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parameters of every method as rows: what they are called, their type,
 * limits and sentences. How they are read is in params.c. The trap: one struct
 * holds the parameters of all methods, so two rows may share a field only if
 * no table has both.
 */
#include "control/params_int.h"

#include <stddef.h>
#include <string.h>

#include "control/events.h"
#include "control/names.h"

#define N(rows) (sizeof(rows) / sizeof((rows)[0]))

static json_t *any_json_schema(const struct schema_row *row)
{
	(void)row;
	return json_object();
}

static bool wait_set(const struct schema_row *row, void *store, const json_t *value,
		     const char *path, struct schema_report *report)
{
	struct params *p = store;
	struct schema_row duration = { .name = row->name, .type = OPT_DURATION };
	struct schema plain = { .what = "call", .rows = &duration, .n_rows = 1 };
	json_t *object;
	bool ok;

	if (json_is_boolean(value)) {
		p->wait_once = json_is_true(value);
		p->wait = p->wait_once ? WAIT_DEFAULT : 0;
		return true;
	}
	duration.offset = offsetof(struct params, wait);
	object = json_pack("{s:O}", row->name, value);
	ok = schema_set(&plain, store, object, NULL, report);
	json_decref(object);
	(void)path;
	return ok;
}

static void wait_release(const struct schema_row *row, void *store)
{
	(void)row;
	(void)store;
}

static bool value_set(const struct schema_row *row, void *store, const json_t *value,
		      const char *path, struct schema_report *report)
{
	struct params *p = store;

	(void)row;
	(void)path;
	(void)report;
	json_decref(p->json);
	p->json = json_incref((json_t *)(uintptr_t)value);
	return true;
}

static void value_release(const struct schema_row *row, void *store)
{
	struct params *p = store;

	(void)row;
	json_decref(p->json);
	p->json = NULL;
}

static json_t *wait_json_schema(const struct schema_row *row)
{
	(void)row;
	return json_pack("{s:[s,s,s]}", "type", "boolean", "number", "string");
}

const struct schema_custom params_wait_ops = {
	.set = wait_set,
	.release = wait_release,
	.json_schema = wait_json_schema,
};

static bool match_set(const struct schema_row *row, void *store, const json_t *value,
		      const char *path, struct schema_report *report)
{
	struct params *p = store;

	(void)row;
	return conf_match_read(&p->match, value, path, report);
}

static void match_release(const struct schema_row *row, void *store)
{
	struct params *p = store;

	(void)row;
	conf_match_deinit(&p->match);
}

static json_t *match_json_schema(const struct schema_row *row)
{
	(void)row;
	return conf_match_json_schema();
}

static const struct schema_custom match_ops = {
	.set = match_set,
	.release = match_release,
	.json_schema = match_json_schema,
};

const struct schema_custom params_value_ops = {
	.set = value_set,
	.release = value_release,
	.json_schema = any_json_schema,
};

static const char *const states[] = { "idle",	 "connecting", "open",	 "closing",
				      "waiting", "closed",     "failed", NULL };

static bool check_state(const char *text, struct error *err)
{
	if (params_has_name(states, text))
		return true;
	return error_set(
		err, ERR_INVALID_OPTION,
		"a state is one of idle, connecting, open, closing, waiting, closed, failed");
}

static bool check_name(const char *text, struct error *err)
{
	if (bridge_name_valid(text))
		return true;
	return error_set(err, ERR_INVALID_OPTION,
			 "a bridge's name has 1 to %d of A-Z a-z 0-9 _ . @ -", BRIDGE_NAME_MAX);
}

static bool check_name_or_all(const char *text, struct error *err)
{
	return strcmp(text, EVENTS_OF_ALL) == 0 || check_name(text, err);
}

static bool check_event(const char *text, struct error *err)
{
	if (params_has_name(event_names, text))
		return true;
	return error_set(err, ERR_INVALID_OPTION,
			 "an event is one of state, message, open, close, ping, pong, error");
}

#define ROW(key, kind, field, what, ...)                                                 \
	{                                                                                \
		.name = (key), .type = (kind), .offset = offsetof(struct params, field), \
		.help = (what), __VA_ARGS__                                              \
	}
#define ROW_NAME \
	ROW(PARAM_NAME, OPT_STRING, name, "The bridge.", .flags = OPT_REQUIRED, .check = check_name)
#define ROW_WAIT                                                                              \
	ROW(PARAM_WAIT, OPT_CUSTOM, wait,                                                     \
	    "Answer when it is done: true (one attempt decides, 20s at most) or a duration.", \
	    .custom = &params_wait_ops)
#define ROW_DRY_RUN ROW(PARAM_DRY_RUN, OPT_BOOL, dry_run, "Check everything, change nothing.", )

#define ROW_TIMEOUT(what, ...) \
	ROW(PARAM_TIMEOUT, OPT_DURATION, timeout, what, .flags = OPT_OFF, .max = 86400, __VA_ARGS__)

static const struct schema_row open_rows[] = { ROW_NAME, ROW_WAIT, ROW_DRY_RUN };

static const struct schema_row close_rows[] = {
	ROW_NAME,
	ROW(PARAM_CODE, OPT_INT, code, "The close code for the upstream.", .value = "1000"),
	ROW(PARAM_REASON, OPT_STRING, reason, "The reason for the upstream, at most 123 bytes.", ),
	ROW_WAIT,
	ROW_DRY_RUN,
};

static const struct schema_row send_rows[] = {
	ROW_NAME,
	ROW(PARAM_TEXT, OPT_STRING, text, "A text message.", ),
	ROW(PARAM_JSON, OPT_CUSTOM, json, "A JSON value, sent as a text message.",
	    .custom = &params_value_ops),
	ROW(PARAM_BINARY, OPT_STRING, binary, "A binary message, as Base64.", ),
	ROW(PARAM_PING, OPT_STRING, ping, "A WebSocket ping with this payload.", ),
	ROW(PARAM_PONG, OPT_STRING, pong, "A WebSocket pong with this payload.", ),
	ROW(PARAM_QUEUE, OPT_BOOL, queue, "Put it into the outbox while the bridge is not open.", ),
};

static const struct schema_row request_rows[] = {
	ROW_NAME,
	ROW(PARAM_TEXT, OPT_STRING, text, "A text message.", ),
	ROW(PARAM_JSON, OPT_CUSTOM, json, "A JSON value, sent as a text message.",
	    .custom = &params_value_ops),
	ROW(PARAM_BINARY, OPT_STRING, binary, "A binary message, as Base64.", ),
	ROW(PARAM_MATCH, OPT_CUSTOM, match, "The message that is the answer.",
	    .flags = OPT_REQUIRED, .custom = &match_ops),
	ROW_TIMEOUT("How long the answer may take.", .value = "10s"),
};

static const struct schema_row recv_rows[] = {
	ROW_NAME,
	ROW(PARAM_COUNT, OPT_INT, count, "How many messages.", .value = "1", .min = 1, .max = 1000),
	ROW(PARAM_MATCH, OPT_CUSTOM, match, "Only messages that match.", .custom = &match_ops),
	ROW_TIMEOUT("How long all of it may take.", ),
};

static const struct schema_row wait_rows[] = {
	ROW_NAME,
	ROW(PARAM_STATE, OPT_STRING, state, "The state.", .value = "open", .check = check_state),
	ROW_TIMEOUT("How long it may take.", ),
};

static const struct schema_row ping_rows[] = {
	ROW_NAME,
	ROW_TIMEOUT("How long the pong may take.", .value = "10s"),
};

static const struct schema_row subscribe_rows[] = {
	ROW(PARAM_NAME, OPT_STRING, name, "The bridge, or * for all.", .flags = OPT_REQUIRED,
	    .check = check_name_or_all),
	ROW(PARAM_EVENTS, OPT_STRINGS, events, "Which events; all without it.",
	    .count_offset = offsetof(struct params, n_events), .flags = OPT_UNIQUE,
	    .check = check_event),
	ROW(PARAM_SINCE, OPT_STRING, since, "The cursor of the last event that is known.", ),
};

static const struct schema_row unsubscribe_rows[] = {
	ROW(PARAM_NAME, OPT_STRING, name, "All subscriptions with this name.",
	    .check = check_name_or_all),
	ROW(PARAM_SUBSCRIPTION, OPT_INT, subscription, "The number of the subscription.", ),
};

static const struct schema_row status_rows[] = {
	ROW(PARAM_NAME, OPT_STRING, name, "The bridge; all of them without it.",
	    .check = check_name),
};

static const struct schema_row reconnect_rows[] = { ROW_NAME, ROW_DRY_RUN };
static const struct schema_row explain_rows[] = { ROW_NAME };
static const struct schema_row reload_rows[] = { ROW_DRY_RUN };

static const struct schema_row shutdown_rows[] = {
	ROW(PARAM_TIMEOUT, OPT_DURATION, timeout, "How long the orderly end may take.",
	    .flags = OPT_OFF, .max = 3600),
	ROW_DRY_RUN,
};

static const char *const log_levels[] = { "error", "warning", "notice", "info", "debug", NULL };

static const struct schema_row log_rows[] = {
	ROW(PARAM_LEVEL, OPT_ENUM, log_level, "What is logged: this and everything graver.",
	    .choices = log_levels, .flags = OPT_FROM_1),
	ROW_DRY_RUN,
};

static const struct schema_row trace_rows[] = {
	ROW(PARAM_NAME, OPT_STRING, name, "The bridge.", .check = check_name),
	ROW(PARAM_FOR, OPT_DURATION, how_long, "How long; 10min if it is not given.",
	    .flags = OPT_OFF, .min = 1, .max = 86400),
	ROW_DRY_RUN,
};

const struct params_table params_of_open = { open_rows, N(open_rows), true };
const struct params_table params_of_close = { close_rows, N(close_rows), false };
const struct params_table params_of_send = { send_rows, N(send_rows), false };
const struct params_table params_of_status = { status_rows, N(status_rows), false };
const struct params_table params_of_reconnect = { reconnect_rows, N(reconnect_rows), false };
const struct params_table params_of_explain = { explain_rows, N(explain_rows), false };
const struct params_table params_of_reload = { reload_rows, N(reload_rows), false };
const struct params_table params_of_shutdown = { shutdown_rows, N(shutdown_rows), false };
const struct params_table params_of_request = { request_rows, N(request_rows), false };
const struct params_table params_of_recv = { recv_rows, N(recv_rows), false };
const struct params_table params_of_wait = { wait_rows, N(wait_rows), false };
const struct params_table params_of_ping = { ping_rows, N(ping_rows), false };
const struct params_table params_of_subscribe = { subscribe_rows, N(subscribe_rows), false };
const struct params_table params_of_unsubscribe = { unsubscribe_rows, N(unsubscribe_rows), false };
const struct params_table params_of_log = { log_rows, N(log_rows), false };
const struct params_table params_of_trace = { trace_rows, N(trace_rows), false };
const struct params_table params_of_none = { NULL, 0, false };
