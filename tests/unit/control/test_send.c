/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The methods with an upstream that is really there: `open` that succeeds or is
 * refused, what `status` shows and hides of the handshake, and `send`, which is
 * answered when the kernel has the bytes and not before.
 */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/control_fixture.h"
#include "ws/upgrade.h"

#define FIELDS                                 \
	"Server: test\r\nX-A: 1\r\nx-a: 2\r\n" \
	"Set-Cookie: s=hush\r\nX-Auth-Token: hush\r\nLocation: /p?k=hush\r\n"

/* A server for one connection: it answers the handshake and keeps what comes then. */
struct upstream {
	struct loop *loop;
	int listener, fd;
	struct watch accepting, reading;
	bool refuses, upgraded;
	char *got; /* the request, then the frames */
	size_t n_got;
	size_t enough; /* bytes: stop the loop then */
};

struct test {
	struct fixture f;
	struct upstream up;
	char url[64];
};

static void reply(struct upstream *u, const char *text)
{
	assert_int_equal(send(u->fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static void handshake(struct upstream *u)
{
	static const char field[] = "Sec-WebSocket-Key: ";
	char accept[UPGRADE_ACCEPT_LEN + 1], text[600];
	const char *key = strstr(u->got, field);

	if (u->refuses) {
		reply(u, "HTTP/1.1 401 Unauthorized\r\n" FIELDS "Content-Length: 0\r\n\r\n");
		return;
	}
	assert_non_null(key);
	upgrade_accept(accept, span_of(key + sizeof(field) - 1, UPGRADE_KEY_LEN));
	snprintf(text, sizeof(text),
		 "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
		 "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n" FIELDS "\r\n",
		 accept);
	reply(u, text);
	u->upgraded = true;
	u->n_got = 0;
}

static void on_read(void *arg, unsigned events)
{
	struct upstream *u = arg;
	char piece[65536];
	ssize_t n = recv(u->fd, piece, sizeof(piece), MSG_DONTWAIT);

	(void)events;
	if (n <= 0) {
		watch_set(&u->reading, 0);
		return;
	}
	u->got = realloc(u->got, u->n_got + (size_t)n + 1);
	memcpy(u->got + u->n_got, piece, (size_t)n);
	u->n_got += (size_t)n;
	u->got[u->n_got] = '\0';
	if (!u->upgraded && strstr(u->got, "\r\n\r\n"))
		handshake(u);
	else if (u->enough && u->n_got >= u->enough)
		loop_stop(u->loop);
}

static void hang_up(struct upstream *u)
{
	watch_deinit(&u->reading);
	if (u->fd >= 0)
		close(u->fd);
	u->fd = -1;
}

static void on_accept(void *arg, unsigned events)
{
	struct upstream *u = arg;

	(void)events;
	hang_up(u);
	u->upgraded = false;
	u->n_got = 0;
	u->fd = accept4(u->listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(u->fd >= 0);
	watch_init(&u->reading, u->loop, u->fd, on_read, u);
	watch_set(&u->reading, WATCH_READ);
}

static int setup(void **state)
{
	struct test *t = calloc(1, sizeof(*t));
	struct upstream *u = &t->up;
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof(addr);

	fixture_init(&t->f, "{}");
	u->loop = t->f.loop;
	u->fd = -1;
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	u->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(u->listener, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(u->listener, 5), 0);
	assert_int_equal(getsockname(u->listener, (struct sockaddr *)&addr, &len), 0);
	snprintf(t->url, sizeof(t->url), "ws://127.0.0.1:%d/", ntohs(addr.sin_port));
	watch_init(&u->accepting, u->loop, u->listener, on_accept, u);
	watch_set(&u->accepting, WATCH_READ);
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	struct test *t = *state;

	hang_up(&t->up);
	watch_deinit(&t->up.accepting);
	close(t->up.listener);
	fixture_deinit(&t->f);
	free(t->up.got);
	free(t);
	return 0;
}

static json_t *ask(struct test *t, const char *line)
{
	char *text = fixture_ask(&t->f, LEVEL_ADMIN, line);
	json_t *answer = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

	assert_non_null(answer);
	free(text);
	return answer;
}

static json_t *open_live(struct test *t)
{
	char line[200];

	snprintf(line, sizeof(line), "open live url=%s wait=true reconnect.attempts=1", t->url);
	return ask(t, line);
}

static void check_headers(const json_t *headers)
{
	json_t *hidden = json_pack("{s:s,s:[ss],s:s,s:s,s:s}", "server", "test", "x-a", "1", "2",
				   "set-cookie", "***", "x-auth-token", "***", "location", "***");
	const char *key;
	json_t *value;

	json_object_foreach(hidden, key, value)
		if (!json_equal(json_object_get(headers, key), value))
			fail_msg("%s is shown wrong", key);
	json_decref(hidden);
}

static void test_open(void **state)
{
	struct test *t = *state;
	json_t *answer = open_live(t), *bridge = json_object_get(answer, "result");
	json_t *shown = json_object_get(bridge, "handshake");

	assert_string_equal(json_string_value(json_object_get(bridge, "state")), "open");
	assert_int_equal(json_integer_value(json_object_get(bridge, "epoch")), 1);
	assert_true(json_is_string(json_object_get(bridge, "peer")));
	assert_int_equal(json_integer_value(json_object_get(shown, "status")), 101);
	check_headers(json_object_get(shown, "headers"));
	json_decref(answer);
}

static void test_refused(void **state)
{
	struct test *t = *state;
	json_t *answer, *data, *error;

	t->up.refuses = true;
	answer = open_live(t);
	error = json_object_get(answer, "error");
	data = json_object_get(error, "data");
	assert_int_equal(json_integer_value(json_object_get(error, "code")), -32010);
	assert_string_equal(json_string_value(json_object_get(data, "kind")), "bad_status");
	assert_string_equal(json_string_value(json_object_get(data, "stage")), "handshake");
	assert_string_equal(json_string_value(json_object_get(data, "bridge")), "live");
	assert_int_equal(json_integer_value(json_object_get(data, "status")), 401);
	assert_true(json_is_false(json_object_get(data, "retryable")));
	json_decref(answer);
}

/* Waits for one short frame with this payload. */
static void expect_frame(struct test *t, int first, const char *payload)
{
	struct upstream *u = &t->up;
	size_t n = strlen(payload);

	u->enough = n + 6;
	if (u->n_got < u->enough)
		fixture_run(&t->f);
	assert_int_equal(u->n_got, u->enough);
	assert_int_equal((uint8_t)u->got[0], first);
	assert_int_equal((uint8_t)u->got[1], 0x80 | n);
	for (size_t i = 0; i < n; i++)
		u->got[6 + i] = (char)(u->got[6 + i] ^ u->got[2 + i % 4]);
	assert_memory_equal(u->got + 6, payload, n);
	u->n_got = u->enough = 0;
}

static void test_frames(void **state)
{
	static const struct {
		const char *line;
		int first;
		const char *payload;
	} rows[] = {
		{ "send live text=hello", 0x81, "hello" },
		{ "send live text=", 0x81, "" },
		{ "send live text=\"a \\\"b\\\" \\u00e4\"", 0x81, "a \"b\" \303\244" },
		{ "send live text={\"a\": 1}", 0x81, "{\"a\": 1}" },
		{ "send live json={\"z\": 0.10, \"a\": [1e2, \" x \"]}", 0x81,
		  "{\"z\":0.10,\"a\":[1e2,\" x \"]}" },
		{ "{\"id\":1,\"method\":\"send\",\"params\":{\"json\":1.0,\"name\":\"live\"}}",
		  0x81, "1.0" },
		{ "{\"id\":1,\"method\":\"send\",\"params\":{\"name\":\"live\",\"json\":null}}",
		  0x81, "null" },
		{ "send live binary=YWJj", 0x82, "abc" },
		{ "send live ping=p", 0x89, "p" },
		{ "send live pong=", 0x8a, "" },
		{ "send live text=now queue=true", 0x81, "now" },
	};
	struct test *t = *state;

	json_decref(open_live(t));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *answer = ask(t, rows[i].line), *result = json_object_get(answer, "result");

		assert_int_equal(json_integer_value(json_object_get(result, "bytes")),
				 strlen(rows[i].payload));
		assert_true(json_is_false(json_object_get(result, "queued")));
		expect_frame(t, rows[i].first, rows[i].payload);
		json_decref(answer);
	}
}

static bool has(const struct exchange *e, const char *part)
{
	return memmem(e->line.p, e->line.n, part, strlen(part)) != NULL;
}

static void stop(void *arg)
{
	loop_stop(arg);
}

/* The upstream does not read: sends until an answer has to wait, and returns that exchange. */
static struct exchange *fill(struct test *t)
{
	static const char head[] = "send live text=";
	struct exchange_params p = {
		.env = &t->f.env,
		.level = LEVEL_SEND,
		.who = "test",
		.max_line = 2 << 20,
		.on_done = stop,
		.arg = t->f.loop,
	};
	size_t n = 1 << 20;
	char *line = malloc(n);

	watch_set(&t->up.reading, 0);
	memset(line, 'x', n);
	memcpy(line, head, sizeof(head) - 1);
	for (int i = 0; i < 64; i++) {
		struct exchange *e = exchange_new(&p, span_of(line, n));

		if (!e->done) {
			assert_true(e->ordered);
			free(line);
			return e;
		}
		assert_true(has(e, "\"queued\":false"));
		exchange_free(e);
	}
	fail_msg("the kernel takes everything");
	abort();
}

static void test_kernel_is_full(void **state)
{
	struct test *t = *state;
	struct exchange *e;

	json_decref(open_live(t));
	e = fill(t);
	watch_set(&t->up.reading, WATCH_READ);
	while (!e->done)
		fixture_run(&t->f);
	assert_true(has(e, "\"bytes\":1048561,\"queued\":false"));
	exchange_free(e);
}

static void test_connection_is_lost(void **state)
{
	struct test *t = *state;
	struct exchange *e;

	json_decref(open_live(t));
	e = fill(t);
	hang_up(&t->up);
	t->up.refuses = true;
	while (!e->done)
		fixture_run(&t->f);
	assert_true(has(e, "-32004"));
	assert_true(has(e, "lost before the message was with the kernel"));
	exchange_free(e);
}

/* More than the link takes while it is stuck is refused at once. */
static void test_no_room(void **state)
{
	struct test *t = *state;
	struct exchange *all[64];
	size_t n = 0;
	json_t *answer;
	struct exchange_params p = {
		.env = &t->f.env, .level = LEVEL_SEND, .who = "test", .max_line = 2 << 20
	};
	char *line = malloc(1 << 20);

	json_decref(open_live(t));
	memset(line, 'x', 1 << 20);
	memcpy(line, "send live text=", 15);
	all[n++] = fill(t);
	for (; n < 64; n++) {
		all[n] = exchange_new(&p, span_of(line, 1 << 20));
		if (all[n]->done)
			break;
	}
	assert_in_range(n, 1, 63);
	answer = json_loadb((const char *)all[n]->line.p, all[n]->line.n, 0, NULL);
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(answer, "error"), "code")),
		-32013);
	json_decref(answer);
	for (size_t i = 0; i <= n; i++)
		exchange_free(all[i]);
	free(line);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_open),
		TEST(test_refused),
		TEST(test_frames),
		TEST(test_kernel_is_full),
		TEST(test_connection_is_lost),
		TEST(test_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
