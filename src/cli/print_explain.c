/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `explain` for people: one line for each entry, oldest first. Entries and
 * fields that it does not know are left out. Owns nothing. The trap: messages
 * have been escaped by the daemon.
 */
#include "cli/print_explain.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/print_status.h"
#include "control/names.h"

static const char *string_of(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : "";
}

/* The message, and behind it what is a number of seconds; takes nothing. */
static char *with_duration(const char *message, const char *before, const json_t *seconds)
{
	mem_auto_str duration = NULL;

	if (!json_is_number(seconds))
		return mem_strdup(message);
	duration = text_duration(json_number_value(seconds));
	return mem_printf("%s%s%s%s", message, *message ? "; " : "", before, duration);
}

static char *text_ended(const json_t *e, const char *message)
{
	const json_t *retry = json_object_get(e, FIELD_RETRY_IN);
	mem_auto_str lasted = with_duration(message, "was open for ",
					    json_object_get(e, FIELD_OPEN_FOR));

	if (json_is_null(retry))
		return mem_printf("%s; no further attempt", lasted);
	return with_duration(lasted, "next attempt in ", retry);
}

static char *text_detail(const json_t *e, const char *event)
{
	mem_auto_str message = text_of(json_object_get(e, FIELD_MESSAGE));
	const char *shown = message ? message : "";

	if (strcmp(event, EVENT_ATTEMPT) == 0)
		return text_of(json_object_get(e, FIELD_URL));
	if (strcmp(event, EVENT_OPENED) == 0)
		return with_duration(shown, "took ", json_object_get(e, FIELD_TOOK));
	if (strcmp(event, EVENT_ENDED) == 0)
		return text_ended(e, shown);
	return mem_strdup(shown);
}

static void add_entry(struct table *t, const json_t *e)
{
	const char *event = string_of(e, FIELD_EVENT);
	bool is_state = strcmp(event, EVENT_STATE) == 0;
	enum table_mark mark = is_state ? mark_of_state(string_of(e, FIELD_STATE)) : MARK_NONE;

	table_add_take(t, text_moment(json_object_get(e, FIELD_AT)), MARK_DIM);
	table_add_take(t, text_of(json_object_get(e, is_state ? FIELD_STATE : FIELD_EVENT)), mark);
	table_add_take(t, text_detail(e, event), MARK_NONE);
}

void print_explained(struct printer *p, const json_t *result)
{
	static const struct table_column columns[] = {
		{ .title = "TIME" },
		{ .title = "WHAT" },
		{ .title = "DETAIL", .whole = true },
	};
	const json_t *history = json_object_get(result, FIELD_HISTORY);
	mem_auto_str name = text_of(json_object_get(result, FIELD_NAME));
	mem_auto_str state = text_of(json_object_get(result, FIELD_STATE));
	mem_auto_str traced = text_moment(json_object_get(result, FIELD_TRACE));
	struct table *t;

	fprintf(p->out, "%s: %s\n", name ? name : "-", state ? state : "-");
	if (traced)
		fprintf(p->out, "traced in the log of the daemon until %s\n", traced);
	if (json_array_size(history) == 0) {
		fputs("nothing has happened yet\n", p->out);
		return;
	}
	t = table_new(columns, sizeof(columns) / sizeof(*columns));
	for (size_t i = 0; i < json_array_size(history); i++)
		add_entry(t, json_array_get(history, i));
	table_print(t, p);
	table_free(t);
}
