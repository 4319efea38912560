/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One message, one line; a fragment is a line of its own. It does not trim: a
 * CR stays, an empty line is an empty message. On a seqpacket socket a packet
 * is the line and has no delimiter, except that an empty message is a packet
 * with the delimiter alone: an empty packet looks like the end. Owned by nobody
 * (a table of functions). The trap: the delimiter may be NUL; its escape is
 * then \0, and a newline is an ordinary byte.
 */
#include "endpoint/framing.h"

#include <assert.h>

#include "base/ascii.h"
#include "base/base64.h"
#include "base/utf8.h"

static uint8_t delimiter_of(const struct framing *f)
{
	return (uint8_t)f->rules->delimiter;
}

static bool in_packets(const struct framing *f)
{
	return f->rules->type == SOCKET_SEQPACKET;
}

static uint8_t escape_letter(const struct framing *f)
{
	return delimiter_of(f) == 0 ? '0' : 'n';
}

static const uint8_t *find(struct span s, uint8_t byte)
{
	return s.n ? memchr(s.p, byte, s.n) : NULL;
}

static size_t count(struct span s, uint8_t byte)
{
	size_t n = 0;

	for (const uint8_t *at; (at = find(s, byte)); n++)
		s = span_skip(s, (size_t)(at - s.p) + 1);
	return n;
}

static void copy(uint8_t *out, struct span s)
{
	if (s.n > 0)
		memcpy(out, s.p, s.n);
}

static void lines_begin(struct framing_reader *r)
{
	lines_init(&r->lines, delimiter_of(r->framing), r->framing->max_message);
	buf_init(&r->work, r->framing->max_message);
}

static bool measure_text(const struct framing *f, struct span text, struct framing_plan *plan)
{
	size_t delimiters;

	if (in_packets(f)) {
		*plan = (struct framing_plan){ .size = text.n };
		return true;
	}
	delimiters = count(text, delimiter_of(f));
	*plan = (struct framing_plan){ .size = text.n + 1, .marked = delimiters };
	switch (f->rules->newlines) {
	case NEWLINES_SPACE:
		plan->replaced = delimiters > 0;
		break;
	case NEWLINES_ESCAPE:
		plan->marked += count(text, '\\');
		plan->size += plan->marked;
		break;
	case NEWLINES_REJECT:
		return delimiters == 0;
	}
	return true;
}

static bool measure_binary(const struct framing *f, struct span data, struct framing_plan *plan)
{
	*plan = (struct framing_plan){ .marked = data.n };
	switch (f->rules->binary) {
	case BINARY_BASE64:
		plan->size = BASE64_ENCODED_SIZE(data.n) + !in_packets(f);
		return true;
	case BINARY_HEX:
		plan->size = 2 * data.n + !in_packets(f);
		return true;
	case BINARY_DROP:
		break;
	}
	return false;
}

static bool lines_measure(const struct framing *f, const struct record *r,
			  struct framing_plan *plan)
{
	bool fit = r->type == RECORD_MESSAGE &&
		   (r->msg.type == MSG_TEXT ? measure_text(f, r->msg.data, plan) :
					      measure_binary(f, r->msg.data, plan));

	if (fit && plan->size == 0)
		plan->size = 1;
	return fit;
}

static void blank_out(uint8_t *text, size_t n, uint8_t delimiter)
{
	for (uint8_t *at = text; (at = memchr(at, delimiter, n - (size_t)(at - text)));)
		*at++ = ' ';
}

static uint8_t *escape(const struct framing *f, struct span text, uint8_t *out)
{
	uint8_t delimiter = delimiter_of(f);

	for (size_t i = 0; i < text.n; i++) {
		uint8_t byte = text.p[i];

		if (byte != delimiter && byte != '\\') {
			*out++ = byte;
			continue;
		}
		*out++ = '\\';
		*out++ = byte == '\\' ? '\\' : escape_letter(f);
	}
	return out;
}

static uint8_t *to_hex(struct span data, uint8_t *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < data.n; i++) {
		*out++ = (uint8_t)digits[data.p[i] >> 4];
		*out++ = (uint8_t)digits[data.p[i] & 15];
	}
	return out;
}

static void encode_text(const struct framing *f, struct span text, const struct framing_plan *plan,
			uint8_t *out)
{
	if (plan->marked > 0 && f->rules->newlines == NEWLINES_ESCAPE) {
		escape(f, text, out);
		return;
	}
	copy(out, text);
	if (plan->marked > 0)
		blank_out(out, text.n, delimiter_of(f));
}

static void lines_encode(const struct framing *f, const struct record *r,
			 const struct framing_plan *plan, uint8_t *out)
{
	struct span data = r->msg.data;

	if (r->msg.type == MSG_TEXT)
		encode_text(f, data, plan, out);
	else if (f->rules->binary == BINARY_HEX)
		to_hex(data, out);
	else
		base64_encode((char *)out, data);
	if (!in_packets(f) || data.n == 0)
		out[plan->size - 1] = delimiter_of(f);
}

#define BLOCK 16
#define BLOCKS_MOST 128 /* for what is longer memchr and memcpy are faster */

/* The compiler's own vectors: they fit any machine. */
typedef uint8_t block __attribute__((vector_size(BLOCK)));
typedef uint64_t block_halves __attribute__((vector_size(BLOCK)));

static inline block load(const uint8_t *p)
{
	block b;

	memcpy(&b, p, sizeof(b));
	return b;
}

/* Copies BLOCK bytes or more; false: the delimiter is among them. The last block overlaps. */
static inline bool copy_blocks(uint8_t *out, struct span text, uint8_t delimiter)
{
	block wanted = (block){ 0 } + delimiter, last = load(text.p + text.n - BLOCK);
	block_halves hits = (block_halves)(last == wanted);

	for (size_t i = 0; i + BLOCK < text.n; i += BLOCK) {
		block b = load(text.p + i);

		hits |= (block_halves)(b == wanted);
		memcpy(out + i, &b, sizeof(b));
	}
	memcpy(out + text.n - BLOCK, &last, sizeof(last));
	return (hits[0] | hits[1]) == 0;
}

/* The same of any length; false: of what is at `out` nothing is to be used. */
static inline bool copy_plain(uint8_t *out, struct span text, uint8_t delimiter)
{
	if (text.n >= BLOCK && text.n <= BLOCKS_MOST)
		return copy_blocks(out, text, delimiter);
	if (find(text, delimiter))
		return false;
	copy(out, text);
	return true;
}

static size_t lines_encode_plain(const struct framing *f, const struct msg *msgs, size_t n,
				 struct chunk *c)
{
	uint8_t delimiter = delimiter_of(f);
	size_t i;

	if (in_packets(f) || f->rules->newlines == NEWLINES_ESCAPE)
		return 0;
	for (i = 0; i < n; i++) {
		struct span text = msgs[i].data;
		uint8_t *out = text.n < CHUNK_RECORD_MAX ? chunk_room(c, text.n + 1) : NULL;

		if (!out || msgs[i].type != MSG_TEXT || !copy_plain(out, text, delimiter))
			break;
		out[text.n] = delimiter;
		chunk_commit(c, text.n + 1);
	}
	return i;
}

static bool no_memory(struct error *err, size_t n)
{
	return error_set(err, ERR_OVERFLOW, "no memory for a line of %zu bytes", n);
}

/*
 * Undoes `escape`. A backslash before anything else stands for itself, as in
 * printf(1): nothing that was written is lost.
 */
static bool unescape(struct framing_reader *r, struct span *line, struct error *err)
{
	uint8_t letter = escape_letter(r->framing), delimiter = delimiter_of(r->framing);
	uint8_t *start, *out;

	if (!find(*line, '\\'))
		return true;
	start = out = buf_reserve(&r->work, line->n);
	if (!start)
		return no_memory(err, line->n);
	for (size_t i = 0; i < line->n; i++) {
		uint8_t byte = line->p[i];
		uint8_t next = i + 1 < line->n ? line->p[i + 1] : 0;

		if (byte == '\\' && i + 1 < line->n && (next == '\\' || next == letter)) {
			byte = next == '\\' ? next : delimiter;
			i++;
		}
		*out++ = byte;
	}
	*line = span_of(start, (size_t)(out - start));
	return true;
}

static bool from_base64(struct framing_reader *r, struct span *line, struct error *err)
{
	uint8_t *out = buf_reserve(&r->work, BASE64_DECODED_MAX(line->n));
	size_t n = 0;

	if (!out)
		return no_memory(err, line->n);
	if (!base64_decode(out, &n, *line))
		return error_set(err, ERR_PAYLOAD, "line is not valid Base64");
	*line = span_of(out, n);
	return true;
}

static bool decode(struct framing_reader *r, struct span line, struct msg *msg, struct error *err)
{
	const struct endpoint_rules *rules = r->framing->rules;
	bool escaped = rules->newlines == NEWLINES_ESCAPE && !in_packets(r->framing);

	if (rules->send_as == SEND_AS_BASE64) {
		if (!from_base64(r, &line, err))
			return false;
	} else if (escaped && !unescape(r, &line, err)) {
		return false;
	}
	if (rules->send_as == SEND_AS_TEXT && !utf8_valid(line))
		return error_set(err, ERR_PAYLOAD, "line is not valid UTF-8");
	msg->type = rules->send_as == SEND_AS_TEXT ? MSG_TEXT : MSG_BINARY;
	msg->data = line;
	return true;
}

static enum framing_result outcome(struct framing_reader *r, enum lines_result result,
				   struct span line, struct order *o, struct error *err)
{
	switch (result) {
	case LINES_RECORD:
		return decode(r, line, &o->msg, err) ? FRAMING_ORDER : FRAMING_BAD;
	case LINES_TOO_LONG:
		error_set(err, ERR_OVERFLOW, "line is longer than max_message (%zu bytes)",
			  r->framing->max_message);
		return FRAMING_BAD;
	case LINES_MORE:
		break;
	}
	return FRAMING_MORE;
}

/* One delimiter at its end is not the message's: people write it out of habit. */
static enum lines_result next_packet(const struct framing_reader *r, struct span *input,
				     struct span *line)
{
	*line = *input;
	if (input->n == 0)
		return LINES_MORE;
	*input = span_skip(*input, input->n);
	if (line->p[line->n - 1] == delimiter_of(r->framing))
		line->n--;
	return line->n <= r->framing->max_message ? LINES_RECORD : LINES_TOO_LONG;
}

static enum framing_result lines_framing_next(struct framing_reader *r, struct span *input,
					      struct order *o, struct error *err)
{
	struct span line = span_of(NULL, 0);
	enum lines_result result = in_packets(r->framing) ? next_packet(r, input, &line) :
							    lines_next(&r->lines, input, &line);

	buf_clear(&r->work);
	return outcome(r, result, line, o, err);
}

/* It stops before whatever next() may have something to say about. */
static size_t lines_next_run(struct framing_reader *r, struct span *input, struct msg *msgs,
			     size_t max)
{
	const struct endpoint_rules *rules = r->framing->rules;
	uint8_t delimiter = delimiter_of(r->framing);
	struct span left = *input, line;
	const uint8_t *end;
	bool text = rules->send_as == SEND_AS_TEXT;
	size_t n = 0;

	if (in_packets(r->framing) || rules->newlines == NEWLINES_ESCAPE ||
	    rules->send_as == SEND_AS_BASE64 || !lines_is_between(&r->lines))
		return 0;
	while (n < max && (end = find(left, delimiter))) {
		line = span_of(left.p, (size_t)(end - left.p));
		if (line.n > r->framing->max_message ||
		    (text && !ascii_is_short(line) && !utf8_valid(line)))
			break;
		msgs[n++] = (struct msg){ .type = text ? MSG_TEXT : MSG_BINARY, .data = line };
		left = span_skip(left, line.n + 1);
	}
	*input = left;
	return n;
}

static enum framing_result lines_framing_finish(struct framing_reader *r, struct order *o,
						struct error *err)
{
	struct span line = span_of(NULL, 0);
	enum lines_result result = lines_finish(&r->lines, &line);

	buf_clear(&r->work);
	return outcome(r, result, line, o, err);
}

const struct framing_ops framing_lines = {
	.begin = lines_begin,
	.measure = lines_measure,
	.encode = lines_encode,
	.encode_plain = lines_encode_plain,
	.next = lines_framing_next,
	.next_run = lines_next_run,
	.finish = lines_framing_finish,
};
