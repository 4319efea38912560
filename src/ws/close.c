/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Close codes as one table. It knows nothing of the closing handshake, which
 * is conn.c's. Owns nothing. The trap: 1005, 1006 and 1015 have names, as they
 * stand in status and logs, but must never be on the wire (RFC 6455, 7.4.1).
 */
#include "ws/close.h"

#include <assert.h>

#include "base/cursor.h"
#include "base/utf8.h"

enum { BY_CLIENT = 1, BY_SERVER = 2, BY_BOTH = 3 };

struct row {
	int first, last;
	unsigned by; /* who may send it */
	const char *name;
};

/* RFC 6455, 7.4.1 and 7.4.2; 1012 to 1014 from the registry are a server's to say. */
static const struct row rows[] = {
	{ 1000, 1000, BY_BOTH, "normal closure" },
	{ 1001, 1001, BY_BOTH, "going away" },
	{ 1002, 1002, BY_BOTH, "protocol error" },
	{ 1003, 1003, BY_BOTH, "unsupported data" },
	{ 1005, 1005, 0, "no status received" },
	{ 1006, 1006, 0, "abnormal closure" },
	{ 1007, 1007, BY_BOTH, "invalid payload" },
	{ 1008, 1008, BY_BOTH, "policy violation" },
	{ 1009, 1009, BY_BOTH, "message too big" },
	{ 1010, 1010, BY_BOTH, "mandatory extension" },
	{ 1011, 1011, BY_BOTH, "internal error" },
	{ 1012, 1012, BY_SERVER, "service restart" },
	{ 1013, 1013, BY_SERVER, "try again later" },
	{ 1014, 1014, BY_SERVER, "bad gateway" },
	{ 1015, 1015, 0, "TLS handshake failed" },
	{ 3000, 3999, BY_BOTH, "registered use" },
	{ 4000, 4999, BY_BOTH, "private use" },
};

static const struct row *row_of(int code)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (code >= rows[i].first && code <= rows[i].last)
			return &rows[i];
	}
	return NULL;
}

static bool may_send(int code, unsigned who)
{
	const struct row *row = row_of(code);

	return row && (row->by & who) != 0;
}

bool close_code_sendable(int code)
{
	return may_send(code, BY_CLIENT);
}

bool close_code_receivable(int code)
{
	return may_send(code, BY_SERVER);
}

const char *close_code_name(int code)
{
	const struct row *row = row_of(code);

	return row ? row->name : "reserved";
}

size_t close_encode(uint8_t out[WS_CONTROL_MAX], int code, struct span reason)
{
	if (code == 0)
		return 0;
	assert(code > 0 && code <= UINT16_MAX && reason.n <= WS_CLOSE_REASON_MAX);
	out[0] = (uint8_t)(code >> 8);
	out[1] = (uint8_t)code;
	if (reason.n > 0)
		memcpy(out + 2, reason.p, reason.n);
	return 2 + reason.n;
}

static bool refuse(struct error *err, enum err what, int code, const char *text)
{
	error_set(err, what, "%s", text);
	err->close_code = code;
	return false;
}

bool close_decode(struct span body, int *code, struct span *reason, struct error *err)
{
	struct span rest = body;
	uint64_t got;

	if (body.n == 0) {
		*code = CLOSE_NONE;
		*reason = body;
		return true;
	}
	if (!cursor_be(&rest, 2, &got)) /* RFC 6455, 5.5.1 */
		return refuse(err, ERR_PROTOCOL, CLOSE_PROTOCOL, "a Close has a body of one byte");
	if (!close_code_receivable((int)got)) {
		error_set(err, ERR_PROTOCOL, "a Close has the code %d, which must not be sent",
			  (int)got);
		err->close_code = CLOSE_PROTOCOL;
		return false;
	}
	if (!utf8_valid(rest)) /* RFC 6455, 5.5.1 and 8.1 */
		return refuse(err, ERR_PAYLOAD, CLOSE_PAYLOAD,
			      "the reason in a Close is not UTF-8");
	*code = (int)got;
	*reason = rest;
	return true;
}
