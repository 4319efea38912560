/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records → JSON objects, one on each line (on a seqpacket socket: in each
 * packet, without a newline). Nothing here reads what clients write:
 * framing_json_read.c. Owned by nobody (a table of functions). The trap: the
 * number of a message is read back from its first bytes (seq_of), so `seq`
 * must stay right behind `type`, and no event may begin like a message.
 */
#include <assert.h>

#include "base/json_cut.h"
#include "base/utf8.h"
#include "endpoint/framing_json_int.h"
#include "endpoint/json_out.h"

#define TEXT_HEAD "{\"type\":\"text\",\"seq\":"
#define BINARY_HEAD "{\"type\":\"binary\",\"seq\":"
#define THEN_EPOCH ",\"epoch\":"
#define THEN_TIME ",\"time\":"
#define THEN_UNFINISHED ",\"fin\":false"
#define THEN_VALUE ",\"inline\":true,\"data\":"
#define THEN_DATA ",\"data\":"

static void put_text(struct json_out *o, const char *key, const char *text)
{
	json_out_raw(o, key);
	json_out_any_text(o, span_str(text));
}

static void put_text_or_null(struct json_out *o, const char *key, const char *text)
{
	json_out_raw(o, key);
	if (text)
		json_out_any_text(o, span_str(text));
	else
		json_out_raw(o, "null");
}

static void put_unsigned(struct json_out *o, const char *key, uint64_t v)
{
	json_out_raw(o, key);
	json_out_unsigned(o, v);
}

static void put_number(struct json_out *o, const char *key, int v)
{
	json_out_raw(o, key);
	json_out_number(o, v);
}

static void put_time(struct json_out *o, const struct record *r)
{
	json_out_raw(o, THEN_TIME);
	json_out_time(o, r->time);
}

static void put_data(struct json_out *o, const struct record *r, const struct framing_plan *plan)
{
	if (r->msg.type == MSG_BINARY)
		json_out_base64(o, r->msg.data);
	else if (plan->as_value && plan->one_line)
		json_out_bytes(o, r->msg.data.p, r->msg.data.n);
	else if (plan->as_value)
		json_out_value(o, r->msg.data);
	else if (plan->replaced)
		json_out_any_text(o, r->msg.data);
	else
		json_out_text(o, r->msg.data);
}

static void put_message(struct json_out *o, const struct record *r, const struct framing_plan *plan)
{
	if (r->msg.type == MSG_TEXT)
		json_out_raw(o, TEXT_HEAD);
	else
		json_out_raw(o, BINARY_HEAD);
	json_out_unsigned(o, r->seq);
	json_out_raw(o, THEN_EPOCH);
	json_out_unsigned(o, r->epoch);
	json_out_raw(o, THEN_TIME);
	json_out_time(o, r->time);
	if (r->msg.more)
		json_out_raw(o, THEN_UNFINISHED);
	if (plan->as_value)
		json_out_raw(o, THEN_VALUE);
	else
		json_out_raw(o, THEN_DATA);
	put_data(o, r, plan);
}

#define LEN(text) (sizeof(text) - 1)

/* What put_message counts, without going through all of it for each message. */
static void count_message(struct json_out *o, const struct record *r,
			  const struct framing_plan *plan)
{
	o->n += r->msg.type == MSG_TEXT ? LEN(TEXT_HEAD) : LEN(BINARY_HEAD);
	o->n += LEN(THEN_EPOCH) + LEN(THEN_TIME) + (r->msg.more ? LEN(THEN_UNFINISHED) : 0);
	o->n += plan->as_value ? LEN(THEN_VALUE) : LEN(THEN_DATA);
	o->n += json_out_digits(r->seq) + json_out_digits(r->epoch) + json_out_time_size(r->time);
	put_data(o, r, plan);
}

static void put_open(struct json_out *o, const struct record *r)
{
	put_text_or_null(o, "{\"type\":\"open\",\"url\":", r->url);
	put_text_or_null(o, ",\"subprotocol\":", r->subprotocol);
	put_unsigned(o, THEN_EPOCH, r->epoch);
	put_time(o, r);
}

static void put_close(struct json_out *o, const struct record *r)
{
	put_number(o, "{\"type\":\"close\",\"code\":", r->code);
	put_text(o, ",\"reason\":", r->reason ? r->reason : "");
	json_out_raw(o, ",\"clean\":");
	json_out_bool(o, r->clean);
	json_out_raw(o, ",\"retry_in\":");
	if (r->retry_in < 0)
		json_out_raw(o, "null");
	else
		json_out_seconds(o, r->retry_in);
	put_time(o, r);
}

static void put_payload(struct json_out *o, const char *head, const struct record *r)
{
	json_out_raw(o, head);
	if (utf8_valid(r->payload)) {
		json_out_text(o, r->payload);
	} else {
		json_out_base64(o, r->payload);
		json_out_raw(o, ",\"encoding\":\"base64\"");
	}
	put_time(o, r);
}

static void put_gap(struct json_out *o, const struct record *r)
{
	put_unsigned(o, "{\"type\":\"gap\",\"dropped\":", r->dropped);
	put_unsigned(o, ",\"from\":", r->from);
	put_unsigned(o, ",\"to\":", r->to);
}

static void put_id(struct json_out *o, const struct record *r)
{
	if (r->id.n == 0)
		return;
	json_out_raw(o, ",\"id\":");
	json_out_value(o, r->id);
}

/* The members of wsbridge-rpc(7)'s error objects, in one level. */
static void put_error_object(struct json_out *o, const struct error *err)
{
	put_number(o, "{\"code\":", error_rpc_code(err->code));
	put_text(o, ",\"message\":", *err->text ? err->text : error_sentence(err->code));
	put_text(o, ",\"kind\":", error_kind(err->code));
	if (err->stage != STAGE_NONE)
		put_text(o, ",\"stage\":", stage_name(err->stage));
	if (err->status)
		put_number(o, ",\"status\":", err->status);
	if (err->close_code)
		put_number(o, ",\"close_code\":", err->close_code);
	if (*err->option)
		put_text(o, ",\"option\":", err->option);
	if (error_is_about_upstream(err)) {
		json_out_raw(o, ",\"retryable\":");
		json_out_bool(o, error_is_retryable(err));
	}
	json_out_raw(o, "}");
}

static void put_error(struct json_out *o, const struct record *r)
{
	json_out_raw(o, "{\"type\":\"error\",\"error\":");
	put_error_object(o, r->err);
	put_id(o, r);
	put_time(o, r);
}

static void put_ack(struct json_out *o, const struct record *r)
{
	json_out_raw(o, "{\"type\":\"ack\"");
	put_id(o, r);
}

static void put_record(struct json_out *o, const struct record *r, const struct framing_plan *plan)
{
	switch (r->type) {
	case RECORD_MESSAGE:
		if (o->p)
			put_message(o, r, plan);
		else
			count_message(o, r, plan);
		break;
	case RECORD_OPEN:
		put_open(o, r);
		break;
	case RECORD_CLOSE:
		put_close(o, r);
		break;
	case RECORD_PING:
		put_payload(o, "{\"type\":\"ping\",\"data\":", r);
		break;
	case RECORD_PONG:
		put_payload(o, "{\"type\":\"pong\",\"data\":", r);
		break;
	case RECORD_GAP:
		put_gap(o, r);
		break;
	case RECORD_ERROR:
		put_error(o, r);
		break;
	case RECORD_ACK:
		put_ack(o, r);
		break;
	}
}

static void put_line(const struct framing *f, struct json_out *o, const struct record *r,
		     const struct framing_plan *plan)
{
	put_record(o, r, plan);
	json_out_raw(o, f->rules->type == SOCKET_SEQPACKET ? "}" : "}\n");
}

static bool is_wanted(const struct framing *f, enum record_type type)
{
	static const unsigned events[] = {
		[RECORD_MESSAGE] = 0,	       [RECORD_OPEN] = EVENTS_OPEN,
		[RECORD_CLOSE] = EVENTS_CLOSE, [RECORD_PING] = EVENTS_PING,
		[RECORD_PONG] = EVENTS_PONG,   [RECORD_GAP] = EVENTS_GAP,
		[RECORD_ERROR] = EVENTS_ERROR, [RECORD_ACK] = EVENTS_ACK,
	};

	return type == RECORD_MESSAGE || (f->rules->events & events[type]) != 0;
}

/* A fragment is no text of its own, so it never stands for a value. */
static bool is_value(const struct framing *f, const struct record *r, bool *one_line)
{
	return f->rules->data == JSON_DATA_INLINE && !r->msg.more && !r->continued &&
	       json_cut_valid_line(r->msg.data, JSON_DEPTH_MAX, one_line);
}

static bool json_measure(const struct framing *f, const struct record *r, struct framing_plan *plan)
{
	struct json_out o = { .p = NULL };

	if (!is_wanted(f, r->type))
		return false;
	*plan = (struct framing_plan){ .size = 0 };
	if (r->type == RECORD_MESSAGE && r->msg.type == MSG_TEXT) {
		plan->as_value = is_value(f, r, &plan->one_line);
		plan->replaced = !plan->as_value && !utf8_valid(r->msg.data);
	}
	put_line(f, &o, r, plan);
	plan->size = o.n;
	return true;
}

static void json_encode(const struct framing *f, const struct record *r,
			const struct framing_plan *plan, uint8_t *out)
{
	struct json_out o = { .p = out };

	put_line(f, &o, r, plan);
	assert(o.n == plan->size);
}

static bool skip_head(struct span *record, const char *head)
{
	size_t n = strlen(head);

	if (record->n < n || memcmp(record->p, head, n) != 0)
		return false;
	*record = span_skip(*record, n);
	return true;
}

static bool json_seq_of(struct span record, uint64_t *seq)
{
	uint64_t v = 0;

	if (!skip_head(&record, TEXT_HEAD) && !skip_head(&record, BINARY_HEAD))
		return false;
	for (size_t i = 0; i < record.n && record.p[i] >= '0' && record.p[i] <= '9'; i++)
		v = 10 * v + (uint64_t)(record.p[i] - '0');
	*seq = v;
	return true;
}

const struct framing_ops framing_json = {
	.begin = framing_json_begin,
	.measure = json_measure,
	.encode = json_encode,
	.next = framing_json_next,
	.finish = framing_json_finish,
	.seq_of = json_seq_of,
};
