/* SPDX-License-Identifier: Apache-2.0 */
/* Sentences about what a command has done. They take any answer: a missing field is left out. */
#include "cli/print_results.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/print_status.h"
#include "control/names.h"

void print_opened(struct printer *p, const json_t *result)
{
	const json_t *inner = json_object_get(result, FIELD_BRIDGE);
	const json_t *b = json_is_object(inner) ? inner : result;
	mem_auto_str name = text_of(json_object_get(b, FIELD_NAME));
	mem_auto_str state = text_of(json_object_get(b, FIELD_STATE));
	bool meant = state && strcmp(state, "closed") == 0;
	mem_auto_str trouble = meant ? NULL : text_trouble(b);
	enum table_mark mark = state ? mark_of_state(state) : MARK_NONE;

	fprintf(p->out, "%s: ", name ? name : "-");
	print_mark(p, mark);
	fputs(state ? state : "done", p->out);
	print_mark_end(p, mark);
	if (trouble)
		fprintf(p->out, " (%s)", trouble);
	fputc('\n', p->out);
}

/* False: there was none. */
static bool print_names(struct printer *p, const char *label, const json_t *names)
{
	for (size_t i = 0; i < json_array_size(names); i++) {
		mem_auto_str name = text_of(json_array_get(names, i));

		fprintf(p->out, "%s%s", i == 0 ? label : ", ", name ? name : "-");
	}
	if (json_array_size(names) > 0)
		fputc('\n', p->out);
	return json_array_size(names) > 0;
}

void print_reloaded(struct printer *p, const json_t *result)
{
	mem_auto_str unchanged = text_number(json_object_get(result, FIELD_UNCHANGED));
	bool dry = json_is_true(json_object_get(result, FIELD_DRY_RUN));
	bool any;

	if (dry)
		fputs("nothing was changed; a reload would give:\n", p->out);
	any = print_names(p, "added: ", json_object_get(result, FIELD_ADDED));
	any |= print_names(p, "changed: ", json_object_get(result, FIELD_CHANGED));
	any |= print_names(p, "removed: ", json_object_get(result, FIELD_REMOVED));
	fprintf(p->out, "%sunchanged: %s\n", any ? "" : "no differences; ",
		unchanged ? unchanged : "0");
}

void print_shut_down(struct printer *p, const json_t *result)
{
	(void)result;
	fputs("wsbridged has ended\n", p->out);
}

void print_log_level(struct printer *p, const json_t *result)
{
	mem_auto_str level = text_of(json_object_get(result, FIELD_LEVEL));

	fprintf(p->out, "log level: %s\n", level ? level : "-");
}

void print_traces(struct printer *p, const json_t *result)
{
	const json_t *traces = json_object_get(result, FIELD_TRACES);

	for (size_t i = 0; i < json_array_size(traces); i++) {
		const json_t *one = json_array_get(traces, i);
		mem_auto_str name = text_of(json_object_get(one, FIELD_NAME));
		mem_auto_str until = text_moment(json_object_get(one, FIELD_UNTIL));

		fprintf(p->out, "%s: traced in the log of the daemon until %s\n", name ? name : "-",
			until ? until : "-");
	}
	if (json_array_size(traces) == 0)
		fputs("no bridge is traced\n", p->out);
}

void print_metrics(struct printer *p, const json_t *result)
{
	const char *text = json_string_value(json_object_get(result, FIELD_METRICS_TEXT));

	fputs(text ? text : "", p->out);
}

void print_version(struct printer *p, const json_t *result)
{
	mem_auto_str version = text_of(json_object_get(result, FIELD_VERSION));
	const json_t *features = json_object_get(result, FIELD_FEATURES);

	fprintf(p->out, "wsbridged %s\n", version ? version : "-");
	if (json_is_array(features))
		print_names(p, "features: ", features);
}

void print_json(struct printer *p, const json_t *result)
{
	json_dumpf(result, p->out, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
	fputc('\n', p->out);
}
