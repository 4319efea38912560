/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What there is to tell of a connection: where it leads, its TLS, how long each
 * stage took, what the server has answered. The trap: text from the upstream
 * need not be UTF-8, which the library refuses without a word: it goes through
 * view_text.
 */
#include <stdlib.h>

#include "base/http_head.h"
#include "base/mem.h"
#include "conf/json_head.h"
#include "control/names.h"
#include "control/view.h"
#include "net/dial.h"
#include "net/tls.h"

static json_t *string_or_null(const char *s)
{
	return s ? json_string(s) : json_null();
}

json_t *view_text(struct span s)
{
	return json_shown_text(s);
}

static json_t *answer(const struct session_details *d, int *status)
{
	struct http_head head;
	json_t *v;

	http_head_again(&head, d->head);
	*status = head.status;
	v = json_pack("{s:o}", FIELD_HEADERS, json_shown_head(&head));
	http_head_deinit(&head);
	if (d->body.n)
		json_object_set_new(v, FIELD_BODY, view_text(d->body));
	return v;
}

json_t *view_refusal(const struct session_details *d)
{
	int status;

	return answer(d, &status);
}

static json_t *handshake(const struct session_details *d)
{
	int status;
	json_t *v = answer(d, &status);

	if (!status) {
		json_decref(v);
		return json_null();
	}
	json_object_set_new(v, FIELD_STATUS, json_integer(status));
	return v;
}

static json_t *tls(const struct tls_info *info)
{
	json_t *v;

	if (!info)
		return json_null();
	v = json_pack("{s:s,s:s,s:b,s:s}", FIELD_VERSION, info->version, FIELD_CIPHER, info->cipher,
		      FIELD_VERIFIED, info->verified, FIELD_KTLS, tls_ktls_name(info->ktls));
	if (info->n_chain == 0)
		return v;
	json_object_set_new(v, FIELD_SUBJECT, json_string(info->chain->subject));
	json_object_set_new(v, FIELD_ISSUER, json_string(info->chain->issuer));
	json_object_set_new(v, FIELD_SANS, json_string(info->chain->sans));
	json_object_set_new(v, FIELD_NOT_BEFORE, json_integer(info->chain->not_before));
	json_object_set_new(v, FIELD_NOT_AFTER, json_integer(info->chain->not_after));
	return v;
}

static void put_time(json_t *v, const char *stage, int64_t us)
{
	if (us >= 0)
		json_object_set_new(v, stage, json_real((double)us / 1e6));
}

/* Seconds by stage, those that were reached. */
static json_t *timings(const struct session_details *d)
{
	json_t *v;

	if (!d->report)
		return json_null();
	v = json_object();
	for (int s = STAGE_RESOLVE; s <= STAGE_TLS; s++)
		put_time(v, stage_name((enum stage)s), d->report->took[s]);
	put_time(v, stage_name(STAGE_HANDSHAKE), d->handshake);
	return v;
}

/* How many of a connection's messages were compressed, their bytes on the wire and without. */
static json_t *packed(const struct ws_packed *n)
{
	return json_pack("{s:I,s:I,s:I}", FIELD_MESSAGES, (json_int_t)n->messages, FIELD_WIRE_BYTES,
			 (json_int_t)n->packed, FIELD_BYTES, (json_int_t)n->bytes);
}

static json_t *compression(const struct ws_compression *c)
{
	const struct ws_deflate *d = &c->agreed;

	if (!d->on)
		return json_null();
	return json_pack("{s:s,s:i,s:i,s:b,s:b,s:o,s:o}", FIELD_EXTENSION, "permessage-deflate",
			 FIELD_CLIENT_MAX_WINDOW_BITS, d->client_max_window_bits,
			 FIELD_SERVER_MAX_WINDOW_BITS, d->server_max_window_bits,
			 FIELD_CLIENT_NO_CONTEXT_TAKEOVER, d->client_no_context_takeover,
			 FIELD_SERVER_NO_CONTEXT_TAKEOVER, d->server_no_context_takeover, FIELD_RX,
			 packed(&c->rx), FIELD_TX, packed(&c->tx));
}

void view_transport(json_t *v, const struct session_details *d)
{
	mem_auto_str url = url_format(d->url);

	json_object_set_new(v, FIELD_URL, json_string(url));
	json_object_set_new(v, FIELD_SUBPROTOCOL, string_or_null(d->subprotocol));
	json_object_set_new(v, FIELD_COMPRESSION, compression(&d->compression));
	json_object_set_new(v, FIELD_PEER, string_or_null(d->peer));
	json_object_set_new(v, FIELD_TLS, tls(d->tls));
	json_object_set_new(v, FIELD_TIMINGS, timings(d));
	json_object_set_new(v, FIELD_HANDSHAKE, handshake(d));
}
