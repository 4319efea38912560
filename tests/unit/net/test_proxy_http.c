/* SPDX-License-Identifier: Apache-2.0 */
/* CONNECT: the bytes of the request, and every kind of answer cut in every way. */
#include "proxy_bench.h"

#include "support/chunks.h"

static const struct {
	const char *host, *agent, *user, *password, *request, *sentence;
} requests[] = {
	{ .host = "example.net", .request = CONNECT "\r\n" },
	{ .host = "example.net",
	  .agent = "wsbridge/1",
	  .request = CONNECT "User-Agent: wsbridge/1\r\n\r\n" },
	{ .host = "example.net",
	  .user = "user",
	  .password = "sesame",
	  .request = CONNECT BASIC "\r\n" },
	{ .host = "example.net",
	  .user = "user",
	  .request = CONNECT "Proxy-Authorization: Basic dXNlcjo=\r\n\r\n" },
	{ .host = "example.net",
	  .password = "sesame",
	  .request = CONNECT "Proxy-Authorization: Basic OnNlc2FtZQ==\r\n\r\n" },
	{ .host = "192.0.2.1",
	  .request = "CONNECT 192.0.2.1:443 HTTP/1.1\r\nHost: 192.0.2.1:443\r\n\r\n" },
	{ .host = "2001:db8::1",
	  .request = "CONNECT [2001:db8::1]:443 HTTP/1.1\r\nHost: [2001:db8::1]:443\r\n\r\n" },
	{ .host = "", .sentence = "the name of the target is empty" },
	{ .host = "a b", .sentence = "the name of the target is not valid" },
	{ .host = "a\r\nX: y", .sentence = "the name of the target is not valid" },
	{ .host = "u@h", .sentence = "the name of the target is not valid" },
	{ .host = "h/x", .sentence = "the name of the target is not valid" },
	{ .host = "[::1]", .sentence = "the name of the target is not valid" },
	{ .host = "h\x80", .sentence = "the name of the target is not valid" },
	{ .host = "h", .agent = "a\nb", .sentence = "the User-Agent holds a control character" },
	{ .host = "h", .user = "a:b", .sentence = "the user name for the proxy holds a colon" },
	{ .host = "h",
	  .user = "sesame\n",
	  .sentence = "the user name or the password for the proxy holds a control character" },
	{ .host = "h",
	  .user = "u",
	  .password = "sesame\r",
	  .sentence = "the user name or the password for the proxy holds a control character" },
};

static void test_requests(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(requests); i++) {
		struct proxy_talk t;
		struct error err;
		struct bench b;
		bool ok;

		bench_init(&b, requests[i].user, requests[i].password);
		b.params.target.host = requests[i].host;
		b.params.user_agent = requests[i].agent;
		ok = proxy_talk_init(&t, &b.params, b.memory, &err);
		assert_int_equal(ok, requests[i].request != NULL);
		if (ok) {
			take_output(&t, requests[i].request);
		} else {
			assert_int_equal(err.code, ERR_PROXY);
			assert_int_equal(err.stage, STAGE_PROXY);
			assert_string_equal(err.text, requests[i].sentence);
		}
		proxy_talk_deinit(&t);
		proxy_talk_deinit(&t);
		bench_deinit(&b);
	}
}

static void test_names_up_to_255_bytes(void **state)
{
	char host[257], expected[700];

	(void)state;
	for (size_t n = 255; n <= 256; n++) {
		struct proxy_talk t;
		struct error err;
		struct bench b;

		memset(host, 'h', n);
		host[n] = '\0';
		bench_init(&b, NULL, NULL);
		b.params.target.host = host;
		b.params.target.port = 65535;
		assert_int_equal(proxy_talk_init(&t, &b.params, b.memory, &err), n == 255);
		snprintf(expected, sizeof(expected),
			 "CONNECT %s:65535 HTTP/1.1\r\nHost: %s:65535\r\n\r\n", host, host);
		if (n == 255)
			take_output(&t, expected);
		else
			assert_string_equal(err.text,
					    "the name of the target is longer than 255 bytes");
		proxy_talk_deinit(&t);
		bench_deinit(&b);
	}
}

static void test_credentials_of_any_length_stay_in_one_block(void **state)
{
	static char user[20000], password[20000];
	static const size_t lengths[] = { 1, 300, 8000, 15000, 19999 };

	(void)state;
	for (size_t i = 0; i < COUNT(lengths); i++) {
		struct proxy_talk t;
		struct error err;
		struct bench b;
		bool ok;

		memset(user, 'u', sizeof(user));
		memset(password, 'p', sizeof(password));
		user[lengths[i]] = password[lengths[i]] = '\0';
		bench_init(&b, user, password);
		ok = proxy_talk_init(&t, &b.params, b.memory, &err);
		assert_int_equal(ok, lengths[i] < 19999);
		if (!ok)
			assert_string_equal(err.text, "the request to the proxy would be too long");
		proxy_talk_deinit(&t);
		bench_deinit(&b);
	}
}

struct answer {
	const char *bytes;
	enum proxy_result result;
	const char *sentence;
	int status;
};

static const struct answer answers[] = {
	{ OK, PROXY_OPEN, NULL, 0 },
	{ "HTTP/1.0 200 OK\r\n\r\n", PROXY_OPEN, NULL, 0 },
	{ "HTTP/1.1 204\r\n\r\n", PROXY_OPEN, NULL, 0 },
	{ "HTTP/1.1 299 x\r\nProxy-Agent: tiny\r\n\r\n", PROXY_OPEN, NULL, 0 },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", PROXY_OPEN, NULL, 0 },
	{ "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", PROXY_OPEN, NULL, 0 },
	{ "HTTP/1.1 100 Continue\r\n\r\n" OK, PROXY_OPEN, NULL, 0 },
	{ "HTTP/1.1 102 a\r\n\r\nHTTP/1.1 103 b\r\nX: y\r\n\r\nHTTP/1.1 100 c\r\n\r\n"
	  "HTTP/1.1 100 d\r\n\r\nHTTP/1.1 199 e\r\n\r\n" OK,
	  PROXY_OPEN, NULL, 0 },
	{ "HTTP/1.1 100 1\r\n\r\nHTTP/1.1 100 2\r\n\r\nHTTP/1.1 100 3\r\n\r\n"
	  "HTTP/1.1 100 4\r\n\r\nHTTP/1.1 100 5\r\n\r\nHTTP/1.1 100 6\r\n\r\n",
	  PROXY_BAD, "the proxy sent more than 5 interim answers", 100 },
	{ "HTTP/1.1 101 Switching\r\n\r\n", PROXY_BAD, "the proxy answered with status 101", 101 },
	{ "HTTP/1.1 301 Moved\r\nLocation: http://x/\r\n\r\n", PROXY_BAD,
	  "the proxy answered with status 301", 301 },
	{ "HTTP/1.1 400 sesame\r\n\r\n", PROXY_BAD,
	  "the proxy answered with status 400 (it did not understand the request)", 400 },
	{ "HTTP/1.1 401 x\r\n\r\n", PROXY_BAD,
	  "the proxy answered with status 401 (it refused the user name or the password)", 401 },
	{ "HTTP/1.1 500 x\r\n\r\n", PROXY_BAD,
	  "the proxy answered with status 500 (it failed, or could not reach the target)", 500 },
	{ "HTTP/1.1 403 Filtered\r\nContent-Length: 0\r\n\r\n", PROXY_BAD,
	  "the proxy answered with status 403 (it does not allow this target)", 403 },
	{ "HTTP/1.1 404 x\r\n\r\n", PROXY_BAD,
	  "the proxy answered with status 404 (it does not know the target)", 404 },
	{ "HTTP/1.1 405 x\r\n\r\n", PROXY_BAD,
	  "the proxy answered with status 405 (it does not do CONNECT)", 405 },
	{ "HTTP/1.1 429 x\r\n\r\n", PROXY_BAD,
	  "the proxy answered with status 429 (too many requests)", 429 },
	{ "HTTP/1.1 501 x\r\n\r\n", PROXY_BAD,
	  "the proxy answered with status 501 (it does not do CONNECT)", 501 },
	{ "HTTP/1.1 502 Bad Gateway\r\n\r\n", PROXY_BAD,
	  "the proxy answered with status 502 (it could not reach the target)", 502 },
	{ "HTTP/1.1 503 x\r\n\r\n", PROXY_BAD,
	  "the proxy answered with status 503 (it could not reach the target, or is overloaded)",
	  503 },
	{ "HTTP/1.1 504 x\r\n\r\n", PROXY_BAD,
	  "the proxy answered with status 504 (the target did not answer it in time)", 504 },
	{ "HTTP/1.1 999 x\r\n\r\n", PROXY_BAD, "the proxy answered with status 999", 999 },
	{ WANTS("1", ASK_BASIC NO_BODY), PROXY_BAD, "the proxy wants a user name and a password",
	  407 },
	{ WANTS("1", NO_BODY), PROXY_BAD, "the proxy wants a user name and a password", 407 },
	{ "SSH-2.0-OpenSSH\r\n", PROXY_BAD, "the answer is not HTTP/1.x", 0 },
	{ "\x15\x03\x01", PROXY_BAD, "the answer is TLS where plain HTTP was expected", 0 },
	{ "HTTP/1.1 200 OK\n\n", PROXY_BAD, "a line of the response ends without CR", 0 },
	{ "HTTP/1.1 200 OK\r\n folded\r\n\r\n", PROXY_BAD,
	  "header line 1 of the response is folded", 0 },
	{ "", PROXY_MORE, NULL, 0 },
	{ "HTTP/1.1 200 OK\r\nX: y\r\n", PROXY_MORE, NULL, 0 },
};

static void run_answer(struct chunks *c, void *arg)
{
	const struct answer *a = arg;
	enum proxy_result result = PROXY_MORE;
	struct proxy_talk t;
	struct span piece;
	struct error err;
	struct bench b;

	bench_init(&b, NULL, NULL);
	assert_true(proxy_talk_init(&t, &b.params, b.memory, &err));
	take_output(&t, CONNECT "\r\n");
	while (result == PROXY_MORE && chunks_next(c, &piece))
		result = proxy_talk_feed(&t, piece, &err);
	assert_int_equal(result, a->result);
	assert_int_equal(proxy_talk_output(&t).n, 0);
	if (result == PROXY_BAD) {
		assert_int_equal(err.code, ERR_PROXY);
		assert_int_equal(err.stage, STAGE_PROXY);
		assert_int_equal(err.status, a->status);
		assert_string_equal(err.text, a->sentence);
	}
	if (result == PROXY_MORE) {
		assert_int_equal(proxy_talk_end(&t, NULL, &err), PROXY_BAD);
		assert_string_equal(err.text, "the proxy closed the connection before it answered");
	}
	proxy_talk_deinit(&t);
	bench_deinit(&b);
}

static void test_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(answers); i++) {
		struct answer a = answers[i];

		chunks_each(span_str(a.bytes), run_answer, &a);
	}
}

/* One byte too many, whatever it is, and in whatever answer it hides. */
static void test_bytes_behind_the_answer(void **state)
{
	static const char *const behind[] = { OK "\x16", OK "HTTP/1.1 101 Switching", OK "\r\n",
					      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi" };

	(void)state;
	for (size_t i = 0; i < COUNT(behind); i++) {
		struct proxy_talk t;
		struct error err;
		struct bench b;

		bench_init(&b, NULL, NULL);
		assert_true(proxy_talk_init(&t, &b.params, b.memory, &err));
		proxy_talk_sent(&t, proxy_talk_output(&t).n);
		assert_int_equal(proxy_talk_feed(&t, span_str(behind[i]), &err), PROXY_BAD);
		assert_string_equal(err.text, "the proxy sent data before the tunnel was used");
		proxy_talk_deinit(&t);
		bench_deinit(&b);
	}
}

static void test_an_answer_before_the_question(void **state)
{
	struct proxy_talk t;
	struct error err;
	struct bench b;

	(void)state;
	bench_init(&b, "user", "sesame");
	assert_true(proxy_talk_init(&t, &b.params, b.memory, &err));
	proxy_talk_sent(&t, 10);
	assert_int_equal(proxy_talk_feed(&t, span_str(OK), &err), PROXY_BAD);
	assert_string_equal(err.text, "the proxy answered before it was asked");
	proxy_talk_deinit(&t);
	bench_deinit(&b);
}

/* A head of n bytes that is not over yet, in header lines of 4000. */
static char *make_head(size_t n)
{
	char *head = malloc(n + 1);

	assert_non_null(head);
	memset(head, 'x', n);
	head[n] = '\0';
	memcpy(head, "HTTP/1.1 200 OK\r\n", 17);
	for (size_t i = 17; i < n; i += 4000) {
		if (i + 2 < n)
			head[i + 1] = ':';
		if (i > 17) {
			head[i - 2] = '\r';
			head[i - 1] = '\n';
		}
	}
	return head;
}

static void test_a_head_of_16_kib_and_no_more(void **state)
{
	(void)state;
	for (size_t more = 0; more < 2; more++) {
		char *head = make_head(PROXY_HEAD_MAX + more);
		struct answer a = { head, PROXY_OPEN, NULL, 0 };

		memcpy(head + PROXY_HEAD_MAX + more - 4, "\r\n\r\n", 4);
		if (more > 0) {
			a.result = PROXY_BAD;
			a.sentence = "the head of the proxy's answer is longer than 16384 bytes";
		}
		chunks_each_coarse(span_str(head), run_answer, &a);
		free(head);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_names_up_to_255_bytes),
		cmocka_unit_test(test_credentials_of_any_length_stay_in_one_block),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_bytes_behind_the_answer),
		cmocka_unit_test(test_an_answer_before_the_question),
		cmocka_unit_test(test_a_head_of_16_kib_and_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
