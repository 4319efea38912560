/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `status` for people. Fields that an answer does not have are left out, so
 * that an older daemon is shown as well. Owns nothing. The trap: error texts
 * and reasons have been escaped by the daemon, header values have not.
 */
#include "cli/print_status.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/print_transport.h"
#include "control/names.h"

#define LABEL_WIDTH 12

static double number_of(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

static const char *string_of(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : "";
}

enum table_mark mark_of_state(const char *state)
{
	static const struct {
		const char *state;
		enum table_mark mark;
	} marks[] = {
		{ "open", MARK_GOOD },	  { "connecting", MARK_BUSY }, { "closing", MARK_BUSY },
		{ "waiting", MARK_BUSY }, { "failed", MARK_BAD },      { "closed", MARK_DIM },
		{ "idle", MARK_DIM },
	};

	for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++)
		if (strcmp(marks[i].state, state) == 0)
			return marks[i].mark;
	return MARK_NONE;
}

/* `1001 "bye"`, NULL if it was never closed. */
static char *text_close(const json_t *bridge)
{
	const json_t *last = json_object_get(bridge, FIELD_LAST_CLOSE);
	mem_auto_str code = text_number(json_object_get(last, FIELD_CODE));
	mem_auto_str reason = text_of(json_object_get(last, FIELD_REASON));
	const char *how = json_is_false(json_object_get(last, FIELD_CLEAN)) ? ", not clean" : "";

	if (!code || strcmp(code, "0") == 0)
		return NULL;
	if (!reason || !*reason)
		return mem_printf("%s%s", code, how);
	return mem_printf("%s \"%s\"%s", code, reason, how);
}

static char *text_error(const json_t *bridge)
{
	const json_t *last = json_object_get(bridge, FIELD_LAST_ERROR);

	return text_of(json_object_get(last, FIELD_MESSAGE));
}

/* Is the error the reason for the present state, or older than the last close? */
static bool error_is_fresh(const json_t *bridge)
{
	double at = number_of(json_object_get(bridge, FIELD_LAST_ERROR), FIELD_AT);
	bool trying = strcmp(string_of(bridge, FIELD_STATE), "connecting") == 0;
	double failed = number_of(bridge, FIELD_ATTEMPTS) - (trying ? 1 : 0);

	return failed > 0 || at + 1 >= number_of(bridge, FIELD_SINCE);
}

/* What it has come to is not the error's work: it is closed as asked for, or tries again. */
static bool error_is_past(const char *state)
{
	return strcmp(state, "connecting") == 0 || strcmp(state, "closed") == 0;
}

static char *text_cause(const json_t *bridge)
{
	char *error = text_error(bridge), *last = text_close(bridge), *cause = NULL;

	if (error && (error_is_fresh(bridge) || !last))
		cause = mem_printf(
			"%s%s", error_is_past(string_of(bridge, FIELD_STATE)) ? "last error: " : "",
			error);
	else if (last)
		cause = mem_printf("closed with %s", last);
	free(error);
	free(last);
	return cause;
}

static bool is_as_meant(const char *state)
{
	return strcmp(state, "open") == 0 || strcmp(state, "closing") == 0 ||
	       strcmp(state, "idle") == 0;
}

char *text_trouble(const json_t *bridge)
{
	const json_t *retry = json_object_get(bridge, FIELD_RETRY_IN);
	mem_auto_str wait = NULL;
	char *cause, *both;

	if (is_as_meant(string_of(bridge, FIELD_STATE)))
		return NULL;
	cause = text_cause(bridge);
	if (!json_is_number(retry) || json_number_value(retry) < 0)
		return cause;
	wait = text_duration(json_number_value(retry));
	both = mem_printf("%s%snext attempt in %s", cause ? cause : "", cause ? "; " : "", wait);
	free(cause);
	return both;
}

static char *text_rtt(const json_t *bridge)
{
	const json_t *rtt = json_object_get(bridge, FIELD_RTT);

	return json_is_number(rtt) && json_number_value(rtt) >= 0 ?
		       text_duration(json_number_value(rtt)) :
		       NULL;
}

static char *text_messages(const json_t *bridge, const char *way)
{
	return text_number(json_object_get(json_object_get(bridge, way), FIELD_MESSAGES));
}

static const struct table_column bridge_columns[] = {
	{ .title = "NAME" },
	{ .title = "STATE" },
	{ .title = "SINCE", .right = true },
	{ .title = "URL", .shrink = true },
	{ .title = "CLIENTS", .right = true },
	{ .title = "RX", .right = true },
	{ .title = "TX", .right = true },
	{ .title = "RTT", .right = true },
};

#define N_BRIDGE_COLUMNS (sizeof(bridge_columns) / sizeof(*bridge_columns))

static void add_bridge(struct table *t, const struct printer *p, const json_t *b)
{
	const char *state = string_of(b, FIELD_STATE);
	size_t clients = json_array_size(json_object_get(b, FIELD_CLIENTS));
	char *trouble = text_trouble(b);

	table_add_take(t, text_of(json_object_get(b, FIELD_NAME)), MARK_NONE);
	table_add_take(t, text_of(json_object_get(b, FIELD_STATE)), mark_of_state(state));
	table_add_take(t, text_age(p, json_object_get(b, FIELD_SINCE)), MARK_NONE);
	table_add_take(t, text_of(json_object_get(b, FIELD_URL)), MARK_NONE);
	table_add_take(t, mem_printf("%zu", clients), MARK_NONE);
	table_add_take(t, text_messages(b, FIELD_RX), MARK_NONE);
	table_add_take(t, text_messages(b, FIELD_TX), MARK_NONE);
	table_add_take(t, text_rtt(b), MARK_NONE);
	if (trouble)
		table_note_take(t, trouble, MARK_DIM);
}

void print_bridges(struct printer *p, const json_t *bridges)
{
	struct table *t = table_new(bridge_columns, N_BRIDGE_COLUMNS);

	for (size_t i = 0; i < json_array_size(bridges); i++)
		add_bridge(t, p, json_array_get(bridges, i));
	if (json_array_size(bridges) > 0)
		table_print(t, p);
	else
		fputs("no bridges\n", p->out);
	table_free(t);
}

/* A labelled line; takes the text, nothing for NULL. */
static void line_take(struct printer *p, const char *label, char *text)
{
	if (text) {
		print_mark(p, MARK_DIM);
		fprintf(p->out, "  %-*s", LABEL_WIDTH, label);
		print_mark_end(p, MARK_DIM);
		fprintf(p->out, " %s\n", text);
	}
	free(text);
}

static void print_state(struct printer *p, const json_t *b)
{
	enum table_mark mark = mark_of_state(string_of(b, FIELD_STATE));
	mem_auto_str name = text_of(json_object_get(b, FIELD_NAME));
	mem_auto_str state = text_of(json_object_get(b, FIELD_STATE));
	mem_auto_str age = text_age(p, json_object_get(b, FIELD_SINCE));

	fprintf(p->out, "%s: ", name ? name : "-");
	print_mark(p, mark);
	fputs(state ? state : "-", p->out);
	print_mark_end(p, mark);
	if (age)
		fprintf(p->out, " for %s", age);
	fputc('\n', p->out);
	line_take(p, "not open", text_trouble(b));
}

static char *text_connection(const json_t *b)
{
	mem_auto_str epoch = text_number(json_object_get(b, FIELD_EPOCH));
	mem_auto_str again = text_number(json_object_get(b, FIELD_RECONNECTS));
	mem_auto_str attempts = text_number(json_object_get(b, FIELD_ATTEMPTS));
	bool any = attempts && strcmp(attempts, "0") != 0;
	bool flaps = json_is_true(json_object_get(b, FIELD_FLAPPING));

	if (!epoch)
		return NULL;
	return mem_printf("%s made, %s reconnects%s%s%s", epoch, again ? again : "0",
			  any ? "; attempts since: " : "", any ? attempts : "",
			  flaps ? "; flapping: they do not stay" : "");
}

static char *text_alive(const json_t *b)
{
	const json_t *last = json_object_get(b, FIELD_LAST_RX);
	mem_auto_str rtt = text_rtt(b);
	mem_auto_str age = NULL;

	if (json_is_number(last) && json_number_value(last) >= 0)
		age = text_duration(json_number_value(last));
	if (!rtt && !age)
		return NULL;
	return mem_printf("%s%s%s%s%s", rtt ? "round trip " : "", rtt ? rtt : "",
			  rtt && age ? ", " : "", age ? age : "",
			  age ? " since the last frame" : "");
}

static char *text_traffic(const json_t *b, const char *way)
{
	mem_auto_str messages = text_messages(b, way);
	mem_auto_str size = text_size(number_of(json_object_get(b, way), FIELD_BYTES));

	return messages ? mem_printf("%s messages, %s", messages, size) : NULL;
}

/* "3 dropped, 1 refused": the counts that are not 0; NULL if all are. */
static char *text_losses(const json_t *object, const char *const *keys)
{
	char *all = NULL;

	for (; *keys; keys++) {
		mem_auto_str n = text_number(json_object_get(object, *keys));
		char *longer;

		if (!n || strcmp(n, "0") == 0)
			continue;
		longer = mem_printf("%s%s%s %s", all ? all : "", all ? ", " : "", n, *keys);
		free(all);
		all = longer;
	}
	return all;
}

/* Bytes whose fate nobody knows, and bytes that were certainly not sent. */
static char *text_unknown(const json_t *b)
{
	static const char *const keys[] = { FIELD_UNACKED, FIELD_UNSENT, NULL };
	mem_auto_str counts = text_losses(b, keys);

	return counts ? mem_printf("%s bytes of ended connections", counts) : NULL;
}

static char *text_outbox(const json_t *b)
{
	static const char *const keys[] = { FIELD_MESSAGES, FIELD_EXPIRED, FIELD_DROPPED,
					    FIELD_REJECTED, NULL };

	return text_losses(json_object_get(b, FIELD_OUTBOX), keys);
}

/* Its own connection, where it has one, and whether it lags. */
static void note_client(struct table *t, const json_t *c)
{
	char *state = text_of(json_object_get(c, FIELD_STATE));

	if (state)
		table_note_take(t, mem_printf("its connection is %s", state), MARK_DIM);
	free(state);
	if (json_is_true(json_object_get(c, FIELD_SLOW)))
		table_note_take(t, mem_strdup("slow"), MARK_BUSY);
}

static void print_clients(struct printer *p, const json_t *clients)
{
	static const struct table_column columns[] = {
		{ .title = "  CLIENT OF", .shrink = true }, { .title = "PID", .right = true },
		{ .title = "UID", .right = true },	    { .title = "SENT", .right = true },
		{ .title = "RECEIVED", .right = true },	    { .title = "QUEUED", .right = true },
		{ .title = "DROPPED", .right = true },
	};
	static const char *const keys[] = { FIELD_PID,	    FIELD_UID,	  FIELD_SENT,
					    FIELD_RECEIVED, FIELD_QUEUED, FIELD_DROPPED };
	struct table *t = table_new(columns, sizeof(columns) / sizeof(*columns));

	for (size_t i = 0; i < json_array_size(clients); i++) {
		const json_t *c = json_array_get(clients, i);
		mem_auto_str endpoint = text_of(json_object_get(c, FIELD_ENDPOINT));

		table_add_take(t, mem_printf("  %s", endpoint ? endpoint : "-"), MARK_NONE);
		for (size_t k = 0; k < sizeof(keys) / sizeof(*keys); k++)
			table_add_take(t, text_number(json_object_get(c, keys[k])), MARK_NONE);
		note_client(t, c);
	}
	if (json_array_size(clients) > 0)
		table_print(t, p);
	table_free(t);
}

static char *text_traced(const json_t *b)
{
	mem_auto_str until = text_moment(json_object_get(b, FIELD_TRACE));

	return until ? mem_printf("in the log of the daemon until %s", until) : NULL;
}

static void print_endpoints(struct printer *p, const json_t *endpoints)
{
	for (size_t i = 0; i < json_array_size(endpoints); i++)
		line_take(p, "endpoint",
			  text_of(json_object_get(json_array_get(endpoints, i), FIELD_ENDPOINT)));
}

void print_bridge(struct printer *p, const json_t *b)
{
	static const char *const losses[] = { FIELD_DROPPED, FIELD_UNHEARD, FIELD_REFUSED, NULL };
	const json_t *handshake = json_object_get(b, FIELD_HANDSHAKE);

	if (!b)
		return;
	print_state(p, b);
	line_take(p, "url", text_of(json_object_get(b, FIELD_URL)));
	line_take(p, "peer", text_of(json_object_get(b, FIELD_PEER)));
	line_take(p, "tls", text_tls(b));
	line_take(p, "certificate", text_certificate(b));
	line_take(p, "expires", text_expiry(p, b));
	line_take(p, "timings", text_timings(b));
	line_take(p, "subprotocol", text_of(json_object_get(b, FIELD_SUBPROTOCOL)));
	line_take(p, "compression", text_compression(b));
	line_take(p, "handshake", text_number(json_object_get(handshake, FIELD_STATUS)));
	line_take(p, "connections", text_connection(b));
	line_take(p, "alive", text_alive(b));
	if (json_is_true(json_object_get(b, FIELD_PAUSED)))
		line_take(p, "paused", mem_strdup("reading waits for a slow client"));
	line_take(p, "received", text_traffic(b, FIELD_RX));
	line_take(p, "sent", text_traffic(b, FIELD_TX));
	line_take(p, "lost", text_losses(b, losses));
	line_take(p, "in flight", text_unknown(b));
	line_take(p, "outbox", text_outbox(b));
	line_take(p, "last close", text_close(b));
	line_take(p, "last error", text_error(b));
	line_take(p, "traced", text_traced(b));
	line_take(p, "source", text_of(json_object_get(b, FIELD_SOURCE)));
	print_endpoints(p, json_object_get(b, FIELD_ENDPOINTS));
	print_clients(p, json_object_get(b, FIELD_CLIENTS));
}
