/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole conversations with an HTTP proxy that wants authentication, over one
 * connection and over several: which credentials go out, and when it is over.
 */
#include "proxy_bench.h"

#define CNONCE "MDEyMzQ1Njc4OWFiY2RlZg=="
#define MD5(nonce) "Proxy-Authenticate: Digest realm=\"r\", nonce=\"" nonce "\", qop=\"auth\"\r\n"
#define STALE(nonce)                                                                  \
	"Proxy-Authenticate: Digest realm=\"r\", nonce=\"" nonce "\", qop=\"auth\", " \
	"stale=true\r\n"
#define SHA256(nonce)                                                                 \
	"Proxy-Authenticate: Digest realm=\"r\", nonce=\"" nonce "\", qop=\"auth\", " \
	"algorithm=SHA-256, opaque=\"o\"\r\n"
#define AFRESH "the proxy wants authentication on a new connection"
#define REFUSED "the proxy refused the user name or the password"
#define DIGEST(realm, nonce, response, rest)                                                 \
	"Proxy-Authorization: Digest username=\"user\", realm=\"" realm "\", nonce=\"" nonce \
	"\", uri=\"example.net:443\", response=\"" response "\"" rest "\r\n"
#define COUNTED(nc) ", qop=auth, nc=" nc ", cnonce=\"" CNONCE "\""
/* Computed apart from the code, with Python's hashlib. */
#define MD5_N1 DIGEST("r", "n1", "db6de58e9676d5c9d879ab6909e6fc9d", COUNTED("00000001"))
#define MD5_N1_SECOND DIGEST("r", "n1", "adad6885890ea227fa861d7de5bb30c0", COUNTED("00000002"))
#define MD5_N2 DIGEST("r", "n2", "de4e4db0cf0c737ee526d100b59fee8b", COUNTED("00000001"))
#define SHA_N1                                                                                \
	DIGEST("r", "n1", "39da7b8a5c400057efc3779ecbae7e7a7a355ef279ae8083a46b6cb7a009211f", \
	       ", algorithm=SHA-256" COUNTED("00000001") ", opaque=\"o\"")

/* One connection: what is sent, what comes back, and so on; what it ends with. */
struct connection {
	const char *sent[4], *answered[4];
	enum proxy_result result;
	const char *sentence;
	bool closed; /* by the proxy, behind the last answer */
};

struct conversation {
	const char *name;
	struct connection connections[4];
};

static const struct conversation conversations[] = {
	{ "Basic is taken", { { { CONNECT BASIC "\r\n" }, { OK }, PROXY_OPEN, NULL, false } } },
	{ "Basic is refused",
	  { { { CONNECT BASIC "\r\n" },
	      { WANTS("1", ASK_BASIC NO_BODY) },
	      PROXY_BAD,
	      REFUSED,
	      false } } },
	{ "MD5 over one connection, with a body to throw away",
	  { { { CONNECT BASIC "\r\n", CONNECT MD5_N1 "\r\n" },
	      { WANTS("1", MD5("n1") "Content-Length: 12\r\n\r\n<html>\r\n\r\n\r\n"), OK },
	      PROXY_OPEN,
	      NULL,
	      false },
	    /* The next attempt begins with what was learned. */
	    { { CONNECT MD5_N1_SECOND "\r\n" }, { OK }, PROXY_OPEN, NULL, false } } },
	{ "MD5 over two connections",
	  { { { CONNECT BASIC "\r\n" },
	      { WANTS("1", MD5("n1") "\r\n") },
	      PROXY_AGAIN,
	      AFRESH,
	      false },
	    { { CONNECT MD5_N1 "\r\n" }, { OK }, PROXY_OPEN, NULL, false } } },
	{ "SHA-256 is preferred, whatever the order",
	  { { { CONNECT BASIC "\r\n", CONNECT SHA_N1 "\r\n" },
	      { WANTS("1", ASK_BASIC MD5("n0") SHA256("n1") MD5("n3") NO_BODY), OK },
	      PROXY_OPEN,
	      NULL,
	      false } } },
	{ "a wrong password is tried once for each kind",
	  { { { CONNECT BASIC "\r\n", CONNECT MD5_N1 "\r\n" },
	      { WANTS("1", ASK_BASIC MD5("n1") NO_BODY), WANTS("1", ASK_BASIC MD5("n2") NO_BODY) },
	      PROXY_BAD,
	      REFUSED,
	      false },
	    /* And nothing of it is kept. */
	    { { CONNECT BASIC "\r\n" }, { OK }, PROXY_OPEN, NULL, false } } },
	{ "a stale nonce is replaced once",
	  { { { CONNECT BASIC "\r\n", CONNECT MD5_N1 "\r\n", CONNECT MD5_N2 "\r\n" },
	      { WANTS("1", MD5("n1") NO_BODY), WANTS("1", STALE("n2") NO_BODY), OK },
	      PROXY_OPEN,
	      NULL,
	      false } } },
	{ "and not twice",
	  { { { CONNECT BASIC "\r\n", CONNECT MD5_N1 "\r\n", CONNECT MD5_N2 "\r\n" },
	      { WANTS("1", MD5("n1") NO_BODY), WANTS("1", STALE("n2") NO_BODY),
		WANTS("1", STALE("n3") NO_BODY) },
	      PROXY_BAD,
	      REFUSED,
	      false } } },
	{ "a proxy that forgot the nonce of last time may ask anew",
	  { { { CONNECT BASIC "\r\n", CONNECT MD5_N1 "\r\n" },
	      { WANTS("1", MD5("n1") NO_BODY), OK },
	      PROXY_OPEN,
	      NULL,
	      false },
	    { { CONNECT MD5_N1_SECOND "\r\n", CONNECT MD5_N2 "\r\n" },
	      { WANTS("1", MD5("n2") NO_BODY), OK },
	      PROXY_OPEN,
	      NULL,
	      false } } },
	{ "but not after it has called it stale",
	  { { { CONNECT BASIC "\r\n", CONNECT MD5_N1 "\r\n" },
	      { WANTS("1", MD5("n1") NO_BODY), OK },
	      PROXY_OPEN,
	      NULL,
	      false },
	    { { CONNECT MD5_N1_SECOND "\r\n", CONNECT MD5_N2 "\r\n" },
	      { WANTS("1", STALE("n2") NO_BODY), WANTS("1", MD5("n3") NO_BODY) },
	      PROXY_BAD,
	      REFUSED,
	      false } } },
	{ "back to Basic, when nothing else is offered any more",
	  { { { CONNECT BASIC "\r\n", CONNECT MD5_N1 "\r\n" },
	      { WANTS("1", MD5("n1") NO_BODY), OK },
	      PROXY_OPEN,
	      NULL,
	      false },
	    { { CONNECT MD5_N1_SECOND "\r\n", CONNECT BASIC "\r\n" },
	      { WANTS("1", ASK_BASIC NO_BODY), OK },
	      PROXY_OPEN,
	      NULL,
	      false } } },
	{ "two kinds in turn do not go on for ever",
	  { { { CONNECT BASIC "\r\n", CONNECT MD5_N1 "\r\n" },
	      { WANTS("1", MD5("n1") NO_BODY), WANTS("1", ASK_BASIC NO_BODY) },
	      PROXY_BAD,
	      REFUSED,
	      false } } },
	{ "-sess",
	  { { { CONNECT BASIC "\r\n" },
	      { WANTS("1", "Proxy-Authenticate: Digest realm=r, nonce=n, qop=auth, "
			   "algorithm=MD5-sess\r\n" NO_BODY) },
	      PROXY_BAD,
	      "the proxy wants a kind of Digest authentication other than MD5 or "
	      "SHA-256 with qop=auth",
	      false } } },
	{ "Negotiate",
	  { { { CONNECT BASIC "\r\n" },
	      { WANTS("1", "Proxy-Authenticate: Negotiate\r\n" NO_BODY) },
	      PROXY_BAD,
	      "the proxy wants authentication other than Basic or Digest",
	      false } } },
	{ "HTTP/1.0 closes",
	  { { { CONNECT BASIC "\r\n" },
	      { WANTS("0", MD5("n1") NO_BODY) },
	      PROXY_AGAIN,
	      AFRESH,
	      false } } },
	{ "Connection: close",
	  { { { CONNECT BASIC "\r\n" },
	      { WANTS("1", MD5("n1") "Connection: x, Close\r\n" NO_BODY) },
	      PROXY_AGAIN,
	      AFRESH,
	      false } } },
	{ "Proxy-Connection: close",
	  { { { CONNECT BASIC "\r\n" },
	      { WANTS("1", MD5("n1") "Proxy-Connection: close\r\n" NO_BODY) },
	      PROXY_AGAIN,
	      AFRESH,
	      false } } },
	{ "a body of unknown length",
	  { { { CONNECT BASIC "\r\n" },
	      { WANTS("1", MD5("n1") "Transfer-Encoding: chunked\r\n" NO_BODY) },
	      PROXY_AGAIN,
	      AFRESH,
	      false } } },
	{ "two lengths",
	  { { { CONNECT BASIC "\r\n" },
	      { WANTS("1", MD5("n1") "Content-Length: 0\r\n" NO_BODY) },
	      PROXY_AGAIN,
	      AFRESH,
	      false } } },
	{ "a length that is none",
	  { { { CONNECT BASIC "\r\n" },
	      { WANTS("1", MD5("n1") "Content-Length: +0\r\n\r\n") },
	      PROXY_AGAIN,
	      AFRESH,
	      false } } },
	{ "a body that is too long to be read",
	  { { { CONNECT BASIC "\r\n" },
	      { WANTS("1", MD5("n1") "Content-Length: 65537\r\n\r\n") },
	      PROXY_AGAIN,
	      AFRESH,
	      false } } },
	{ "closed instead of the body",
	  { { { CONNECT BASIC "\r\n" },
	      { WANTS("1", MD5("n1") "Content-Length: 65536\r\n\r\n<html>") },
	      PROXY_AGAIN,
	      NULL,
	      true },
	    { { CONNECT MD5_N1 "\r\n" }, { OK }, PROXY_OPEN, NULL, false } } },
	{ "closed although it promised to stay",
	  { { { CONNECT BASIC "\r\n", CONNECT MD5_N1 "\r\n" },
	      { WANTS("1", MD5("n1") NO_BODY), "" },
	      PROXY_AGAIN,
	      NULL,
	      true },
	    { { CONNECT MD5_N1_SECOND "\r\n" }, { "" }, PROXY_BAD, NULL, true } } },
	{ "closed inside the second answer",
	  { { { CONNECT BASIC "\r\n", CONNECT MD5_N1 "\r\n" },
	      { WANTS("1", MD5("n1") NO_BODY), "HTTP/1.1 2" },
	      PROXY_BAD,
	      NULL,
	      true } } },
	{ "another refusal is not about the password",
	  { { { CONNECT BASIC "\r\n", CONNECT MD5_N1 "\r\n" },
	      { WANTS("1", MD5("n1") NO_BODY), "HTTP/1.1 403 x\r\n\r\n" },
	      PROXY_BAD,
	      "the proxy answered with status 403 (it does not allow this target)",
	      false },
	    { { CONNECT MD5_N1_SECOND "\r\n" }, { OK }, PROXY_OPEN, NULL, false } } },
};

static enum proxy_result feed(struct proxy_talk *t, struct span bytes, size_t step,
			      struct error *err)
{
	enum proxy_result result = PROXY_MORE;

	while (bytes.n > 0 && result == PROXY_MORE) {
		size_t n = step < bytes.n ? step : bytes.n;

		result = proxy_talk_feed(t, span_of(bytes.p, n), err);
		bytes = span_skip(bytes, n);
	}
	assert_int_equal(bytes.n, 0);
	return result;
}

static void run_connection(struct bench *b, const struct connection *c, size_t step)
{
	enum proxy_result result = PROXY_MORE;
	struct error err = ERROR_INIT;
	struct proxy_talk t;

	assert_true(proxy_talk_init(&t, &b->params, b->memory, &err));
	for (size_t i = 0; i < COUNT(c->sent) && c->sent[i]; i++) {
		assert_int_equal(result, PROXY_MORE);
		take_output(&t, c->sent[i]);
		result = feed(&t, span_str(c->answered[i]), step, &err);
	}
	if (c->closed) {
		assert_int_equal(result, PROXY_MORE);
		result = proxy_talk_end(&t, NULL, &err);
	}
	assert_int_equal(result, c->result);
	assert_int_equal(proxy_talk_output(&t).n, 0);
	if (c->sentence)
		assert_string_equal(err.text, c->sentence);
	assert_null(strstr(err.text, "sesame"));
	if (result != PROXY_OPEN)
		assert_int_equal(err.code, ERR_PROXY);
	proxy_talk_deinit(&t);
}

static void test_conversations(void **state)
{
	static const size_t steps[] = { SIZE_MAX, 1, 7 };

	(void)state;
	for (size_t i = 0; i < COUNT(conversations) * COUNT(steps); i++) {
		const struct conversation *c = &conversations[i / COUNT(steps)];
		struct bench b;

		print_message("%s\n", c->name);
		bench_init(&b, "user", "sesame");
		for (size_t at = 0; at < COUNT(c->connections) && c->connections[at].sent[0]; at++)
			run_connection(&b, &c->connections[at], steps[i % COUNT(steps)]);
		bench_deinit(&b);
	}
}

/* Byte by byte as it goes, and at the end all of it. */
static void test_credentials_are_wiped_as_they_go_out(void **state)
{
	struct proxy_talk t;
	struct error err;
	struct bench b;
	size_t n;

	(void)state;
	bench_init(&b, "user", "sesame");
	assert_true(proxy_talk_init(&t, &b.params, b.memory, &err));
	n = proxy_talk_output(&t).n;
	assert_int_equal(n, strlen(CONNECT BASIC "\r\n"));
	for (size_t i = 0; i < n; i++) {
		proxy_talk_sent(&t, 1);
		for (size_t at = 0; at <= i; at++)
			assert_int_equal(t.out.data[at], 0);
		assert_int_equal(proxy_talk_output(&t).n, n - i - 1);
	}
	proxy_talk_deinit(&t);
	bench_deinit(&b);
}

static void test_quotes_in_a_digest_answer_are_escaped(void **state)
{
	static const char challenge[] =
		"HTTP/1.1 407 x\r\nProxy-Authenticate: Digest realm=\"a \\\"b\\\"\", "
		"nonce=\"\\\\\", qop=\"auth\"\r\n" NO_BODY;
	struct proxy_talk t;
	struct error err;
	struct bench b;
	struct span out;

	(void)state;
	bench_init(&b, "us\"er\\", "sesame");
	assert_true(proxy_talk_init(&t, &b.params, b.memory, &err));
	proxy_talk_sent(&t, proxy_talk_output(&t).n);
	assert_int_equal(proxy_talk_feed(&t, span_str(challenge), &err), PROXY_MORE);
	out = proxy_talk_output(&t);
	assert_non_null(memmem(out.p, out.n,
			       "Digest username=\"us\\\"er\\\\\", realm=\"a \\\"b\\\"\", "
			       "nonce=\"\\\\\", uri=",
			       61));
	proxy_talk_deinit(&t);
	bench_deinit(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_conversations),
		cmocka_unit_test(test_credentials_are_wiped_as_they_go_out),
		cmocka_unit_test(test_quotes_in_a_digest_answer_are_escaped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
