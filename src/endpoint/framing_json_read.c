/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON objects, one on each line (or in each packet) → members; what these ask
 * for is framing_json_order.c's. A line is cut by its bytes, so what is in it is
 * passed on as it was written. Owned by nobody. The trap: `id` must be known
 * before anything else is judged, for the refusal of a record repeats it.
 */
#include "base/escape.h"
#include "base/json_cut.h"
#include "endpoint/framing_json_int.h"

#define ID_MAX 256
#define NAME_SHOWN 80
#define LINE_SPARE 4096 /* for all that is no payload */
#define ESCAPE_MAX 6	/* a byte may be written as \u00NN */

static size_t line_max(size_t max_message)
{
	size_t most = (SIZE_MAX / 2 - LINE_SPARE) / ESCAPE_MAX;

	return (max_message < most ? max_message : most) * ESCAPE_MAX + LINE_SPARE;
}

void framing_json_begin(struct framing_reader *r)
{
	size_t max = line_max(r->framing->max_message);

	lines_init(&r->lines, '\n', max);
	buf_init(&r->work, max);
}

/* For a key in which nothing is escaped. */
static bool is_name(struct span key, const struct framing_json_name *name)
{
	return key.n == name->n + 2 && memcmp(key.p + 1, name->s, name->n) == 0;
}

static enum member member_of(struct span key)
{
	bool escaped = memchr(key.p, '\\', key.n);
	size_t i = 0;

	for (; i < N_MEMBERS; i++) {
		if (escaped ? json_cut_string_is(key, framing_json_names[i].s) :
			      is_name(key, &framing_json_names[i]))
			break;
	}
	return (enum member)i;
}

/* The first error is the one that counts, but the members are all looked at. */
static bool collect(struct span object, struct members *m, struct error *err)
{
	struct span rest = json_cut_inside(object), key, value;
	char shown[NAME_SHOWN];
	bool good = true, id_twice = false;

	while (json_cut_next_member(&rest, &key, &value)) {
		enum member which = member_of(key);
		bool twice = which < N_MEMBERS && m->value[which].n > 0;

		if (which < N_MEMBERS)
			m->value[which] = value;
		id_twice = id_twice || (twice && which == ID);
		if (!good || (which < N_MEMBERS && !twice))
			continue;
		escape_text(shown, sizeof(shown), span_of(key.p + 1, key.n - 2));
		good = error_set_option(
			err, shown, twice ? "\"%s\" comes twice" : "unknown member \"%s\"", shown);
	}
	if (id_twice)
		m->value[ID] = span_of(NULL, 0);
	return good;
}

static bool take_id(const struct members *m, struct order *o, struct error *err)
{
	if (m->value[ID].n > ID_MAX)
		return framing_json_too_long(err, ID, ID_MAX);
	o->id = m->value[ID];
	return true;
}

static bool read_members(struct framing_reader *r, struct span object, struct order *o,
			 struct error *err)
{
	struct members m = { .value[TYPE] = { NULL, 0 } };
	bool good = collect(object, &m, err);
	struct error id_error;

	if (!take_id(&m, o, good ? err : &id_error) || !good)
		return false;
	return framing_json_order(r, &m, o, err);
}

static bool is_object(struct span line, struct error *err)
{
	if (json_cut_valid(line, JSON_DEPTH_MAX + 1))
		return line.p[0] == '{' ||
		       error_set(err, ERR_INVALID_REQUEST, "record is not a JSON object");
	if (json_cut_too_deep(line, JSON_DEPTH_MAX + 1))
		return error_set(err, ERR_PARSE, "record is nested deeper than %d levels",
				 JSON_DEPTH_MAX + 1);
	return error_set(err, ERR_PARSE, "record is not valid JSON");
}

static enum framing_result read_record(struct framing_reader *r, struct span line, struct order *o,
				       struct error *err)
{
	return is_object(line, err) && read_members(r, line, o, err) ? FRAMING_ORDER : FRAMING_BAD;
}

static enum framing_result refuse_long(const struct framing_reader *r, struct error *err)
{
	error_set(err, ERR_OVERFLOW, "record is longer than %zu bytes", r->lines.rest.cap);
	return FRAMING_BAD;
}

static enum lines_result next_line(struct framing_reader *r, struct span *input, struct span *line)
{
	if (r->framing->conf->type != SOCKET_SEQPACKET)
		return lines_next(&r->lines, input, line);
	*line = *input;
	*input = span_skip(*input, input->n);
	if (line->n == 0)
		return LINES_MORE;
	return line->n <= r->lines.rest.cap ? LINES_RECORD : LINES_TOO_LONG;
}

/* Blank lines are passed over. */
enum framing_result framing_json_next(struct framing_reader *r, struct span *input, struct order *o,
				      struct error *err)
{
	enum lines_result result;
	struct span line;

	buf_clear(&r->work);
	while ((result = next_line(r, input, &line)) == LINES_RECORD) {
		line = json_cut_trim(line);
		if (line.n > 0)
			return read_record(r, line, o, err);
	}
	return result == LINES_MORE ? FRAMING_MORE : refuse_long(r, err);
}

enum framing_result framing_json_finish(struct framing_reader *r, struct order *o,
					struct error *err)
{
	struct span line;

	buf_clear(&r->work);
	if (lines_finish(&r->lines, &line) != LINES_RECORD)
		return FRAMING_MORE;
	line = json_cut_trim(line);
	return line.n > 0 ? read_record(r, line, o, err) : FRAMING_MORE;
}
