/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Members of a JSON object → one order. Texts are handed out where they lie in
 * the line, or from the reader's `work` if something in them was escaped. Owned
 * by nobody. The trap: `work` holds one text at a time, so no order has two.
 */
#include "base/base64.h"
#include "base/close_code.h"
#include "base/json_cut.h"
#include "endpoint/framing_json_int.h"

#define CONTROL_MAX 125 /* RFC 6455, 5.5 */

struct kind {
	const char *name;
	unsigned members; /* which may be there */
	bool (*read)(struct framing_reader *r, const struct members *m, struct order *o,
		     struct error *err);
};

#define NAME(s)                    \
	{                          \
		(s), sizeof(s) - 1 \
	}
const struct framing_json_name framing_json_names[N_MEMBERS] = {
	[TYPE] = NAME("type"),	   [DATA] = NAME("data"),	  [FIN] = NAME("fin"),
	[ID] = NAME("id"),	   [ENCODING] = NAME("encoding"), [CODE] = NAME("code"),
	[REASON] = NAME("reason"), [INLINE] = NAME("inline"),	  [SEQ] = NAME("seq"),
	[EPOCH] = NAME("epoch"),   [TIME] = NAME("time"),
};

static const char *name_of(enum member which)
{
	return framing_json_names[which].s;
}

static bool no_memory(struct error *err, size_t n)
{
	return error_set(err, ERR_OVERFLOW, "no memory for a message of %zu bytes", n);
}

/* The inside of a string. */
static struct span unquoted(struct span value)
{
	return span_of(value.p + 1, value.n - 2);
}

/* How long is the text that the member stands for? */
static bool measure_text(const struct members *m, enum member which, size_t *n, struct error *err)
{
	struct span value = m->value[which];

	if (value.p[0] != '"')
		return error_set_option(err, name_of(which), "\"%s\" must be a string",
					name_of(which));
	if (!json_cut_unquote(NULL, n, value))
		return error_set(err, ERR_PAYLOAD, "\"%s\" has half a surrogate pair",
				 name_of(which));
	return true;
}

/* In place if nothing in it is escaped. */
static bool read_text(struct framing_reader *r, struct span value, size_t n, struct span *out,
		      struct error *err)
{
	uint8_t *room;

	*out = unquoted(value);
	if (n == out->n)
		return true;
	room = buf_reserve(&r->work, n);
	if (!room)
		return no_memory(err, n);
	json_cut_unquote(room, &n, value);
	*out = span_of(room, n);
	return true;
}

bool framing_json_too_long(struct error *err, enum member which, size_t max)
{
	return error_set(err, ERR_OVERFLOW, "\"%s\" is longer than %zu bytes", name_of(which), max);
}

static bool above_max_message(const struct framing_reader *r, struct error *err)
{
	return error_set(err, ERR_OVERFLOW, "\"data\" is longer than max_message (%zu bytes)",
			 r->framing->max_message);
}

/* Base64 may have escapes in it, too: some programs write every slash as \/. */
static bool read_base64(struct framing_reader *r, struct span value, size_t n, struct span *out,
			struct error *err)
{
	struct span text = unquoted(value);
	size_t own = n == text.n ? 0 : n;
	uint8_t *room;

	*out = span_of(text.p, 0);
	if (n == 0)
		return true;
	if (BASE64_DECODED_MAX(n) > r->framing->max_message + 2)
		return above_max_message(r, err);
	room = buf_reserve(&r->work, own + BASE64_DECODED_MAX(n));
	if (!room)
		return no_memory(err, n);
	if (own > 0) {
		json_cut_unquote(room, &n, value);
		text = span_of(room, n);
	}
	if (!base64_decode(room + own, &n, text))
		return error_set(err, ERR_PAYLOAD, "\"data\" is not valid Base64");
	*out = span_of(room + own, n);
	return true;
}

static bool is_there(const struct members *m, enum member which)
{
	return m->value[which].n > 0;
}

static bool has_data(const struct members *m, struct error *err)
{
	return is_there(m, DATA) || error_set_option(err, "data", "\"data\" is missing");
}

static bool read_bool(const struct members *m, enum member which, bool *out, struct error *err)
{
	struct span value = m->value[which];

	if (value.n == 0)
		return true;
	*out = value.p[0] == 't';
	if (*out || value.p[0] == 'f')
		return true;
	return error_set_option(err, name_of(which), "\"%s\" must be true or false",
				name_of(which));
}

static bool read_fin(const struct members *m, struct order *o, struct error *err)
{
	bool fin = true;

	if (!read_bool(m, FIN, &fin, err))
		return false;
	o->msg.more = !fin;
	return true;
}

static bool has_newline(struct span s)
{
	return memchr(s.p, '\n', s.n) || memchr(s.p, '\r', s.n);
}

static uint8_t *put_without(uint8_t *out, struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != '\n' && s.p[i] != '\r')
			*out++ = s.p[i];
	return out;
}

/* Its bytes, without the newlines between them. */
static bool read_json(struct framing_reader *r, const struct members *m, struct order *o,
		      struct error *err)
{
	struct span value = m->value[DATA];
	uint8_t *room;

	if (!has_data(m, err))
		return false;
	if (value.n > r->framing->max_message)
		return above_max_message(r, err);
	o->msg.type = MSG_TEXT;
	o->msg.data = value;
	if (!has_newline(value))
		return true;
	room = buf_reserve(&r->work, value.n);
	if (!room)
		return no_memory(err, value.n);
	o->msg.data.p = room;
	o->msg.data.n = (size_t)(put_without(room, value) - room);
	return true;
}

static bool read_text_message(struct framing_reader *r, const struct members *m, struct order *o,
			      struct error *err)
{
	bool as_value = false;
	size_t n;

	if (!has_data(m, err) || !read_fin(m, o, err) || !read_bool(m, INLINE, &as_value, err))
		return false;
	if (as_value)
		return read_json(r, m, o, err);
	if (m->value[DATA].p[0] != '"')
		return error_set_option(err, "data",
					"\"data\" must be a string (a JSON value goes with "
					"\"type\":\"json\")");
	if (!measure_text(m, DATA, &n, err))
		return false;
	if (n > r->framing->max_message)
		return above_max_message(r, err);
	o->msg.type = MSG_TEXT;
	return read_text(r, m->value[DATA], n, &o->msg.data, err);
}

static bool read_binary_message(struct framing_reader *r, const struct members *m, struct order *o,
				struct error *err)
{
	size_t n;

	if (!has_data(m, err) || !read_fin(m, o, err) || !measure_text(m, DATA, &n, err) ||
	    !read_base64(r, m->value[DATA], n, &o->msg.data, err))
		return false;
	o->msg.type = MSG_BINARY;
	return o->msg.data.n <= r->framing->max_message || above_max_message(r, err);
}

static bool read_payload(struct framing_reader *r, const struct members *m, struct order *o,
			 struct error *err)
{
	bool base64 = is_there(m, ENCODING), good;
	size_t n;

	if (base64 && !json_cut_string_is(m->value[ENCODING], "base64"))
		return error_set_option(err, "encoding", "\"encoding\" must be \"base64\"");
	if (!is_there(m, DATA))
		return true;
	if (!measure_text(m, DATA, &n, err))
		return false;
	if (n > BASE64_ENCODED_SIZE(CONTROL_MAX))
		return framing_json_too_long(err, DATA, CONTROL_MAX);
	good = base64 ? read_base64(r, m->value[DATA], n, &o->payload, err) :
			read_text(r, m->value[DATA], n, &o->payload, err);
	return good &&
	       (o->payload.n <= CONTROL_MAX || framing_json_too_long(err, DATA, CONTROL_MAX));
}

static bool read_ping(struct framing_reader *r, const struct members *m, struct order *o,
		      struct error *err)
{
	o->type = ORDER_PING;
	return read_payload(r, m, o, err);
}

static bool read_pong(struct framing_reader *r, const struct members *m, struct order *o,
		      struct error *err)
{
	o->type = ORDER_PONG;
	return read_payload(r, m, o, err);
}

/* All codes have four digits; -1: not a number of that form. */
static int read_code(struct span value)
{
	int code = 0;

	if (value.n != 4)
		return -1;
	for (size_t i = 0; i < value.n; i++) {
		if (value.p[i] < '0' || value.p[i] > '9')
			return -1;
		code = 10 * code + (value.p[i] - '0');
	}
	return code;
}

static bool read_close(struct framing_reader *r, const struct members *m, struct order *o,
		       struct error *err)
{
	size_t n;

	o->type = ORDER_CLOSE;
	o->code = is_there(m, CODE) ? read_code(m->value[CODE]) : 1000;
	if (!close_code_is_for_clients(o->code))
		return error_set_option(err, "code", "\"code\" must be " CLOSE_CODES_TEXT);
	if (!is_there(m, REASON))
		return true;
	if (!measure_text(m, REASON, &n, err))
		return false;
	if (n > CLOSE_REASON_MAX)
		return framing_json_too_long(err, REASON, CLOSE_REASON_MAX);
	return read_text(r, m->value[REASON], n, &o->reason, err);
}

#define BIT(member) (1U << (member))
/* A message that came in may go out as it is: its numbers are passed over. */
#define INBOUND (BIT(SEQ) | BIT(EPOCH) | BIT(TIME))
#define ALWAYS (BIT(TYPE) | BIT(ID))

static const struct kind kinds[] = {
	{ "text", ALWAYS | INBOUND | BIT(DATA) | BIT(FIN) | BIT(INLINE), read_text_message },
	{ "binary", ALWAYS | INBOUND | BIT(DATA) | BIT(FIN), read_binary_message },
	{ "json", ALWAYS | BIT(DATA), read_json },
	{ "ping", ALWAYS | BIT(TIME) | BIT(DATA) | BIT(ENCODING), read_ping },
	{ "pong", ALWAYS | BIT(TIME) | BIT(DATA) | BIT(ENCODING), read_pong },
	{ "close", ALWAYS | BIT(CODE) | BIT(REASON), read_close },
};

static const struct kind *find_kind(struct span type)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (json_cut_string_is(type, kinds[i].name))
			return &kinds[i];
	return NULL;
}

static bool belong_together(const struct kind *kind, const struct members *m, struct error *err)
{
	unsigned alien = m->there & ~kind->members;
	enum member which;

	if (alien == 0)
		return true;
	which = (enum member)__builtin_ctz(alien);
	return error_set_option(err, name_of(which), "\"%s\" does not go with \"type\":\"%s\"",
				name_of(which), kind->name);
}

bool framing_json_order(struct framing_reader *r, const struct members *m, struct order *o,
			struct error *err)
{
	const struct kind *kind;

	if (!is_there(m, TYPE))
		return error_set_option(err, "type", "\"type\" is missing");
	kind = find_kind(m->value[TYPE]);
	if (!kind)
		return error_set_option(err, "type",
					"\"type\" must be \"text\", \"binary\", \"json\", "
					"\"ping\", \"pong\" or \"close\"");
	return belong_together(kind, m, err) && kind->read(r, m, o, err);
}
