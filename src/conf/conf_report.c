/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Complaint → `FILE:LINE:COLUMN: PATH: SENTENCE`. Options of several files are
 * merged before they are checked, so the place is looked for afterwards: in
 * the last file that has the whole path, else where most of it is. The trap:
 * what is missing has no place of its own; its object's is given.
 */
#include "conf/conf_report_int.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"

/* The place of a path that was found in part or as a whole. */
struct place {
	size_t source, matched; /* bytes of the path */
	struct json_spot spot;
	bool found;
};

/*
 * Is the later place, where as much of the path was found, the better one? A
 * value and a list count where they were last given; what is missing in an
 * object is missing where the object was first given.
 */
static bool later_wins(const char *path, size_t matched)
{
	bool in_list = matched > 1 && path[matched - 1] == ']' && path[matched - 2] != '"';

	return path[matched] == '\0' || in_list;
}

static struct place find(const struct conf_report *r, const char *path)
{
	struct place best = { 0 };

	for (size_t i = 0; i < r->n_sources; i++) {
		struct place here = { .source = i, .found = true };

		if (!r->sources[i].root)
			continue;
		here.matched = json_text_find(&r->sources[i].text, path, &here.spot);
		if (!best.found || here.matched > best.matched ||
		    (here.matched == best.matched && later_wins(path, here.matched)))
			best = here;
	}
	return best;
}

static void report_add(struct schema_report *report, const char *path, const char *sentence)
{
	struct conf_report *r = (struct conf_report *)(void *)report;
	struct place place = find(r, path);
	bool whole = path[place.matched] == '\0';

	conf_report_at(r, place.source,
		       report->at_key || !whole ? place.spot.key : place.spot.value, path,
		       sentence);
}

void conf_report_init(struct conf_report *r)
{
	*r = (struct conf_report){ .report = { .add = report_add } };
}

void conf_report_deinit(struct conf_report *r)
{
	for (size_t i = 0; i < r->n_sources; i++) {
		free(r->sources[i].path);
		json_text_deinit(&r->sources[i].text);
		json_decref(r->sources[i].root);
	}
	for (size_t i = 0; i < r->n_complaints; i++)
		free(r->complaints[i].sentence);
	free(r->sources);
	free(r->complaints);
}

struct conf_source *conf_report_add_source(struct conf_report *r, const char *path)
{
	r->sources = mem_grow(r->sources, r->n_sources + 1, sizeof(*r->sources));
	r->sources[r->n_sources] = (struct conf_source){ .path = mem_strdup(path) };
	return &r->sources[r->n_sources++];
}

/* Takes the sentence. */
static void complain(struct conf_report *r, size_t source, size_t at, char *sentence)
{
	r->complaints = mem_grow(r->complaints, r->n_complaints + 1, sizeof(*r->complaints));
	r->complaints[r->n_complaints] = (struct conf_complaint){
		.source = source, .at = at, .order = r->n_complaints, .sentence = sentence
	};
	r->n_complaints++;
}

static char *shown_path(const struct conf_report *r, size_t source, char out[PATH_MAX])
{
	return escape_text(out, PATH_MAX, span_str(r->sources[source].path));
}

void conf_report_file(struct conf_report *r, size_t source, const char *sentence)
{
	char file[PATH_MAX];

	complain(r, source, 0, mem_printf("%s: %s", shown_path(r, source, file), sentence));
}

void conf_report_at(struct conf_report *r, size_t source, size_t at, const char *path,
		    const char *sentence)
{
	struct json_place place = json_text_place(&r->sources[source].text, at);
	char file[PATH_MAX];

	complain(r, source, at,
		 mem_printf("%s:%zu:%zu: %s%s%s", shown_path(r, source, file), place.line,
			    place.column, path, *path ? ": " : "", sentence));
}

static int by_place(const void *a, const void *b)
{
	const struct conf_complaint *x = a, *y = b;

	if (x->source != y->source)
		return x->source < y->source ? -1 : 1;
	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return (x->order > y->order) - (x->order < y->order);
}

void conf_report_flush(struct conf_report *r, conf_error_cb on_error, void *arg)
{
	if (r->n_complaints == 0)
		return;
	qsort(r->complaints, r->n_complaints, sizeof(*r->complaints), by_place);
	for (size_t i = 0; i < r->n_complaints; i++)
		on_error(arg, r->complaints[i].sentence);
}
