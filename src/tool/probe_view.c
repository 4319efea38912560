/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See probe_view.h. Copies everything, for what a session tells of itself is
 * gone a turn later. The trap: a body that was cut off may end inside a
 * character, and is UTF-8 all the same.
 */
#include "tool/probe_view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/http_head.h"
#include "base/mem.h"
#include "base/url.h"
#include "base/utf8.h"
#include "conf/json_head.h"
#include "control/names.h"
#include "net/dial.h"
#include "net/tls.h"
#include "ws/deflate_terms.h"

#define DAY INT64_C(86400)

static json_t *string_or_null(const char *s)
{
	return s ? json_string(s) : json_null();
}

static json_t *seconds(int64_t us)
{
	return json_real((double)us / 1e6);
}

static void put(json_t *object, const char *key, json_t *value)
{
	json_object_set_new(object, key, value);
}

static void put_url(json_t *v, const char *key, const struct url *url)
{
	mem_auto_str text = url_format(url);

	put(v, key, json_string(text));
}

static void put_time(json_t *v, enum stage stage, int64_t us)
{
	if (us >= 0)
		put(v, stage_name(stage), seconds(us));
}

static json_t *timings(const struct probe_facts *f)
{
	const struct dial_report *report = f->details->report;
	json_t *v = json_object();

	for (int s = STAGE_RESOLVE; report && s <= STAGE_TLS; s++)
		put_time(v, (enum stage)s, report->took[s]);
	put_time(v, STAGE_HANDSHAKE, f->details->handshake);
	put(v, PROBE_TOTAL, seconds(f->total));
	return v;
}

static const char *result_of(const struct happy_try *try, char *why, size_t size)
{
	switch (try->os) {
	case 0:
		return PROBE_CONNECTED;
	case ECANCELED:
		return "another was quicker";
	case EINPROGRESS:
		return "no answer so far";
	case ETIMEDOUT:
		return "no answer in time";
	default:
		return strerror_r(try->os, why, size);
	}
}

static json_t *addresses(const struct dial_report *report)
{
	json_t *list = json_array();
	char why[128];

	for (size_t i = 0; report && i < report->n_tries; i++) {
		const struct happy_try *try = &report->tries[i];

		json_array_append_new(list, json_pack("{s:o,s:o,s:s}", PROBE_ADDRESS,
						      json_shown_text(span_str(try->address)),
						      PROBE_TIME, seconds(try->took), PROBE_RESULT,
						      result_of(try, why, sizeof(why))));
	}
	return list;
}

/* Whole days, rounded down: -1 is one that has expired today. */
static int64_t days_left(const struct tls_cert *cert, int64_t now)
{
	int64_t left = cert->not_after - now;

	return left >= 0 ? left / DAY : -((DAY - 1 - left) / DAY);
}

static json_t *certificate(const struct tls_cert *cert, int64_t now)
{
	return json_pack("{s:s,s:s,s:s,s:I,s:I,s:I}", FIELD_SUBJECT, cert->subject, FIELD_ISSUER,
			 cert->issuer, FIELD_SANS, cert->sans, FIELD_NOT_BEFORE,
			 (json_int_t)cert->not_before, FIELD_NOT_AFTER, (json_int_t)cert->not_after,
			 PROBE_DAYS_LEFT, (json_int_t)days_left(cert, now));
}

static json_t *tls(const struct tls_info *info, int64_t now)
{
	json_t *chain;

	if (!info)
		return json_null();
	chain = json_array();
	for (size_t i = 0; i < info->n_chain; i++)
		json_array_append_new(chain, certificate(&info->chain[i], now));
	return json_pack("{s:s,s:s,s:b,s:o}", FIELD_VERSION, info->version, FIELD_CIPHER,
			 info->cipher, FIELD_VERIFIED, info->verified, PROBE_CHAIN, chain);
}

static void warn_take(json_t *list, char *sentence)
{
	json_array_append_new(list, json_string(sentence));
	free(sentence);
}

static void warn_of_certificate(json_t *list, const struct tls_cert *cert, int64_t now)
{
	int64_t left = days_left(cert, now);

	if (now < cert->not_before)
		warn_take(list,
			  mem_printf("the certificate of %s is not valid yet", cert->subject));
	if (left < 0)
		warn_take(list, mem_printf("the certificate of %s has expired", cert->subject));
	else if (left <= PROBE_DAYS_WARN)
		warn_take(list, mem_printf("the certificate of %s expires in %d day%s",
					   cert->subject, (int)left, left == 1 ? "" : "s"));
}

static void warn_of_tls(json_t *list, const struct tls_info *info, const char *whose, int64_t now)
{
	if (info && !info->verified)
		warn_take(list, mem_printf("the certificate of the %s was not verified", whose));
	for (size_t i = 0; info && i < info->n_chain; i++)
		warn_of_certificate(list, &info->chain[i], now);
}

static json_t *warnings(const struct probe_facts *f)
{
	const struct session_details *d = f->details;
	json_t *list = json_array();

	warn_of_tls(list, d->report ? d->report->proxy_tls : NULL, "proxy", f->now);
	warn_of_tls(list, d->tls, "server", f->now);
	return list;
}

/* Without the beginning of a character at its end, if that makes it UTF-8. */
static struct span whole_characters(struct span body)
{
	struct span cut = body;

	for (size_t i = 0; i < 4 && cut.n > 0 && !utf8_valid(cut); i++)
		cut.n--;
	return utf8_valid(cut) ? cut : body;
}

static json_t *handshake(const struct session_details *d)
{
	struct http_head head;
	json_t *v = NULL;

	http_head_again(&head, d->head);
	if (head.status)
		v = json_pack("{s:i,s:o}", FIELD_STATUS, head.status, FIELD_HEADERS,
			      json_shown_head(&head));
	http_head_deinit(&head);
	if (!v)
		return json_null();
	if (d->body.n)
		put(v, FIELD_BODY, json_shown_text(whole_characters(d->body)));
	return v;
}

/* Who was reached, also if it was for nothing. */
static json_t *peer(const struct dial_report *report)
{
	return report && report->peer[0] ? json_shown_text(span_str(report->peer)) : json_null();
}

/* What was agreed, as the header would have it: the text of the server is among its headers. */
static json_t *extensions(const struct ws_deflate *agreed)
{
	char text[DEFLATE_TERMS_TEXT];

	if (!agreed->on)
		return json_array();
	return json_pack("[s]", deflate_terms_answer(text, agreed));
}

json_t *probe_view(const struct probe_facts *f)
{
	const struct session_details *d = f->details;
	json_t *v = json_object();

	put_url(v, FIELD_URL, f->url);
	put(v, PROBE_OK, json_boolean(f->ok));
	if (d->url != f->url)
		put_url(v, PROBE_REDIRECTED, d->url);
	put(v, FIELD_TIMINGS, timings(f));
	put(v, PROBE_ADDRESSES, addresses(d->report));
	put(v, FIELD_PEER, peer(d->report));
	put(v, PROBE_PROXY, string_or_null(f->proxy));
	if (d->report && d->report->proxy_tls)
		put(v, PROBE_PROXY_TLS, tls(d->report->proxy_tls, f->now));
	put(v, FIELD_TLS, tls(d->tls, f->now));
	put(v, FIELD_HANDSHAKE, handshake(d));
	put(v, FIELD_SUBPROTOCOL, string_or_null(d->subprotocol));
	put(v, PROBE_EXTENSIONS, extensions(&d->compression.agreed));
	put(v, PROBE_WARNINGS, warnings(f));
	return v;
}
