/* SPDX-License-Identifier: Apache-2.0 */
/* See connect_json.h. The trap: if the options say so, a text need not be UTF-8; it is escaped. */
#include "tool/connect_json.h"

#include <stdlib.h>

#include "base/base64.h"
#include "base/mem.h"
#include "conf/json_head.h"
#include "control/names.h"

static json_t *base64_of(struct span data)
{
	size_t n = BASE64_ENCODED_SIZE(data.n);
	mem_auto_str text = mem_try_alloc(n + 1);

	if (!text)
		return NULL;
	base64_encode(text, data);
	return json_stringn(text, n);
}

static json_t *message(enum msg_type type, struct msg msg)
{
	bool binary = type == MSG_BINARY;
	json_t *data = binary ? base64_of(msg.data) : json_shown_text(msg.data);
	json_t *v = json_pack("{s:s,s:s,s:o}", FIELD_EVENT, EVENT_MESSAGE, FIELD_TYPE,
			      binary ? "binary" : "text", FIELD_DATA, data);

	if (v && msg.more)
		json_object_set_new(v, FIELD_FIN, json_false());
	return v;
}

json_t *connect_json_payload(enum connect_kind kind, struct msg msg)
{
	switch (kind) {
	case CONNECT_TEXT:
		return message(MSG_TEXT, msg);
	case CONNECT_BINARY:
		return message(MSG_BINARY, msg);
	case CONNECT_PING:
	case CONNECT_PONG:
		return json_pack("{s:s,s:o}", FIELD_EVENT,
				 kind == CONNECT_PING ? EVENT_PING : EVENT_PONG, FIELD_DATA,
				 json_shown_text(msg.data));
	case CONNECT_CLOSE:
	case CONNECT_NOTE:
		break;
	}
	return NULL;
}

json_t *connect_json_open(const char *url, const char *subprotocol)
{
	return json_pack("{s:s,s:s,s:s?}", FIELD_EVENT, EVENT_OPEN, FIELD_URL, url,
			 FIELD_SUBPROTOCOL, subprotocol);
}

json_t *connect_json_close(const struct session_end *end)
{
	return json_pack("{s:s,s:i,s:s,s:b}", FIELD_EVENT, EVENT_CLOSE, FIELD_CODE, end->close_code,
			 FIELD_REASON, end->reason, FIELD_CLEAN, end->clean);
}

bool connect_json_put(json_t *v, int64_t time, bool ascii, struct buf *out)
{
	size_t flags = JSON_COMPACT | JSON_REAL_PRECISION(15) | (ascii ? JSON_ENSURE_ASCII : 0);
	char *line;
	bool good;

	if (!v)
		return false;
	json_object_set_new(v, FIELD_TIME, json_real((double)time / 1e6));
	line = json_dumps(v, flags);
	json_decref(v);
	good = line && buf_append(out, span_str(line)) && buf_append(out, span_str("\n"));
	free(line);
	return good;
}
