/* SPDX-License-Identifier: Apache-2.0 */
/* What people see: numbers with units, tables that fit, status, sentences. */
#include "cli/print.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "cli/print_explain.h"
#include "cli/print_results.h"
#include "cli/print_status.h"

/* What a printer of this kind made of it; the caller frees. */
struct sink {
	struct printer p;
	char *text;
	size_t n;
};

static struct printer *sink_init(struct sink *s, size_t width, bool colour)
{
	s->text = NULL;
	s->p = (struct printer){ .width = width, .colour = colour, .now = 1000000 };
	s->p.out = open_memstream(&s->text, &s->n);
	return &s->p;
}

static void assert_printed(struct sink *s, const char *expected)
{
	fclose(s->p.out);
	assert_string_equal(s->text, expected);
	free(s->text);
}

static void test_durations(void **state)
{
	static const struct {
		double seconds;
		const char *text;
	} cases[] = { { -1, "0s" },	      { 0, "0s" },
		      { 0.0001234, "123us" }, { 0.0042, "4.2ms" },
		      { 0.0123, "12ms" },     { 0.9994, "999ms" },
		      { 0.9996, "1.0s" },     { 3.14, "3.1s" },
		      { 59.4, "59s" },	      { 59.6, "1m" },
		      { 200, "3m 20s" },      { 3600, "1h" },
		      { 7260, "2h 1m" },      { 86400, "1d" },
		      { 360000, "4d 4h" },    { 1e30, "11574074d 1h" } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		mem_auto_str text = text_duration(cases[i].seconds);

		assert_string_equal(text, cases[i].text);
	}
}

static void test_sizes(void **state)
{
	static const struct {
		double bytes;
		const char *text;
	} cases[] = { { 0, "0 B" },	      { 1023, "1023 B" },    { 1024, "1.0 KiB" },
		      { 1536, "1.5 KiB" },    { 102400, "100 KiB" }, { 16777216, "16.0 MiB" },
		      { 5e18, "4547474 TiB" } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		mem_auto_str text = text_size(cases[i].bytes);

		assert_string_equal(text, cases[i].text);
	}
}

static void test_wrapping(void **state)
{
	struct sink s;

	(void)state;
	print_wrapped(sink_init(&s, 12, false), 2, "one two three averylongword x");
	assert_printed(&s, "  one two\n  three\n  averylongword\n  x\n");
	print_wrapped(sink_init(&s, 0, false), 2, "one two three averylongword x");
	assert_printed(&s, "  one two three averylongword x\n");
	print_wrapped(sink_init(&s, 8, false), 0,
		      "\xC3\xA9\xC3\xA9\xC3\xA9 \xC3\xA9\xC3\xA9\xC3\xA9 e");
	assert_printed(&s, "\xC3\xA9\xC3\xA9\xC3\xA9 \xC3\xA9\xC3\xA9\xC3\xA9\ne\n");
}

static json_t *bridges(void)
{
	json_error_t why;
	json_t *list = json_loads(
		"[{\"name\":\"feed\",\"state\":\"open\",\"since\":999800,"
		"\"url\":\"ws://feed.example.net:8080/stream/v2\",\"clients\":[{},{}],"
		"\"rx\":{\"messages\":120,\"bytes\":2048},\"tx\":{\"messages\":3,\"bytes\":9},"
		"\"rtt\":0.0123,\"last_error\":null,\"last_close\":null,\"retry_in\":null},"
		"{\"name\":\"b\",\"state\":\"waiting\",\"since\":999999,\"url\":\"ws://x/\","
		"\"clients\":[],\"rx\":{\"messages\":0},\"tx\":{\"messages\":0},\"rtt\":null,"
		"\"attempts\":2,\"retry_in\":1.25,\"last_close\":null,"
		"\"last_error\":{\"message\":\"connect: \\u001b[1mrefused\",\"at\":999999}}]",
		0, &why);

	if (!list)
		fail_msg("%s", why.text);
	return list;
}

static void test_table(void **state)
{
	json_t *list = bridges();
	struct sink s;

	(void)state;
	print_bridges(sink_init(&s, 0, false), list);
	assert_printed(&s, "NAME  STATE     SINCE  URL                                   CLIENTS   "
			   "RX  TX   RTT\n"
			   "feed  open     3m 20s  ws://feed.example.net:8080/stream/v2        2  "
			   "120   3  12ms\n"
			   "b     waiting      1s  ws://x/                                     0   "
			   " 0   0     -\n"
			   "  connect: \\x1b[1mrefused; next attempt in 1.2s\n");
	print_bridges(sink_init(&s, 70, false), list);
	assert_printed(&s,
		       "NAME  STATE     SINCE  URL                      CLIENTS   RX  TX   RTT\n"
		       "feed  open     3m 20s  ws://feed.example.ne...        2  120   3  12ms\n"
		       "b     waiting      1s  ws://x/                        0    0   0     -\n"
		       "  connect: \\x1b[1mrefused; next attempt in 1.2s\n");
	json_decref(list);
}

#define DIM(text) "\033[2m" text "\033[0m"

/* On a narrow terminal every column gives way, the widest first. */
static void test_table_narrow(void **state)
{
	json_t *list = bridges();
	struct sink s;

	(void)state;
	json_array_remove(list, 1);
	print_bridges(sink_init(&s, 50, false), list);
	assert_printed(&s, "NAME  STATE   SINCE  URL     CLI...   RX  TX   RTT\n"
			   "feed  open   3m 20s  ws:...       2  120   3  12ms\n");
	json_decref(list);
}

/* Where not even that helps, the URL alone gives way, to no less than twelve characters. */
static void test_table_colours(void **state)
{
	json_t *list = bridges();
	struct sink s;

	(void)state;
	json_array_remove(list, 1);
	print_bridges(sink_init(&s, 40, true), list);
	assert_printed(
		&s,
		DIM("NAME") "  " DIM("STATE") "   " DIM("SINCE") "  " DIM("URL") "           " DIM(
			"CLIENTS") "   " DIM("RX") "  " DIM("TX") "   " DIM("RTT") "\n"
										   "feed  "
										   "\033["
										   "32mopen\033[0m "
										   "  3m 20s  "
										   "ws://feed...   "
										   "     2  120   "
										   "3  12ms\n");
	json_decref(list);
}

/* A table that just fits is left as it is; one character less, and the URL is cut. */
static void test_table_just_fits(void **state)
{
	json_t *list = bridges();
	struct sink s;
	size_t width;

	(void)state;
	print_bridges(sink_init(&s, 0, false), list);
	fclose(s.p.out);
	width = strcspn(s.text, "\n");
	free(s.text);
	for (size_t i = 0; i < 2; i++) {
		print_bridges(sink_init(&s, width - i, false), list);
		fclose(s.p.out);
		assert_int_equal(strcspn(s.text, "\n"), width - i);
		assert_int_equal(strstr(s.text, "stream/v2 ") != NULL, i == 0);
		free(s.text);
	}
	json_decref(list);
}

static void test_no_bridges(void **state)
{
	json_t *none = json_array();
	struct sink s;

	(void)state;
	print_bridges(sink_init(&s, 80, false), none);
	assert_printed(&s, "no bridges\n");
	json_decref(none);
}

static void test_detail(void **state)
{
	json_t *list = bridges(), *b = json_array_get(list, 0);
	json_t *more = json_loads(
		"{\"peer\":\"192.0.2.1:8080\",\"subprotocol\":\"chat\",\"handshake\":{\"status\":"
		"101},"
		"\"flapping\":true,\"paused\":true,\"unacked\":40,\"unsent\":0,"
		"\"epoch\":3,\"reconnects\":2,\"attempts\":0,\"last_rx\":2.5,"
		"\"last_close\":{\"code\":1006,\"reason\":\"a\\nb\",\"clean\":false},"
		"\"dropped\":0,\"unheard\":4,\"refused\":1,\"outbox\":{\"messages\":0,\"expired\":"
		"2},"
		"\"endpoints\":[{\"endpoint\":\"/run/f.sock\"}],\"source\":\"file\","
		"\"clients\":[{\"endpoint\":\"/run/f.sock\",\"pid\":7,\"uid\":1000,\"queued\":0,"
		"\"dropped\":5,\"sent\":120,\"received\":3,\"slow\":true,\"state\":\"open\"},"
		"{\"endpoint\":\"/run/fifo\",\"pid\":null,\"uid\":null,\"queued\":1,\"dropped\":0,"
		"\"sent\":1,\"received\":0,\"slow\":false}]}",
		0, NULL);
	struct sink s;

	(void)state;
	assert_non_null(more);
	json_object_update(b, more);
	json_decref(more);
	print_bridge(sink_init(&s, 0, false), b);
	assert_printed(&s, "feed: open for 3m 20s\n"
			   "  url          ws://feed.example.net:8080/stream/v2\n"
			   "  peer         192.0.2.1:8080\n"
			   "  subprotocol  chat\n"
			   "  handshake    101\n"
			   "  connections  3 made, 2 reconnects; flapping: they do not stay\n"
			   "  alive        round trip 12ms, 2.5s since the last frame\n"
			   "  paused       reading waits for a slow client\n"
			   "  received     120 messages, 2.0 KiB\n"
			   "  sent         3 messages, 9 B\n"
			   "  lost         4 unheard, 1 refused\n"
			   "  in flight    40 unacked bytes of ended connections\n"
			   "  outbox       2 expired\n"
			   "  last close   1006 \"a\\x0ab\", not clean\n"
			   "  source       file\n"
			   "  endpoint     /run/f.sock\n"
			   "  CLIENT OF    PID   UID  SENT  RECEIVED  QUEUED  DROPPED\n"
			   "  /run/f.sock    7  1000   120         3       0        5\n"
			   "  its connection is open\n"
			   "  slow\n"
			   "  /run/fifo      -     -     1         0       1        0\n");
	json_decref(list);
}

static const struct {
	const char *bridge, *text; /* NULL: nothing to say */
} troubles[] = {
	{ "{\"state\":\"open\",\"last_error\":{\"message\":\"old\",\"at\":5}}", NULL },
	{ "{\"state\":\"connecting\",\"attempts\":1}", NULL },
	{ "{\"state\":\"idle\",\"since\":9,\"last_close\":{\"code\":1000,\"reason\":\"\","
	  "\"clean\":true}}",
	  NULL },
	{ "{\"state\":\"waiting\",\"retry_in\":0.5}", "next attempt in 500ms" },
	{ "{\"state\":\"closed\",\"since\":9,\"last_close\":{\"code\":1000,\"reason\":\"\","
	  "\"clean\":true}}",
	  "closed with 1000" },
	{ "{\"state\":\"waiting\",\"since\":9,\"attempts\":0,\"retry_in\":2,"
	  "\"last_error\":{\"message\":\"old\",\"at\":5},"
	  "\"last_close\":{\"code\":1001,\"reason\":\"bye\",\"clean\":true}}",
	  "closed with 1001 \"bye\"; next attempt in 2.0s" },
	{ "{\"state\":\"waiting\",\"since\":9,\"attempts\":1,\"retry_in\":2,"
	  "\"last_error\":{\"message\":\"new\",\"at\":9},"
	  "\"last_close\":{\"code\":1001,\"reason\":\"bye\",\"clean\":true}}",
	  "new; next attempt in 2.0s" },
	/* The first attempt after a close: what was wrong long ago is no reason. */
	{ "{\"state\":\"connecting\",\"since\":9,\"attempts\":1,"
	  "\"last_error\":{\"message\":\"old\",\"at\":5},"
	  "\"last_close\":{\"code\":1006,\"reason\":\"\",\"clean\":false}}",
	  "closed with 1006, not clean" },
	{ "{\"state\":\"failed\",\"since\":9,\"attempts\":1,\"retry_in\":null,"
	  "\"last_error\":{\"message\":\"endpoint\",\"at\":9}}",
	  "endpoint" },
};

static void test_troubles(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(troubles) / sizeof(*troubles); i++) {
		json_t *b = json_loads(troubles[i].bridge, 0, NULL);
		mem_auto_str text = text_trouble(b);

		assert_non_null(b);
		if (troubles[i].text)
			assert_string_equal(text, troubles[i].text);
		else
			assert_null(text);
		json_decref(b);
	}
}

static const struct {
	void (*print)(struct printer *p, const json_t *result);
	const char *result, *printed;
} results[] = {
	{ print_opened, "{\"name\":\"a\",\"state\":\"open\"}", "a: open\n" },
	{ print_opened,
	  "{\"name\":\"a\",\"state\":\"waiting\",\"attempts\":1,\"retry_in\":3,"
	  "\"last_error\":{\"message\":\"refused\"}}",
	  "a: waiting (refused; next attempt in 3.0s)\n" },
	{ print_opened,
	  "{\"name\":\"a\",\"state\":\"connecting\",\"attempts\":2,"
	  "\"last_error\":{\"message\":\"refused\"}}",
	  "a: connecting (last error: refused)\n" },
	{ print_opened,
	  "{\"name\":\"a\",\"state\":\"closed\",\"last_close\":{\"code\":1000,\"clean\":true}}",
	  "a: closed\n" },
	{ print_reloaded, "{\"added\":[],\"changed\":[],\"removed\":[],\"unchanged\":3}",
	  "no differences; unchanged: 3\n" },
	{ print_reloaded,
	  "{\"added\":[\"a\",\"b\"],\"changed\":[],\"removed\":[\"c\"],\"unchanged\":0}",
	  "added: a, b\nremoved: c\nunchanged: 0\n" },
	{ print_reloaded,
	  "{\"added\":[],\"changed\":[\"x\"],\"removed\":[],\"unchanged\":1,\"dry_run\":true}",
	  "nothing was changed; a reload would give:\nchanged: x\nunchanged: 1\n" },
	{ print_shut_down, "{}", "wsbridged has ended\n" },
	{ print_log_level, "{\"level\":\"debug\"}", "log level: debug\n" },
	{ print_log_level, "{}", "log level: -\n" },
	{ print_traces, "{\"traces\":[]}", "no bridge is traced\n" },
	{ print_traces, "{\"traces\":[{\"name\":\"a\",\"until\":0},{\"name\":\"b\"}]}",
	  "a: traced in the log of the daemon until 1970-01-01 00:00:00\n"
	  "b: traced in the log of the daemon until -\n" },
	{ print_metrics, "{\"text\":\"# EOF\\n\"}", "# EOF\n" },
	{ print_metrics, "{\"text\":1}", "" },
	{ print_version, "{\"version\":\"1.2.3\",\"features\":[\"ws\",\"lines\"],\"limits\":{}}",
	  "wsbridged 1.2.3\nfeatures: ws, lines\n" },
	{ print_json, "{\"a\":0.1,\"b\":[1]}", "{\n  \"a\": 0.1,\n  \"b\": [\n    1\n  ]\n}\n" },
};

static void test_results(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(results) / sizeof(*results); i++) {
		json_t *result = json_loads(results[i].result, 0, NULL);
		struct sink s;

		assert_non_null(result);
		results[i].print(sink_init(&s, 0, false), result);
		assert_printed(&s, results[i].printed);
		json_decref(result);
	}
}

static const char explained[] =
	"{\"name\":\"feed\",\"state\":\"waiting\",\"history\":["
	"{\"at\":0,\"event\":\"state\",\"state\":\"connecting\",\"message\":\"start\"},"
	"{\"at\":1,\"event\":\"attempt\",\"url\":\"ws://h/\\u001b\"},"
	"{\"at\":61,\"event\":\"opened\",\"message\":\"192.0.2.1:80\",\"took\":0.012},"
	"{\"at\":86400,\"event\":\"ended\",\"message\":\"closed by peer (1001 \\\"\\\")\","
	"\"close_code\":1001,\"open_for\":90,\"retry_in\":0.5},"
	"{\"at\":86401,\"event\":\"ended\",\"message\":\"refused\",\"kind\":\"connect\","
	"\"stage\":\"connect\",\"retry_in\":null},"
	"{\"at\":86402,\"event\":\"of the future\",\"x\":1},{}]}";

static void test_explained(void **state)
{
	json_t *result = json_loads(explained, 0, NULL);
	json_t *empty = json_pack("{s:s,s:s,s:[]}", "name", "a", "state", "idle", "history");
	struct sink s;

	(void)state;
	assert_non_null(result);
	assert_int_equal(setenv("TZ", "UTC", 1), 0);
	print_explained(sink_init(&s, 0, false), result);
	assert_printed(
		&s, "feed: waiting\n"
		    "TIME                 WHAT           DETAIL\n"
		    "1970-01-01 00:00:00  connecting     start\n"
		    "1970-01-01 00:00:01  attempt        ws://h/\\x1b\n"
		    "1970-01-01 00:01:01  opened         192.0.2.1:80; took 12ms\n"
		    "1970-01-02 00:00:00  ended          closed by peer (1001 \"\"); was open for "
		    "1m 30s; next attempt in 500ms\n"
		    "1970-01-02 00:00:01  ended          refused; no further attempt\n"
		    "1970-01-02 00:00:02  of the future  \n"
		    "-                    -              \n");
	print_explained(sink_init(&s, 0, false), empty);
	assert_printed(&s, "a: idle\nnothing has happened yet\n");
	json_decref(result);
	json_decref(empty);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_durations),	cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_wrapping),	cmocka_unit_test(test_table),
		cmocka_unit_test(test_table_narrow),	cmocka_unit_test(test_table_colours),
		cmocka_unit_test(test_table_just_fits), cmocka_unit_test(test_no_bridges),
		cmocka_unit_test(test_detail),		cmocka_unit_test(test_troubles),
		cmocka_unit_test(test_results),		cmocka_unit_test(test_explained),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
