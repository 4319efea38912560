/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What came from an upstream, as `recv`, `request` and events show it. The
 * trap: payloads need not be UTF-8, not even those of text messages where
 * nobody checks them; then they are escaped.
 */
#include "base/base64.h"
#include "base/mem.h"
#include "control/names.h"
#include "control/view.h"
#include "endpoint/record.h"

static void put(json_t *object, const char *key, json_t *value)
{
	json_object_set_new(object, key, value);
}

static json_t *number(uint64_t n)
{
	return json_integer((json_int_t)n);
}

/* NULL: no memory for it. */
static json_t *base64_of(struct span data)
{
	size_t n = BASE64_ENCODED_SIZE(data.n);
	mem_auto_str text = mem_try_alloc(n + 1);

	if (!text)
		return json_null();
	base64_encode(text, data);
	return json_stringn(text, n);
}

static void put_message(json_t *v, const struct record *r)
{
	bool binary = r->msg.type == MSG_BINARY;

	put(v, FIELD_TYPE, json_string(binary ? "binary" : "text"));
	put(v, FIELD_DATA, binary ? base64_of(r->msg.data) : view_text(r->msg.data));
	if (r->msg.more)
		put(v, FIELD_FIN, json_false());
	put(v, FIELD_SEQ, number(r->seq));
	put(v, FIELD_EPOCH, number(r->epoch));
}

static void put_open(json_t *v, const struct record *r)
{
	put(v, FIELD_URL, r->url ? json_string(r->url) : json_null());
	put(v, FIELD_SUBPROTOCOL, r->subprotocol ? json_string(r->subprotocol) : json_null());
	put(v, FIELD_EPOCH, number(r->epoch));
}

static void put_close(json_t *v, const struct record *r)
{
	put(v, FIELD_CODE, json_integer(r->code));
	put(v, FIELD_REASON, view_text(span_str(r->reason)));
	put(v, FIELD_CLEAN, json_boolean(r->clean));
	put(v, FIELD_RETRY_IN, r->retry_in < 0 ? json_null() : json_real(r->retry_in));
}

void view_record(json_t *v, const struct record *r)
{
	switch (r->type) {
	case RECORD_MESSAGE:
		put_message(v, r);
		break;
	case RECORD_OPEN:
		put_open(v, r);
		break;
	case RECORD_CLOSE:
		put_close(v, r);
		break;
	case RECORD_PING:
	case RECORD_PONG:
		put(v, FIELD_DATA, view_text(r->payload));
		break;
	case RECORD_ERROR:
		put(v, FIELD_ERROR, rpc_error_flat(r->err));
		break;
	case RECORD_GAP:
	case RECORD_ACK:
		break;
	}
	view_time(v, r->time);
}

void view_time(json_t *v, int64_t microseconds)
{
	put(v, FIELD_TIME, json_real((double)microseconds / 1e6));
}
