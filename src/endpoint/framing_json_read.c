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

static bool is_name(struct span key, const struct framing_json_name *name)
{
	return key.n == name->n + 2 && memcmp(key.p + 1, name->s, name->n) == 0;
}

/* Nearly always as it stands there; N_MEMBERS: it is none of them. */
static enum member member_of(struct span key)
{
	size_t i = 0;

	while (i < N_MEMBERS && !is_name(key, &framing_json_names[i]))
		i++;
	if (i < N_MEMBERS || !memchr(key.p, '\\', key.n))
		return (enum member)i;
	for (i = 0; i < N_MEMBERS; i++)
		if (json_cut_string_is(key, framing_json_names[i].s))
			break;
	return (enum member)i;
}

/* Where the members of a line go to. */
struct collection {
	struct members m;
	struct error *err;
	bool bad, id_twice;
};

static void refuse_member(struct collection *c, struct span key, bool twice)
{
	char shown[NAME_SHOWN];

	escape_text(shown, sizeof(shown), span_of(key.p + 1, key.n - 2));
	error_set_option(c->err, shown, twice ? "\"%s\" comes twice" : "unknown member \"%s\"",
			 shown);
	c->bad = true;
}

/* The first error is the one that counts, but the members are all looked at. */
static void on_member(void *arg, struct span key, struct span value)
{
	struct collection *c = arg;
	enum member which = member_of(key);
	bool known = which < N_MEMBERS, twice = known && c->m.value[which].n > 0;

	if (known) {
		c->m.value[which] = value;
		c->m.there |= 1U << which;
	}
	if (twice && which == ID)
		c->id_twice = true;
	if (!c->bad && (!known || twice))
		refuse_member(c, key, twice);
}

/* An id that is refused leaves the error alone if there is one. */
static bool take_id(const struct collection *c, struct order *o)
{
	struct span id = c->m.value[ID];

	if (c->id_twice || id.n == 0)
		return true;
	if (id.n > ID_MAX)
		return c->bad ? false : framing_json_too_long(c->err, ID, ID_MAX);
	o->id = id;
	return true;
}

static bool not_json(struct span line, struct error *err)
{
	if (json_cut_too_deep(line, JSON_DEPTH_MAX + 1))
		return error_set(err, ERR_PARSE, "record is nested deeper than %d levels",
				 JSON_DEPTH_MAX + 1);
	return error_set(err, ERR_PARSE, "record is not valid JSON");
}

static bool read_line(struct framing_reader *r, struct span line, struct order *o,
		      struct error *err)
{
	struct collection c = { .err = err };

	if (!json_cut_valid_members(line, JSON_DEPTH_MAX + 1, on_member, &c))
		return not_json(line, err);
	if (line.p[0] != '{')
		return error_set(err, ERR_INVALID_REQUEST, "record is not a JSON object");
	return take_id(&c, o) && !c.bad && framing_json_order(r, &c.m, o, err);
}

static enum framing_result read_record(struct framing_reader *r, struct span line, struct order *o,
				       struct error *err)
{
	return read_line(r, line, o, err) ? FRAMING_ORDER : FRAMING_BAD;
}

static enum framing_result refuse_long(const struct framing_reader *r, struct error *err)
{
	error_set(err, ERR_OVERFLOW, "record is longer than %zu bytes", r->lines.rest.cap);
	return FRAMING_BAD;
}

static enum lines_result next_line(struct framing_reader *r, struct span *input, struct span *line)
{
	if (r->framing->rules->type != SOCKET_SEQPACKET)
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
