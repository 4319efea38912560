/* SPDX-License-Identifier: Apache-2.0 */
/* The report of `probe` as people see it. */
#include "cli/print_probe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void assert_printed(const char *report, bool colour, const char *expected)
{
	char *text = NULL;
	size_t n = 0;
	struct printer p = { .out = open_memstream(&text, &n), .colour = colour };
	json_error_t why;
	json_t *v = json_loads(report, 0, &why);

	if (!v)
		fail_msg("%s", why.text);
	print_probe(&p, v);
	fclose(p.out);
	assert_string_equal(text, expected);
	free(text);
	json_decref(v);
}

static const char open_report[] =
	"{\"url\":\"wss://example.net/feed\",\"ok\":true,\"redirected_to\":\"wss://b.net/\","
	"\"timings\":{\"resolve\":0.0015,\"connect\":0.25,\"proxy\":0.002,\"tls\":0.041,"
	"\"handshake\":0.025,\"total\":0.3195},"
	"\"addresses\":[{\"address\":\"[2001:db8::1]:3128\",\"time\":0.0001,"
	"\"result\":\"Network is unreachable\"},"
	"{\"address\":\"192.0.2.1:3128\",\"time\":0.25,\"result\":\"connected\"}],"
	"\"peer\":\"192.0.2.1:3128\",\"proxy\":\"http://192.0.2.1:3128\","
	"\"tls\":{\"version\":\"TLSv1.3\",\"cipher\":\"TLS_AES_256_GCM_SHA384\",\"verified\":true,"
	"\"chain\":[{\"subject\":\"CN=b.net\",\"issuer\":\"CN=CA\",\"sans\":\"DNS:b.net\","
	"\"not_before\":1000000000,\"not_after\":1008640000,\"days_left\":8},"
	"{\"subject\":\"CN=CA\",\"issuer\":\"CN=CA\",\"sans\":\"\",\"not_before\":0,"
	"\"not_after\":1900000000,\"days_left\":10410}]},"
	"\"handshake\":{\"status\":101,\"headers\":{\"server\":\"x\\u001b[1m\","
	"\"via\":[\"a\",\"b\"],\"set-cookie\":\"***\"}},"
	"\"subprotocol\":\"chat\",\"extensions\":[],"
	"\"warnings\":[\"the certificate of CN=b.net expires in 8 days\"]}";

static void test_open(void **state)
{
	(void)state;
	assert_printed(open_report, false,
		       "wss://example.net/feed: open\n"
		       "  redirected   wss://b.net/\n"
		       "  resolve      1.5ms\n"
		       "  connect      250ms\n"
		       "  proxy        2.0ms\n"
		       "  tls          41ms\n"
		       "  handshake    25ms\n"
		       "  total        320ms\n"
		       "  ADDRESS              TIME  RESULT\n"
		       "  [2001:db8::1]:3128  100us  Network is unreachable\n"
		       "  192.0.2.1:3128      250ms  connected\n"
		       "  peer         192.0.2.1:3128\n"
		       "  proxy        http://192.0.2.1:3128\n"
		       "  tls          TLSv1.3, TLS_AES_256_GCM_SHA384, verified\n"
		       "  certificate  CN=b.net\n"
		       "    issuer     CN=CA\n"
		       "    names      DNS:b.net\n"
		       "    valid      2001-09-09 to 2001-12-18, 8 days left\n"
		       "  certificate  CN=CA\n"
		       "    issuer     CN=CA\n"
		       "    valid      1970-01-01 to 2030-03-17, 10410 days left\n"
		       "  status       101\n"
		       "    server: x\\x1b[1m\n"
		       "    via: a\n"
		       "    via: b\n"
		       "    set-cookie: ***\n"
		       "  subprotocol  chat\n"
		       "  warning      the certificate of CN=b.net expires in 8 days\n");
}

#define HEAD "{\"url\":\"ws://h/\",\"ok\":false,"

static const struct {
	const char *report, *printed;
} failures[] = {
	{ HEAD "\"timings\":{\"resolve\":0.001,\"total\":0.002},\"addresses\":[],\"error\":"
	       "{\"message\":\"resolve h: unknown\",\"stage\":\"resolve\"}}",
	  "ws://h/: failed\n"
	  "  resolve      failed after 1.0ms: resolve h: unknown\n"
	  "  total        2.0ms\n" },
	/* Of a stage that has not come to its end there is no time. */
	{ HEAD "\"timings\":{\"connect\":0.001,\"total\":10},\"addresses\":[],\"error\":"
	       "{\"message\":\"no answer\\u001b[0m\",\"stage\":\"handshake\"}}",
	  "ws://h/: failed\n"
	  "  connect      1.0ms\n"
	  "  handshake    failed: no answer\\x1b[0m\n"
	  "  total        10s\n" },
	{ HEAD "\"timings\":{\"total\":0.5},\"error\":{\"message\":\"interrupted\"}}",
	  "ws://h/: failed\n"
	  "  error        interrupted\n"
	  "  total        500ms\n" },
	{ HEAD "\"handshake\":{\"status\":404,\"headers\":{},\"body\":\"<p>\\r\\n\\u001b[1m\\n"
	       "\\nend\"},\"error\":{\"message\":\"404\",\"stage\":\"handshake\"}}",
	  "ws://h/: failed\n"
	  "  handshake    failed: 404\n"
	  "  status       404\n"
	  "  body         as far as it was read:\n"
	  "    <p>\n"
	  "    \\x1b[1m\n"
	  "    \n"
	  "    end\n" },
	{ HEAD "\"tls\":{\"version\":\"TLSv1.2\",\"cipher\":\"C\",\"verified\":false,\"chain\":["
	       "{\"subject\":\"CN=a\",\"issuer\":\"CN=a\",\"sans\":\"\",\"not_before\":0,"
	       "\"not_after\":86400,\"days_left\":-5}]},\"error\":{\"message\":\"x\"}}",
	  "ws://h/: failed\n"
	  "  error        x\n"
	  "  tls          TLSv1.2, C, not verified\n"
	  "  certificate  CN=a\n"
	  "    issuer     CN=a\n"
	  "    valid      1970-01-01 to 1970-01-02, expired\n" },
};

static void test_failures(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(failures) / sizeof(*failures); i++)
		assert_printed(failures[i].report, false, failures[i].printed);
}

#define DIM(text) "\033[2m" text "\033[0m"
#define RED(text) "\033[31m" text "\033[0m"

static void test_colours(void **state)
{
	(void)state;
	assert_printed(
		failures[0].report, true,
		"ws://h/: " RED("failed") "\n" DIM("  resolve     ") " " RED(
			"failed after 1.0ms: resolve h: unknown") "\n" DIM("  total       ") " 2."
											     "0ms"
											     "\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_colours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
