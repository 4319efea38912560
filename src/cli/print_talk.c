/* SPDX-License-Identifier: Apache-2.0 */
/* See print_talk.h. The trap: names and sentences are escaped by the daemon, payloads are not. */
#include "cli/print_talk.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/print_status.h"
#include "control/names.h"

void print_rtt(struct printer *p, const json_t *result)
{
	mem_auto_str rtt = text_duration(json_number_value(json_object_get(result, FIELD_RTT)));

	fprintf(p->out, "%s\n", rtt);
}

void print_received(struct printer *p, const json_t *result)
{
	const json_t *data = json_object_get(result, FIELD_DATA);
	mem_auto_str shown = isatty(fileno(p->out)) ? text_of(data) : NULL;

	if (shown)
		fputs(shown, p->out);
	else
		fwrite(json_string_value(data), 1, json_string_length(data), p->out);
	fputc('\n', p->out);
}

static const char *string_of(const json_t *object, const char *key)
{
	const char *s = json_string_value(json_object_get(object, key));

	return s ? s : "";
}

/* "15:46:10.123", local */
static char *text_clock(const json_t *at)
{
	double seconds = json_number_value(at);
	time_t whole = (time_t)seconds;
	char text[16];
	struct tm tm;

	if (!json_is_number(at) || !localtime_r(&whole, &tm) ||
	    strftime(text, sizeof(text), "%T", &tm) == 0)
		return mem_strdup("--:--:--.---");
	return mem_printf("%s.%03d", text, (int)((seconds - (double)whole) * 1000));
}

static char *text_close(const json_t *e)
{
	mem_auto_str code = text_number(json_object_get(e, FIELD_CODE));
	mem_auto_str reason = text_of(json_object_get(e, FIELD_REASON));
	const json_t *retry = json_object_get(e, FIELD_RETRY_IN);
	mem_auto_str in = json_is_number(retry) ? text_duration(json_number_value(retry)) : NULL;

	return mem_printf("%s%s%s%s%s", code ? code : "-", reason && *reason ? " " : "",
			  reason ? reason : "", in ? "; next attempt in " : "", in ? in : "");
}

static char *text_gap(const json_t *e)
{
	mem_auto_str n = text_number(json_object_get(e, FIELD_DROPPED));

	return mem_printf("%s events were missed", n ? n : "some");
}

static char *text_detail(const json_t *e, const char *event)
{
	if (strcmp(event, EVENT_STATE) == 0)
		return text_of(json_object_get(e, FIELD_STATE));
	if (strcmp(event, EVENT_OPEN) == 0)
		return text_of(json_object_get(e, FIELD_URL));
	if (strcmp(event, EVENT_CLOSE) == 0)
		return text_close(e);
	if (strcmp(event, EVENT_ERROR) == 0)
		return text_of(json_object_get(json_object_get(e, FIELD_ERROR), FIELD_MESSAGE));
	if (strcmp(event, EVENT_GAP) == 0)
		return text_gap(e);
	return text_raw(json_object_get(e, FIELD_DATA)); /* message, ping, pong */
}

void print_event(struct printer *p, const json_t *params)
{
	const char *event = string_of(params, FIELD_EVENT);
	bool is_state = strcmp(event, EVENT_STATE) == 0;
	mem_auto_str at = text_clock(json_object_get(params, FIELD_TIME));
	mem_auto_str name = text_of(json_object_get(params, FIELD_BRIDGE));
	mem_auto_str detail = text_detail(params, event);
	enum table_mark mark = is_state ? mark_of_state(string_of(params, FIELD_STATE)) : MARK_NONE;

	print_mark(p, MARK_DIM);
	fputs(at, p->out);
	print_mark_end(p, MARK_DIM);
	fprintf(p->out, " %s %s ", name ? name : "*", event);
	print_mark(p, mark);
	fputs(detail ? detail : "", p->out);
	print_mark_end(p, mark);
	fputc('\n', p->out);
}
