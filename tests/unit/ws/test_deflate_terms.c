/* SPDX-License-Identifier: Apache-2.0 */
/* The negotiation of permessage-deflate: what is offered, what may be answered, what is chosen. */
#include "ws/deflate_terms.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ws/upgrade.h"

#define PMD "permessage-deflate"
#define ANSWER "the server's answer to permessage-deflate: "
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { SERVER_ALONE = 1, CLIENT_ALONE = 2 };

/* flags, client_max_window_bits, server_max_window_bits */
#define TERMS(flags, client, server)                                                               \
	{                                                                                          \
		true, ((flags)&CLIENT_ALONE) != 0, ((flags)&SERVER_ALONE) != 0, (client), (server) \
	}
#define OFF                               \
	{                                 \
		false, false, false, 0, 0 \
	}
static const struct ws_deflate plain = TERMS(0, 15, 15), usual = TERMS(CLIENT_ALONE, 12, 15),
			       small = TERMS(SERVER_ALONE | CLIENT_ALONE, 10, 10), off = OFF;

static void offers(void **state)
{
	static const struct {
		struct ws_deflate offer;
		const char *text;
	} rows[] = {
		{ TERMS(0, 15, 15), PMD "; client_max_window_bits" },
		{ TERMS(0, 9, 15), PMD "; client_max_window_bits=9" },
		{ TERMS(CLIENT_ALONE, 12, 15),
		  PMD "; client_no_context_takeover; client_max_window_bits=12" },
		{ TERMS(SERVER_ALONE, 15, 8),
		  PMD "; server_no_context_takeover; server_max_window_bits=8; "
		      "client_max_window_bits" },
		{ TERMS(SERVER_ALONE | CLIENT_ALONE, 14, 14),
		  PMD "; server_no_context_takeover; client_no_context_takeover; "
		      "server_max_window_bits=14; client_max_window_bits=14" },
	};
	char text[DEFLATE_TERMS_TEXT];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_string_equal(deflate_terms_offer(text, &rows[i].offer), rows[i].text);
}

static void answers(void **state)
{
	static const struct {
		struct ws_deflate agreed;
		const char *text;
	} rows[] = {
		{ TERMS(0, 15, 15), PMD },
		{ TERMS(SERVER_ALONE | CLIENT_ALONE, 11, 9),
		  PMD "; server_no_context_takeover; client_no_context_takeover; "
		      "server_max_window_bits=9; client_max_window_bits=11" },
	};
	char text[DEFLATE_TERMS_TEXT];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_string_equal(deflate_terms_answer(text, &rows[i].agreed), rows[i].text);
}

#define FIELD(value) "Sec-WebSocket-Extensions: " value "\r\n"

/* Header lines → head. */
static void read_head(struct http_head *head, const char *fields, bool request)
{
	struct span first = span_str(request ? "GET / HTTP/1.1\r\n" : "HTTP/1.1 101 x\r\n");
	struct span rest = span_str(fields), end = span_str("\r\n");
	struct error err = ERROR_INIT;

	(request ? http_head_init_request : http_head_init)(head);
	assert_int_equal(http_head_feed(head, &first, &err), HTTP_HEAD_MORE);
	assert_int_equal(http_head_feed(head, &rest, &err), HTTP_HEAD_MORE);
	assert_int_equal(http_head_feed(head, &end, &err), HTTP_HEAD_DONE);
}

struct verdict {
	const struct ws_deflate *offer;
	const char *fields;
	struct ws_deflate agreed;
	const char *error; /* NULL = none */
};

#define NOT_OFFERED "the server uses an extension that was not offered"
#define TWICE "the server chose permessage-deflate twice"

static const struct verdict verdicts[] = {
	{ &plain, "Server: x\r\n", OFF, NULL },
	{ &off, "Server: x\r\n", OFF, NULL },
	{ &plain, FIELD(PMD), TERMS(0, 15, 15), NULL },
	{ &plain, FIELD(" " PMD " "), TERMS(0, 15, 15), NULL },
	{ &plain, FIELD(PMD ";client_no_context_takeover"), TERMS(CLIENT_ALONE, 15, 15), NULL },
	{ &plain, FIELD(PMD " ; server_no_context_takeover"), TERMS(SERVER_ALONE, 15, 15), NULL },
	{ &plain, FIELD(PMD "; server_max_window_bits=8"), TERMS(0, 15, 8), NULL },
	{ &plain, FIELD(PMD "; server_max_window_bits=15"), TERMS(0, 15, 15), NULL },
	{ &plain, FIELD(PMD "; server_max_window_bits = 9"), TERMS(0, 15, 9), NULL },
	{ &plain, FIELD(PMD "; server_max_window_bits=\"10\""), TERMS(0, 15, 10), NULL },
	{ &plain, FIELD(PMD "; server_max_window_bits=\"1\\1\""), TERMS(0, 15, 11), NULL },
	{ &plain, FIELD(PMD "; client_max_window_bits=8"), TERMS(0, 8, 15), NULL },
	{ &plain,
	  FIELD(PMD "; client_max_window_bits=10; server_max_window_bits=9; "
		    "client_no_context_takeover; server_no_context_takeover"),
	  TERMS(SERVER_ALONE | CLIENT_ALONE, 10, 9), NULL },
	/* what we said of our own side holds whatever the answer */
	{ &usual, FIELD(PMD), TERMS(CLIENT_ALONE, 12, 15), NULL },
	{ &usual, FIELD(PMD "; client_max_window_bits=15"), TERMS(CLIENT_ALONE, 12, 15), NULL },
	{ &usual, FIELD(PMD "; client_max_window_bits=9"), TERMS(CLIENT_ALONE, 9, 15), NULL },
	{ &small, FIELD(PMD "; server_no_context_takeover; server_max_window_bits=10"),
	  TERMS(SERVER_ALONE | CLIENT_ALONE, 10, 10), NULL },
	{ &small, FIELD(PMD "; server_no_context_takeover; server_max_window_bits=8"),
	  TERMS(SERVER_ALONE | CLIENT_ALONE, 10, 8), NULL },

	{ &off, FIELD(PMD), OFF, NOT_OFFERED },
	{ &plain, FIELD("x-webkit-deflate-frame"), OFF, NOT_OFFERED },
	{ &plain, FIELD("Permessage-Deflate"), OFF, NOT_OFFERED },
	{ &plain, FIELD("permessage-deflat"), OFF, NOT_OFFERED },
	{ &plain, FIELD("permessage-deflate2"), OFF, NOT_OFFERED },
	{ &plain, FIELD("x-other; a=1; b=\"c\""), OFF, NOT_OFFERED },
	{ &plain, FIELD(PMD ", x-other"), TERMS(0, 15, 15), NOT_OFFERED },
	{ &plain, FIELD(PMD) FIELD("x-other"), TERMS(0, 15, 15), NOT_OFFERED },
	{ &plain, FIELD(PMD) FIELD(PMD), TERMS(0, 15, 15), TWICE },
	{ &plain, FIELD(PMD ", " PMD), TERMS(0, 15, 15), TWICE },
	{ &plain, FIELD(""), OFF, NOT_OFFERED },
	{ &plain, FIELD(PMD "; x"), OFF, ANSWER "unknown parameter \"x\"" },
	{ &plain, FIELD(PMD "; x=9"), OFF, ANSWER "unknown parameter \"x\"" },
	{ &plain, FIELD(PMD "; Server_no_context_takeover"), OFF,
	  ANSWER "unknown parameter \"Server_no_context_takeover\"" },
	{ &plain, FIELD(PMD "; server_no_context_takeover; server_no_context_takeover"), OFF,
	  ANSWER "twice the parameter \"server_no_context_takeover\"" },
	{ &plain, FIELD(PMD "; client_max_window_bits=9; client_max_window_bits=9"), OFF,
	  ANSWER "twice the parameter \"client_max_window_bits\"" },
	{ &plain, FIELD(PMD "; server_no_context_takeover=1"), OFF,
	  ANSWER "a value for \"server_no_context_takeover\"" },
	{ &plain, FIELD(PMD "; client_no_context_takeover=\"true\""), OFF,
	  ANSWER "a value for \"client_no_context_takeover\"" },
	{ &plain, FIELD(PMD "; server_max_window_bits"), OFF,
	  ANSWER "no value for \"server_max_window_bits\"" },
	{ &plain, FIELD(PMD "; client_max_window_bits"), OFF,
	  ANSWER "no value for \"client_max_window_bits\"" },
#define BAD_BITS(which, value)                                                                 \
	{                                                                                      \
		&plain, FIELD(PMD "; " which "_max_window_bits=" value), OFF,                  \
			ANSWER "a value that is not 8 to 15 for \"" which "_max_window_bits\"" \
	}
	BAD_BITS("server", "7"),
	BAD_BITS("server", "16"),
	BAD_BITS("server", "0"),
	BAD_BITS("server", "08"),
	BAD_BITS("server", "010"),
	BAD_BITS("server", "1"),
	BAD_BITS("server", "+9"),
	BAD_BITS("server", "9.0"),
	BAD_BITS("server", "x"),
	BAD_BITS("server", "150"),
	BAD_BITS("server", "1000000000000000000009"),
	BAD_BITS("client", "7"),
	BAD_BITS("client", "16"),
	BAD_BITS("client", "\"99\""),
	{ &small, FIELD(PMD "; server_no_context_takeover"), OFF,
	  ANSWER "it lacks \"server_max_window_bits\"" },
	{ &small, FIELD(PMD "; server_max_window_bits=10"), OFF,
	  ANSWER "it lacks \"server_no_context_takeover\"" },
	{ &small, FIELD(PMD "; server_no_context_takeover; server_max_window_bits=11"), OFF,
	  ANSWER "it is above what was offered: \"server_max_window_bits\"" },
	{ &plain, FIELD(PMD ";"), OFF, ANSWER "it is not well-formed at \"\"" },
	{ &plain, FIELD("; " PMD), OFF,
	  ANSWER "it is not well-formed at \"; permessage-deflate\"" },
	{ &plain, FIELD(", " PMD), OFF,
	  ANSWER "it is not well-formed at \", permessage-deflate\"" },
	{ &plain, FIELD(PMD " x"), OFF, ANSWER "it is not well-formed at \"x\"" },
	{ &plain, FIELD(PMD "; server_max_window_bits="), OFF,
	  ANSWER "it is not well-formed at \"\"" },
	{ &plain, FIELD(PMD "; server_max_window_bits=\"10"), OFF,
	  ANSWER "it is not well-formed at \"\"" },
	{ &plain, FIELD(PMD "; server_max_window_bits=\"\""), OFF,
	  ANSWER "it is not well-formed at \"\"\"" },
	{ &plain, FIELD(PMD "; server_max_window_bits=\"1 0\""), OFF,
	  ANSWER "it is not well-formed at \" 0\"\"" },
	{ &plain, FIELD(PMD "; server_max_window_bits=\"1\\"), OFF,
	  ANSWER "it is not well-formed at \"\"" },
};

static void same_terms(const struct ws_deflate *got, const struct ws_deflate *expected,
		       const char *what)
{
	if (got->on != expected->on ||
	    got->client_no_context_takeover != expected->client_no_context_takeover ||
	    got->server_no_context_takeover != expected->server_no_context_takeover ||
	    got->client_max_window_bits != expected->client_max_window_bits ||
	    got->server_max_window_bits != expected->server_max_window_bits)
		fail_msg("%s: other terms", what);
}

static void judges_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(verdicts); i++) {
		const struct verdict *v = &verdicts[i];
		struct error err = ERROR_INIT;
		struct ws_deflate agreed;
		struct http_head head;
		bool good;

		read_head(&head, v->fields, false);
		good = deflate_terms_judge(v->offer, &head, &agreed, &err);
		if (good != !v->error || (!good && strcmp(err.text, v->error) != 0))
			fail_msg("%s%s", v->fields, good ? "is accepted" : err.text);
		if (good)
			same_terms(&agreed, &v->agreed, v->fields);
		else
			assert_int_equal(err.code, ERR_PROTOCOL);
		http_head_deinit(&head);
	}
}

struct choice {
	const struct ws_deflate *ours;
	const char *fields;
	struct ws_deflate agreed;
};

static const struct choice choices[] = {
	{ &plain, "Host: x\r\n", OFF },
	{ &off, FIELD(PMD), OFF },
	{ &plain, FIELD(PMD), TERMS(0, 15, 15) },
	{ &plain, FIELD(PMD "; client_max_window_bits"), TERMS(0, 15, 15) },
	{ &plain, FIELD(PMD "; client_no_context_takeover; client_max_window_bits=12"),
	  TERMS(CLIENT_ALONE, 12, 15) },
	{ &plain, FIELD(PMD "; server_no_context_takeover; server_max_window_bits=9"),
	  TERMS(SERVER_ALONE, 15, 9) },
	/* a window that zlib cannot deflate into: the next offer, or none */
	{ &plain, FIELD(PMD "; server_max_window_bits=8"), OFF },
	{ &plain, FIELD(PMD "; server_max_window_bits=8, " PMD), TERMS(0, 15, 15) },
	{ &plain, FIELD("x-other; a=b, " PMD), TERMS(0, 15, 15) },
	{ &plain, FIELD("x-other") FIELD(PMD), TERMS(0, 15, 15) },
	{ &plain, FIELD(PMD "; server_max_window_bits"), OFF },
	/* written wrong */
	{ &plain, FIELD(PMD "; x=1"), OFF },
	{ &plain, FIELD(PMD "; server_max_window_bits=99"), OFF },
	{ &plain, FIELD(PMD "; client_no_context_takeover=1"), OFF },
	{ &plain, FIELD("=" PMD) FIELD(PMD), TERMS(0, 15, 15) },
	/* our limits */
	{ &small, FIELD(PMD "; client_max_window_bits"),
	  TERMS(SERVER_ALONE | CLIENT_ALONE, 10, 10) },
	{ &small, FIELD(PMD), OFF },
};

static void chooses_an_offer(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(choices); i++) {
		const struct choice *c = &choices[i];
		struct ws_deflate agreed;
		struct http_head head;

		read_head(&head, c->fields, true);
		deflate_terms_choose(c->ours, &head, &agreed);
		same_terms(&agreed, &c->agreed, c->fields);
		http_head_deinit(&head);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(offers),
		cmocka_unit_test(answers),
		cmocka_unit_test(judges_answers),
		cmocka_unit_test(chooses_an_offer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
