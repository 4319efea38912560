/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Request text and verdict on the response (RFC 6455, 4.1). No redirects and
 * no authentication: a status other than 101 goes up as it is. The struct
 * belongs to whoever embeds it. The trap: what is put into the request must be
 * clean already; a line break in it would be a second request, so it is
 * asserted here once more.
 */
#include "ws/upgrade.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <strings.h>

#include "base/base64.h"
#include "base/mem.h"
#include "base/rand.h"
#include "ws/deflate_terms.h"
#include "ws/limits.h"

#define GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" /* RFC 6455, 1.3 */

enum { NONCE_SIZE = 16, DIGEST_SIZE = 20, STATUS_SWITCHING = 101 };

void upgrade_accept(char accept[UPGRADE_ACCEPT_LEN + 1], struct span key)
{
	uint8_t text[UPGRADE_KEY_LEN + sizeof(GUID) - 1], digest[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	int ok;

	assert(key.n == UPGRADE_KEY_LEN);
	memcpy(text, key.p, key.n);
	memcpy(text + key.n, GUID, sizeof(GUID) - 1);
	ok = EVP_Digest(text, sizeof(text), digest, &n, EVP_sha1(), NULL);
	assert(ok == 1 && n == DIGEST_SIZE);
	base64_encode(accept, span_of(digest, n));
	accept[UPGRADE_ACCEPT_LEN] = '\0';
}

static void put(struct buf *out, const char *text)
{
	if (!buf_append(out, span_str(text)))
		abort(); /* memory; the cap is the caller's promise */
}

static void put_line(struct buf *out, const char *name, const char *value)
{
	if (!value)
		return;
	assert(http_is_token(span_str(name)) && http_is_field_value(span_str(value)));
	put(out, name);
	put(out, ": ");
	put(out, value);
	put(out, "\r\n");
}

/* Visible ASCII only (RFC 9112, 3.2); beyond it a target has to be percent-encoded. */
static bool is_target(const char *target)
{
	for (const char *c = target; *c; c++) {
		if (*c <= ' ' || *c >= 0x7F)
			return false;
	}
	return target[0] != '\0';
}

static void put_subprotocols(struct buf *out, const struct ws_params *params)
{
	for (size_t i = 0; i < params->n_subprotocols; i++) {
		assert(http_is_token(span_str(params->subprotocols[i])));
		put(out, i == 0 ? "Sec-WebSocket-Protocol: " : ", ");
		put(out, params->subprotocols[i]);
	}
	if (params->n_subprotocols > 0)
		put(out, "\r\n");
}

static void put_extensions(struct buf *out, const struct ws_params *params)
{
	char offer[DEFLATE_TERMS_TEXT];

	if (params->deflate.on)
		put_line(out, "Sec-WebSocket-Extensions",
			 deflate_terms_offer(offer, &params->deflate));
}

static void put_request(struct buf *out, const struct ws_params *params, const char *key)
{
	assert(is_target(params->target));
	put(out, "GET ");
	put(out, params->target);
	put(out, " HTTP/1.1\r\n");
	put_line(out, "Host", params->host);
	put_line(out, "Upgrade", "websocket");
	put_line(out, "Connection", "Upgrade");
	put_line(out, "Sec-WebSocket-Key", key);
	put_line(out, "Sec-WebSocket-Version", "13");
	put_subprotocols(out, params);
	put_extensions(out, params);
	put_line(out, "Origin", params->origin);
	put_line(out, "User-Agent", params->user_agent);
	for (size_t i = 0; i < params->n_headers; i++)
		put_line(out, params->headers[i].name, params->headers[i].value);
	put(out, "\r\n");
}

void upgrade_init(struct upgrade *u, const struct ws_params *params, struct buf *out)
{
	char key[UPGRADE_KEY_LEN + 1] = "";
	uint8_t nonce[NONCE_SIZE];

	*u = (struct upgrade){ .n_offered = params->n_subprotocols,
			       .deflate_offer = params->deflate };
	if (u->n_offered > 0)
		u->offered = mem_array(u->n_offered, sizeof(*u->offered));
	for (size_t i = 0; i < params->n_subprotocols; i++)
		u->offered[i] = mem_strdup(params->subprotocols[i]);
	params->rand->fill(params->rand, nonce, sizeof(nonce));
	base64_encode(key, span_of(nonce, sizeof(nonce)));
	upgrade_accept(u->accept, span_str(key));
	put_request(out, params, key);
}

void upgrade_deinit(struct upgrade *u)
{
	for (size_t i = 0; i < u->n_offered; i++)
		free(u->offered[i]);
	free(u->offered);
	*u = (struct upgrade){ .deflate = u->deflate };
}

static bool refuse(struct error *err, const char *text)
{
	error_set(err, ERR_PROTOCOL, "%s", text);
	err->stage = STAGE_HANDSHAKE;
	return false;
}

/* How many fields have this name; *value is the last one's. */
static size_t count_fields(const struct http_head *head, const char *name, struct span *value)
{
	size_t n = 0;

	for (size_t i = 0; http_head_find(head, name, &i, value);)
		n++;
	return n;
}

static bool check_switch(const struct http_head *head, struct error *err)
{
	struct span value;
	bool found = false;

	/* RFC 6455, 4.1: the value of Upgrade is that word and nothing else */
	if (count_fields(head, "Upgrade", &value) != 1 || value.n != strlen("websocket") ||
	    strncasecmp((const char *)value.p, "websocket", value.n) != 0)
		return refuse(err, "the response does not upgrade to websocket");
	for (size_t i = 0; !found && http_head_find(head, "Connection", &i, &value);)
		found = http_list_has_token(value, "upgrade");
	if (!found)
		return refuse(err, "the response lacks \"Connection: Upgrade\"");
	return true;
}

static bool check_accept(const struct upgrade *u, const struct http_head *head, struct error *err)
{
	struct span value;
	size_t n = count_fields(head, "Sec-WebSocket-Accept", &value);

	if (n == 0)
		return refuse(err, "the response lacks Sec-WebSocket-Accept");
	if (n > 1) /* RFC 6455, 11.3.3 */
		return refuse(err, "the response has more than one Sec-WebSocket-Accept");
	if (!span_equal(value, span_str(u->accept)))
		return refuse(err, "Sec-WebSocket-Accept does not answer our key");
	return true;
}

/* RFC 6455, 4.1: what was not offered must not be used. */
static bool check_choice(struct upgrade *u, const struct http_head *head, struct error *err)
{
	struct span value;
	size_t n;

	if (!deflate_terms_judge(&u->deflate_offer, head, &u->deflate, err)) {
		err->stage = STAGE_HANDSHAKE;
		return false;
	}
	n = count_fields(head, "Sec-WebSocket-Protocol", &value);
	if (n == 0)
		return true;
	if (n > 1) /* RFC 6455, 11.3.4 */
		return refuse(err, "the response has more than one Sec-WebSocket-Protocol");
	for (size_t i = 0; i < u->n_offered; i++) {
		if (span_equal(value, span_str(u->offered[i]))) {
			u->chosen = u->offered[i];
			return true;
		}
	}
	return refuse(err, "the server chose a subprotocol that was not offered");
}

static enum upgrade_verdict judge_status(struct upgrade *u, int status, struct error *err)
{
	if (status < 200 && u->interim++ < WS_INTERIM_MAX)
		return UPGRADE_INTERIM; /* RFC 9110, 15.2 */
	if (status < 200) {
		refuse(err, "the server sent too many interim responses");
		return UPGRADE_REFUSED;
	}
	error_set(err, ERR_BAD_STATUS, "the server answered with status %d", status);
	err->stage = STAGE_HANDSHAKE;
	err->status = status;
	return UPGRADE_REFUSED;
}

enum upgrade_verdict upgrade_judge(struct upgrade *u, const struct http_head *head,
				   struct error *err)
{
	if (head->status != STATUS_SWITCHING)
		return judge_status(u, head->status, err);
	if (head->minor == 0) { /* RFC 6455, 4.1: HTTP/1.1 or higher */
		refuse(err, "the response is HTTP/1.0");
		return UPGRADE_REFUSED;
	}
	if (!check_switch(head, err) || !check_accept(u, head, err) || !check_choice(u, head, err))
		return UPGRADE_REFUSED;
	return UPGRADE_ACCEPTED;
}
