/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP head parser of http_head.h. It gives no verdict on a status or a
 * field and reads no body. The struct belongs to whoever embeds it. The trap:
 * `bytes` may move while the head grows, so fields are kept as offsets.
 */
#include "base/http_head.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static const char version_prefix[] = "HTTP/1.";

#define FIELDS_FIRST 8

enum { VERSION_PREFIX_LEN = sizeof(version_prefix) - 1, VERSION_LEN };

void http_head_init(struct http_head *h)
{
	memset(h, 0, sizeof(*h));
	buf_init(&h->bytes, HTTP_HEAD_MAX);
}

void http_head_init_request(struct http_head *h)
{
	http_head_init(h);
	h->is_request = true;
}

void http_head_deinit(struct http_head *h)
{
	buf_deinit(&h->bytes);
	free(h->fields);
	h->fields = NULL;
	h->n_lines = h->fields_size = 0;
}

static const char *noun(const struct http_head *h)
{
	return h->is_request ? "request" : "response";
}

static bool is_token_char(uint8_t c)
{
	if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'))
		return true;
	return c != 0 && strchr("!#$%&'*+-.^_`|~", c);
}

bool http_is_token(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (!is_token_char(s.p[i]))
			return false;
	}
	return s.n > 0;
}

bool http_is_field_value(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		if ((s.p[i] < 0x20 && s.p[i] != '\t') || s.p[i] == 0x7F)
			return false;
	}
	return true;
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

static struct span trim(struct span s)
{
	while (s.n > 0 && is_blank(s.p[0]))
		s = span_skip(s, 1);
	while (s.n > 0 && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

/* "HTTP/1.x", nothing behind it (RFC 9112, 2.3). */
static bool take_version(struct http_head *h, struct span s)
{
	if (s.n != VERSION_LEN || memcmp(s.p, version_prefix, VERSION_PREFIX_LEN) != 0)
		return false;
	if (s.p[VERSION_PREFIX_LEN] < '0' || s.p[VERSION_PREFIX_LEN] > '9')
		return false;
	h->minor = (unsigned)(s.p[VERSION_PREFIX_LEN] - '0');
	return true;
}

/*
 * RFC 9112, 4. The space behind the status is a must even before an empty
 * reason, but servers that leave it out are common, and harmless.
 */
static bool take_status_line(struct http_head *h, struct span line, struct error *err)
{
	const uint8_t *code = line.p + VERSION_LEN + 1;
	int status = 0;

	if (line.n < VERSION_LEN || !take_version(h, span_of(line.p, VERSION_LEN)))
		return error_set(err, ERR_PROTOCOL, "the answer is not HTTP/1.x");
	if (line.n < VERSION_LEN + 4 || line.p[VERSION_LEN] != ' ')
		return error_set(err, ERR_PROTOCOL, "the status line has no status");
	for (size_t i = 0; i < 3; i++) {
		if (code[i] < '0' || code[i] > '9')
			return error_set(err, ERR_PROTOCOL, "the status is not a number");
		status = status * 10 + (code[i] - '0');
	}
	if (status < 100 || (line.n > VERSION_LEN + 4 && code[3] != ' '))
		return error_set(err, ERR_PROTOCOL, "the status is not a number of three digits");
	if (!http_is_field_value(line))
		return error_set(err, ERR_PROTOCOL, "the status line has a control character");
	h->status = status;
	return true;
}

static bool is_target(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] <= 0x20 || s.p[i] >= 0x7F)
			return false;
	}
	return s.n > 0;
}

/* RFC 9112, 3: exactly one space between the three parts. */
static bool take_request_line(struct http_head *h, struct span line, struct error *err)
{
	const uint8_t *space = memchr(line.p, ' ', line.n);
	struct span method, rest, target;

	if (!space)
		return error_set(err, ERR_PROTOCOL, "the request line has no target");
	method = span_of(line.p, (size_t)(space - line.p));
	rest = span_skip(line, method.n + 1);
	if (!http_is_token(method))
		return error_set(err, ERR_PROTOCOL, "the method of the request is not a token");
	space = rest.n ? memchr(rest.p, ' ', rest.n) : NULL;
	if (!space)
		return error_set(err, ERR_PROTOCOL, "the request line has no HTTP version");
	target = span_of(rest.p, (size_t)(space - rest.p));
	if (!is_target(target))
		return error_set(err, ERR_PROTOCOL, "the target of the request is not valid");
	if (!take_version(h, span_skip(rest, target.n + 1)))
		return error_set(err, ERR_PROTOCOL, "the request is not HTTP/1.x");
	h->method_len = (uint16_t)method.n;
	h->target = (uint16_t)(method.n + 1);
	h->target_len = (uint16_t)target.n;
	return true;
}

static void grow(struct http_head *h)
{
	h->fields_size = h->fields_size ? 2 * h->fields_size : FIELDS_FIRST;
	h->fields = mem_grow(h->fields, h->fields_size, sizeof(*h->fields));
}

/* RFC 9112, 5. */
static bool take_field_line(struct http_head *h, struct span line, struct error *err)
{
	const uint8_t *colon = memchr(line.p, ':', line.n), *bytes = buf_bytes(&h->bytes).p;
	size_t number = h->n_lines + 1;
	struct span name, value;

	if (h->n_lines == HTTP_LINES_MAX)
		return error_set(err, ERR_PROTOCOL, "the %s has more than %d header lines", noun(h),
				 HTTP_LINES_MAX);
	if (is_blank(line.p[0])) /* RFC 9112, 5.2 */
		return error_set(err, ERR_PROTOCOL, "header line %zu of the %s is folded", number,
				 noun(h));
	if (!colon)
		return error_set(err, ERR_PROTOCOL, "header line %zu of the %s has no colon",
				 number, noun(h));
	name = span_of(line.p, (size_t)(colon - line.p));
	value = trim(span_skip(line, name.n + 1));
	if (name.n > 0 && is_blank(name.p[name.n - 1])) /* RFC 9112, 5.1 */
		return error_set(err, ERR_PROTOCOL,
				 "header line %zu of the %s has white space before the colon",
				 number, noun(h));
	if (!http_is_token(name))
		return error_set(err, ERR_PROTOCOL,
				 "the name in header line %zu of the %s is not a token", number,
				 noun(h));
	if (!http_is_field_value(value))
		return error_set(err, ERR_PROTOCOL,
				 "header line %zu of the %s has a control character", number,
				 noun(h));
	if (h->n_lines == h->fields_size)
		grow(h);
	h->fields[h->n_lines] = (struct http_field_at){
		.name = (uint16_t)(name.p - bytes),
		.name_len = (uint16_t)name.n,
		.value = (uint16_t)(value.p - bytes),
		.value_len = (uint16_t)value.n,
	};
	h->n_lines++;
	return true;
}

/* The line that begins at line_start and ends with the last stored byte, an LF. */
static enum http_head_result take_line(struct http_head *h, struct error *err)
{
	struct span line = span_skip(buf_bytes(&h->bytes), h->line_start);
	bool is_first = h->line_start == 0, ok;

	if (line.n < 2 || line.p[line.n - 2] != '\r') {
		error_set(err, ERR_PROTOCOL, "a line of the %s ends without CR", noun(h));
		return HTTP_HEAD_BAD;
	}
	line.n -= 2;
	h->line_start = h->bytes.len;
	if (line.n == 0 && !is_first)
		return HTTP_HEAD_DONE;
	if (!is_first)
		ok = take_field_line(h, line, err);
	else if (h->is_request)
		ok = take_request_line(h, line, err);
	else
		ok = take_status_line(h, line, err);
	return ok ? HTTP_HEAD_MORE : HTTP_HEAD_BAD;
}

/* Something that is no HTTP at all may never send a line end: do not wait for one. */
static bool check_beginning(const struct http_head *h, struct span piece, struct error *err)
{
	size_t at = h->bytes.len;

	if (h->is_request)
		return true;
	for (size_t i = 0; i < piece.n && at + i < VERSION_PREFIX_LEN; i++) {
		if (piece.p[i] == (uint8_t)version_prefix[at + i])
			continue;
		/* The record types of a TLS alert and handshake. */
		if (at + i == 0 && (piece.p[0] == 0x15 || piece.p[0] == 0x16))
			return error_set(err, ERR_PROTOCOL,
					 "the answer is TLS where plain HTTP was expected");
		return error_set(err, ERR_PROTOCOL, "the answer is not HTTP/1.x");
	}
	return true;
}

/* Stores a piece of the current line. Of two limits the one that is met first is named. */
static bool store(struct http_head *h, struct span piece, struct error *err)
{
	bool is_first = h->line_start == 0;
	size_t line_max = is_first ? HTTP_FIRST_LINE_MAX : HTTP_LINE_MAX;
	size_t line_room = line_max - (h->bytes.len - h->line_start);
	size_t head_room = HTTP_HEAD_MAX - h->bytes.len;

	if (!check_beginning(h, piece, err))
		return false;
	if (piece.n > line_room && line_room <= head_room)
		return error_set(err, ERR_PROTOCOL, "%s line of the %s is longer than %zu bytes",
				 is_first ? "the first" : "a header", noun(h), line_max);
	if (piece.n > head_room)
		return error_set(err, ERR_PROTOCOL, "the head of the %s is longer than %d bytes",
				 noun(h), HTTP_HEAD_MAX);
	if (!buf_append(&h->bytes, piece))
		return error_set(err, ERR_INTERNAL, "out of memory for the head of the %s",
				 noun(h));
	return true;
}

enum http_head_result http_head_feed(struct http_head *h, struct span *input, struct error *err)
{
	while (input->n > 0) {
		const uint8_t *end = memchr(input->p, '\n', input->n);
		struct span piece = *input;
		enum http_head_result result;

		if (end)
			piece.n = (size_t)(end - input->p) + 1;
		if (!store(h, piece, err))
			return HTTP_HEAD_BAD;
		*input = span_skip(*input, piece.n);
		result = end ? take_line(h, err) : HTTP_HEAD_MORE;
		if (result != HTTP_HEAD_MORE)
			return result;
	}
	return HTTP_HEAD_MORE;
}

void http_head_again(struct http_head *h, struct span bytes)
{
	struct error err;

	http_head_init(h);
	http_head_feed(h, &bytes, &err);
}

static struct span part(const struct http_head *h, uint16_t at, uint16_t n)
{
	return span_of(buf_bytes(&h->bytes).p + at, n);
}

struct span http_head_method(const struct http_head *h)
{
	return part(h, 0, h->method_len);
}

struct span http_head_target(const struct http_head *h)
{
	return part(h, h->target, h->target_len);
}

struct http_field http_head_field(const struct http_head *h, size_t i)
{
	return (struct http_field){
		.name = part(h, h->fields[i].name, h->fields[i].name_len),
		.value = part(h, h->fields[i].value, h->fields[i].value_len),
	};
}

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c;
}

static bool equal_no_case(struct span s, const char *text)
{
	if (s.n != strlen(text))
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (lower(s.p[i]) != lower((uint8_t)text[i]))
			return false;
	}
	return true;
}

bool http_head_find(const struct http_head *h, const char *name, size_t *i, struct span *value)
{
	for (size_t at = *i; at < h->n_lines; at++) {
		struct http_field field = http_head_field(h, at);

		if (!equal_no_case(field.name, name))
			continue;
		*i = at + 1;
		*value = field.value;
		return true;
	}
	return false;
}

bool http_list_has_token(struct span value, const char *token)
{
	while (value.n > 0) {
		const uint8_t *comma = memchr(value.p, ',', value.n);
		size_t n = comma ? (size_t)(comma - value.p) : value.n;

		if (equal_no_case(trim(span_of(value.p, n)), token))
			return true;
		value = span_skip(value, comma ? n + 1 : n);
	}
	return false;
}
