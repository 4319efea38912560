/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filling and looking up the error value. It does not log and does not
 * translate. The caller owns the struct. The trap: arguments may point into
 * the very struct that is being filled, so text is made aside and copied last.
 */
#include "base/error.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"

/* Longer than error.text by more than one character: the cut is never made by vsnprintf. */
#define RAW_SIZE (sizeof(((struct error *)NULL)->text) + 8)

struct row {
	const char *kind, *sentence;
	int rpc_code, exit_status;
};

static const struct row rows[] = {
	[ERR_NONE] = { "none", "no error", 0, 0 },
#define X(name, rpc, kind, status, sentence) [ERR_##name] = { kind, sentence, rpc, status },
#include "base/errors.def"
#undef X
};

#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

static const struct row *row_of(enum err code)
{
	return &rows[(size_t)code < N_ROWS ? (size_t)code : ERR_INTERNAL];
}

/* Copies as many whole characters as fit; a byte that is no UTF-8 becomes a question mark. */
static void copy_clean(char *out, size_t size, const char *raw)
{
	struct span rest = span_str(raw);
	size_t at = 0;

	while (rest.n > 0) {
		size_t n = utf8_char_len(rest);

		if (at + (n ? n : 1) >= size)
			break;
		if (n > 0)
			memcpy(out + at, rest.p, n);
		else
			out[at] = '?';
		at += n ? n : 1;
		rest = span_skip(rest, n ? n : 1);
	}
	out[at] = '\0';
}

static void set_text(struct error *err, enum err code, const char *raw)
{
	char text[sizeof(err->text)];

	copy_clean(text, sizeof(text), raw);
	*err = ERROR_INIT;
	err->code = code;
	memcpy(err->text, text, sizeof(text));
}

bool error_set(struct error *err, enum err code, const char *fmt, ...)
{
	char raw[RAW_SIZE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(raw, sizeof(raw), fmt, ap);
	va_end(ap);
	set_text(err, code, raw);
	return false;
}

bool error_set_os(struct error *err, enum err code, int os, const char *fmt, ...)
{
	char raw[RAW_SIZE], joined[2 * RAW_SIZE], why[128];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(raw, sizeof(raw), fmt, ap);
	va_end(ap);
	snprintf(joined, sizeof(joined), "%s: %s", raw, strerror_r(os, why, sizeof(why)));
	set_text(err, code, joined);
	err->os = os;
	return false;
}

bool error_set_option(struct error *err, const char *option, const char *fmt, ...)
{
	char raw[RAW_SIZE], path[sizeof(err->option)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(raw, sizeof(raw), fmt, ap);
	va_end(ap);
	copy_clean(path, sizeof(path), option);
	set_text(err, ERR_INVALID_OPTION, raw);
	memcpy(err->option, path, sizeof(path));
	return false;
}

bool error_context(struct error *err, const char *fmt, ...)
{
	char raw[RAW_SIZE], joined[2 * RAW_SIZE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(raw, sizeof(raw), fmt, ap);
	va_end(ap);
	snprintf(joined, sizeof(joined), "%s: %s", raw, err->text);
	copy_clean(err->text, sizeof(err->text), joined);
	return false;
}

void error_keep(struct error **kept, const struct error *err)
{
	if (!*kept)
		*kept = mem_alloc(sizeof(**kept));
	memmove(*kept, err, sizeof(*err)); /* it may be the one that is kept */
}

const char *error_kind(enum err code)
{
	return row_of(code)->kind;
}

int error_rpc_code(enum err code)
{
	return row_of(code)->rpc_code;
}

int error_exit_status(enum err code)
{
	return row_of(code)->exit_status;
}

const char *error_sentence(enum err code)
{
	return row_of(code)->sentence;
}

const char *stage_name(enum stage stage)
{
	switch (stage) {
	case STAGE_NONE:
		return NULL;
	case STAGE_RESOLVE:
		return "resolve";
	case STAGE_CONNECT:
		return "connect";
	case STAGE_PROXY:
		return "proxy";
	case STAGE_TLS:
		return "tls";
	case STAGE_HANDSHAKE:
		return "handshake";
	case STAGE_OPEN:
		return "open";
	}
	return NULL;
}

static bool status_is_retryable(int status)
{
	return status == 408 || status == 425 || status == 429 || status >= 500;
}

bool error_is_retryable(const struct error *err)
{
	switch (err->code) {
	case ERR_NOT_OPEN:
	case ERR_TIMEOUT:
	case ERR_ADDRESS:
	case ERR_CONNECT:
	case ERR_OVERFLOW:
		return true;
	case ERR_PROXY: /* a proxy that speaks HTTP may have said why */
		return err->status == 0 || status_is_retryable(err->status);
	case ERR_BAD_STATUS:
		return status_is_retryable(err->status);
	case ERR_NONE:
	case ERR_PARSE:
	case ERR_INVALID_REQUEST:
	case ERR_NO_SUCH_METHOD:
	case ERR_INVALID_OPTION:
	case ERR_INTERNAL:
	case ERR_NO_SUCH_BRIDGE:
	case ERR_ALREADY_EXISTS:
	case ERR_TLS:
	case ERR_PROTOCOL:
	case ERR_PAYLOAD:
	case ERR_DENIED:
	case ERR_ENDPOINT:
		break;
	}
	return false;
}

bool error_is_about_upstream(const struct error *err)
{
	return err->stage != STAGE_NONE || error_is_retryable(err) || err->code == ERR_TLS ||
	       err->code == ERR_BAD_STATUS || err->code == ERR_PROTOCOL || err->code == ERR_PAYLOAD;
}

enum err error_from_rpc_code(int rpc_code)
{
	for (size_t i = ERR_NONE + 1; i < N_ROWS; i++) {
		if (rows[i].rpc_code == rpc_code)
			return (enum err)i;
	}
	return ERR_INTERNAL;
}

enum err error_from_kind(const char *kind)
{
	for (size_t i = ERR_NONE + 1; i < N_ROWS; i++) {
		if (strcmp(rows[i].kind, kind) == 0)
			return (enum err)i;
	}
	return ERR_INTERNAL;
}
