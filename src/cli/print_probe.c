/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `probe` for people: a line for each stage, the addresses as a table, then
 * what there is to tell of the connection. Owns nothing. The trap: error
 * texts, names in certificates and addresses have been escaped where they came
 * from, header values and bodies have not.
 */
#include "cli/print_probe.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/escape.h"
#include "base/mem.h"
#include "control/names.h"
#include "tool/probe_view.h"

#define LABEL_WIDTH 12
#define INDENT 4

/* A labelled line; takes the text, nothing for NULL. */
static void line_take(struct printer *p, const char *label, char *text, enum table_mark mark)
{
	if (text) {
		print_mark(p, MARK_DIM);
		fprintf(p->out, "  %-*s", LABEL_WIDTH, label);
		print_mark_end(p, MARK_DIM);
		fputc(' ', p->out);
		print_mark(p, mark);
		fputs(text, p->out);
		print_mark_end(p, mark);
		fputc('\n', p->out);
	}
	free(text);
}

static void line(struct printer *p, const char *label, const json_t *string)
{
	line_take(p, label, text_of(string), MARK_NONE);
}

static char *text_time(const json_t *time)
{
	return json_is_number(time) ? text_duration(json_number_value(time)) : NULL;
}

static void print_outcome(struct printer *p, const json_t *report)
{
	bool ok = json_is_true(json_object_get(report, PROBE_OK));
	enum table_mark mark = ok ? MARK_GOOD : MARK_BAD;
	mem_auto_str url = text_of(json_object_get(report, FIELD_URL));

	fprintf(p->out, "%s: ", url ? url : "-");
	print_mark(p, mark);
	fputs(ok ? "open" : "failed", p->out);
	print_mark_end(p, mark);
	fputc('\n', p->out);
	line(p, "redirected", json_object_get(report, PROBE_REDIRECTED));
}

/* "41ms", or "failed after 41ms: …" for the stage at fault; NULL if it was not reached. */
static char *text_stage(const json_t *report, const char *stage, bool failed)
{
	const json_t *error = json_object_get(report, PROBE_ERROR);
	char *took = text_time(json_object_get(json_object_get(report, FIELD_TIMINGS), stage));
	mem_auto_str why = text_of(json_object_get(error, FIELD_MESSAGE));
	char *text;

	if (!failed)
		return took;
	text = mem_printf("failed%s%s: %s", took ? " after " : "", took ? took : "",
			  why ? why : "-");
	free(took);
	return text;
}

/* A failure that belongs to no stage comes behind them all. */
static void print_stages(struct printer *p, const json_t *report)
{
	const json_t *error = json_object_get(report, PROBE_ERROR);
	const char *at = json_string_value(json_object_get(error, FIELD_STAGE));
	bool told = !error;

	for (int s = STAGE_RESOLVE; s <= STAGE_OPEN; s++) {
		const char *stage = stage_name((enum stage)s);
		bool failed = at && strcmp(at, stage) == 0;

		told = told || failed;
		line_take(p, stage, text_stage(report, stage, failed),
			  failed ? MARK_BAD : MARK_NONE);
	}
	if (!told)
		line_take(p, "error", text_of(json_object_get(error, FIELD_MESSAGE)), MARK_BAD);
	line_take(p, PROBE_TOTAL, text_stage(report, PROBE_TOTAL, false), MARK_NONE);
}

static void print_addresses(struct printer *p, const json_t *addresses)
{
	static const struct table_column columns[] = {
		{ .title = "  ADDRESS" },
		{ .title = "TIME", .right = true },
		{ .title = "RESULT" },
	};
	struct table *t = table_new(columns, sizeof(columns) / sizeof(*columns));

	for (size_t i = 0; i < json_array_size(addresses); i++) {
		const json_t *a = json_array_get(addresses, i);
		const char *result = json_string_value(json_object_get(a, PROBE_RESULT));
		bool good = result && strcmp(result, PROBE_CONNECTED) == 0;
		mem_auto_str address = text_of(json_object_get(a, PROBE_ADDRESS));

		table_add_take(t, mem_printf("  %s", address ? address : "-"), MARK_NONE);
		table_add_take(t, text_time(json_object_get(a, PROBE_TIME)), MARK_NONE);
		table_add_take(t, text_of(json_object_get(a, PROBE_RESULT)),
			       good ? MARK_GOOD : MARK_NONE);
	}
	if (json_array_size(addresses) > 0)
		table_print(t, p);
	table_free(t);
}

static char *text_day(const json_t *seconds)
{
	time_t at = (time_t)json_integer_value(seconds);
	struct tm tm;
	char day[32];

	if (!gmtime_r(&at, &tm) || strftime(day, sizeof(day), "%Y-%m-%d", &tm) == 0)
		return mem_strdup("?");
	return mem_strdup(day);
}

static char *text_validity(const json_t *cert)
{
	mem_auto_str from = text_day(json_object_get(cert, FIELD_NOT_BEFORE));
	mem_auto_str to = text_day(json_object_get(cert, FIELD_NOT_AFTER));
	json_int_t left = json_integer_value(json_object_get(cert, PROBE_DAYS_LEFT));

	if (left < 0)
		return mem_printf("%s to %s, expired", from, to);
	return mem_printf("%s to %s, %" JSON_INTEGER_FORMAT " day%s left", from, to, left,
			  left == 1 ? "" : "s");
}

static void print_certificate(struct printer *p, const json_t *cert)
{
	json_int_t left = json_integer_value(json_object_get(cert, PROBE_DAYS_LEFT));
	const json_t *sans = json_object_get(cert, FIELD_SANS);

	line(p, "certificate", json_object_get(cert, FIELD_SUBJECT));
	line(p, "  issuer", json_object_get(cert, FIELD_ISSUER));
	if (json_string_length(sans) > 0)
		line(p, "  names", sans);
	line_take(p, "  valid", text_validity(cert),
		  left < 0		  ? MARK_BAD :
		  left <= PROBE_DAYS_WARN ? MARK_BUSY :
					    MARK_NONE);
}

static void print_tls(struct printer *p, const char *label, const json_t *tls)
{
	bool verified = json_is_true(json_object_get(tls, FIELD_VERIFIED));
	const json_t *chain = json_object_get(tls, PROBE_CHAIN);
	mem_auto_str version = text_of(json_object_get(tls, FIELD_VERSION));
	mem_auto_str cipher = text_of(json_object_get(tls, FIELD_CIPHER));

	if (!version)
		return;
	line_take(p, label,
		  mem_printf("%s, %s, %s", version, cipher ? cipher : "-",
			     verified ? "verified" : "not verified"),
		  verified ? MARK_NONE : MARK_BUSY);
	for (size_t i = 0; i < json_array_size(chain); i++)
		print_certificate(p, json_array_get(chain, i));
}

static void print_header(struct printer *p, const char *name, const json_t *value)
{
	mem_auto_str text = text_raw(value);

	fprintf(p->out, "%*s%s: %s\n", INDENT, "", name, text ? text : "-");
}

static void print_headers(struct printer *p, json_t *headers)
{
	const char *name;
	json_t *value;

	json_object_foreach(headers, name, value) {
		for (size_t i = 0; i < json_array_size(value); i++)
			print_header(p, name, json_array_get(value, i));
		if (!json_is_array(value))
			print_header(p, name, value);
	}
}

/* Line by line, so that it can be read, and each line escaped. */
static void print_body(struct printer *p, const json_t *body)
{
	const char *text = json_string_value(body);
	size_t left = json_string_length(body);

	if (left > 0)
		line_take(p, FIELD_BODY, mem_strdup("as far as it was read:"), MARK_NONE);
	while (left > 0) {
		const char *end = memchr(text, '\n', left);
		size_t n = end ? (size_t)(end - text) : left, used = end ? n + 1 : n;
		size_t shown = n > 0 && text[n - 1] == '\r' ? n - 1 : n;
		size_t size = 4 * (shown + 2);
		mem_auto_str safe = mem_alloc(size);

		fprintf(p->out, "%*s%s\n", INDENT, "",
			escape_text(safe, size, span_of(text, shown)));
		text += used;
		left -= used;
	}
}

static void print_handshake(struct printer *p, const json_t *handshake)
{
	line_take(p, FIELD_STATUS, text_number(json_object_get(handshake, FIELD_STATUS)),
		  MARK_NONE);
	print_headers(p, json_object_get(handshake, FIELD_HEADERS));
	print_body(p, json_object_get(handshake, FIELD_BODY));
}

void print_probe(struct printer *p, const json_t *report)
{
	const json_t *warnings = json_object_get(report, PROBE_WARNINGS);

	print_outcome(p, report);
	print_stages(p, report);
	print_addresses(p, json_object_get(report, PROBE_ADDRESSES));
	line(p, FIELD_PEER, json_object_get(report, FIELD_PEER));
	line(p, PROBE_PROXY, json_object_get(report, PROBE_PROXY));
	print_tls(p, "proxy's tls", json_object_get(report, PROBE_PROXY_TLS));
	print_tls(p, FIELD_TLS, json_object_get(report, FIELD_TLS));
	print_handshake(p, json_object_get(report, FIELD_HANDSHAKE));
	line(p, FIELD_SUBPROTOCOL, json_object_get(report, FIELD_SUBPROTOCOL));
	line(p, "extension", json_array_get(json_object_get(report, PROBE_EXTENSIONS), 0));
	for (size_t i = 0; i < json_array_size(warnings); i++)
		line_take(p, "warning", text_of(json_array_get(warnings, i)), MARK_BUSY);
}
