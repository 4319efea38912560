/* SPDX-License-Identifier: Apache-2.0 */
/* See print_transport.h. */
#include "cli/print_transport.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "control/names.h"

#define DAY 86400.0

char *text_tls(const json_t *bridge)
{
	const json_t *tls = json_object_get(bridge, FIELD_TLS);
	mem_auto_str version = text_of(json_object_get(tls, FIELD_VERSION));
	mem_auto_str cipher = text_of(json_object_get(tls, FIELD_CIPHER));
	mem_auto_str ktls = text_of(json_object_get(tls, FIELD_KTLS));
	bool verified = json_is_true(json_object_get(tls, FIELD_VERIFIED));
	bool in_kernel = ktls && strcmp(ktls, "off") != 0;

	if (!version || !cipher)
		return NULL;
	return mem_printf("%s, %s%s%s%s", version, cipher, in_kernel ? ", ktls " : "",
			  in_kernel ? ktls : "", verified ? "" : ", NOT VERIFIED");
}

char *text_certificate(const json_t *bridge)
{
	const json_t *tls = json_object_get(bridge, FIELD_TLS);
	mem_auto_str subject = text_of(json_object_get(tls, FIELD_SUBJECT));
	mem_auto_str issuer = text_of(json_object_get(tls, FIELD_ISSUER));
	mem_auto_str sans = text_of(json_object_get(tls, FIELD_SANS));

	if (!subject || !issuer)
		return NULL;
	return mem_printf("%s, from %s%s%s", *subject ? subject : "(no subject)", issuer,
			  sans && *sans ? ", for " : "", sans ? sans : "");
}

char *text_expiry(const struct printer *p, const json_t *bridge)
{
	const json_t *tls = json_object_get(bridge, FIELD_TLS);
	const json_t *end = json_object_get(tls, FIELD_NOT_AFTER);
	time_t when = (time_t)json_integer_value(end);
	double days = ((double)when - p->now) / DAY;
	struct tm tm;
	char date[32];

	if (!json_is_integer(end) || !gmtime_r(&when, &tm))
		return NULL;
	strftime(date, sizeof(date), "%Y-%m-%d", &tm);
	if (days < 0)
		return mem_printf("%s: EXPIRED", date);
	return mem_printf("%s, in %.0f day%s", date, days, days >= 0.5 && days < 1.5 ? "" : "s");
}

static double number(const json_t *object, const char *group, const char *key)
{
	return json_number_value(json_object_get(json_object_get(object, group), key));
}

/* "in to 34%, out to 50%": of what was compressed at all. */
char *text_compression(const json_t *bridge)
{
	const json_t *c = json_object_get(bridge, FIELD_COMPRESSION);
	mem_auto_str name = text_of(json_object_get(c, FIELD_EXTENSION));
	mem_auto_str in = NULL;
	mem_auto_str out = NULL;
	double rx = number(c, FIELD_RX, FIELD_BYTES), tx = number(c, FIELD_TX, FIELD_BYTES);

	if (!name)
		return NULL;
	if (rx > 0)
		in = mem_printf(", in to %.0f%%", 100 * number(c, FIELD_RX, FIELD_WIRE_BYTES) / rx);
	if (tx > 0)
		out = mem_printf(", out to %.0f%%",
				 100 * number(c, FIELD_TX, FIELD_WIRE_BYTES) / tx);
	return mem_printf("%s%s%s", name, in ? in : "", out ? out : "");
}

char *text_timings(const json_t *bridge)
{
	json_t *timings = json_object_get(bridge, FIELD_TIMINGS);
	const char *stage;
	json_t *took;
	char *all = NULL;

	json_object_foreach(timings, stage, took) {
		mem_auto_str time = text_duration(json_number_value(took));
		char *longer = mem_printf("%s%s%s %s", all ? all : "", all ? ", " : "", stage,
					  time);

		free(all);
		all = longer;
	}
	return all;
}
