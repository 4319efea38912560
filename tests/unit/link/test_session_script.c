/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session between the upgrade and the open connection: the steps of on_open
 * against a server that answers, is late, says nothing, or goes away. What the
 * steps themselves mean stands in test_script.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "session_rig.h"

#define REPLIES 4

/* What the server says when it gets a message; "" = when it has agreed to the upgrade. */
struct reply {
	const char *to, *say;
};

struct server {
	struct session_rig r; /* first: the session's events get it */
	const struct reply *replies;
};

static void reply_to(struct server *sv, struct span what)
{
	for (size_t i = 0; sv->replies && i < REPLIES && sv->replies[i].to; i++)
		if (span_equal(what, span_str(sv->replies[i].to)))
			ws_peer_text(&sv->r.w.peer, sv->replies[i].say);
}

static void on_message(void *arg, struct span data)
{
	reply_to(arg, data);
}

/* The session has seen the upgrade; what the server says now comes in a read of its own. */
static void greet(struct session_rig *r)
{
	reply_to((struct server *)r, span_str(""));
}

static void server_init(struct server *sv, const struct reply *replies)
{
	session_rig_init(&sv->r);
	sv->replies = replies;
	sv->r.on_upgraded = greet;
	sv->r.w.peer.on_message = on_message;
	sv->r.w.peer.arg = sv;
}

static const struct dialogue {
	const char *name, *options;
	struct reply replies[REPLIES];
	const char *seen, *got;
} dialogues[] = {
	{ "no steps", "", { { 0 } }, "", "" },
	{ "messages", "'on_open': ['a', {'binary': 'Qg=='}]", { { 0 } }, "text a|binary B|", "" },
	{ "a login with a challenge",
	  "'on_open': [{'expect': {'pointer': '/op', 'equals': 'hello'}, 'capture': {'n': "
	  "'/nonce'}}, {'json': {'op': 'auth', 'nonce': '${n}'}}, {'expect': {'contains': "
	  "'welcome'}}, 'subscribe']",
	  { { "", "{\"op\":\"hello\",\"nonce\":17}" },
	    { "{\"op\":\"auth\",\"nonce\":17}", "welcome" },
	    { "subscribe", "first" } },
	  "text {\"op\":\"auth\",\"nonce\":17}|text subscribe|",
	  "text first|" },
	{ "other messages are delivered",
	  "'on_open': ['a', {'expect': {'contains': 'yes'}, 'deliver': true}, 'b']",
	  { { "", "news" }, { "a", "yes" }, { "b", "later" } },
	  "text a|text b|",
	  "text news|text yes|text later|" },
	{ "wait",
	  "'on_open': ['a', {'wait': '20ms'}, 'b']",
	  { { "a", "x" }, { "b", "y" } },
	  "text a|text b|",
	  "text x|text y|" },
	{ "a wait is not counted",
	  "'timeouts': {'open': '60ms'}, 'on_open': [{'wait': '120ms'}, 'b']",
	  { { 0 } },
	  "text b|",
	  "" },
};

static bool has_all(void *arg)
{
	const struct session_rig *r = arg;

	return r->opened > 0;
}

static void test_dialogues(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(dialogues) / sizeof(*dialogues); i++) {
		const struct dialogue *d = &dialogues[i];
		struct server sv;

		print_message("         %s\n", d->name);
		server_init(&sv, d->replies);
		session_rig_begin(&sv.r, d->options);
		world_wait(&sv.r.w, has_all, &sv.r);
		world_wait_seen(&sv.r.w, d->seen);
		world_turn_for(&sv.r.w, 5000);
		assert_string_equal(sv.r.w.peer.seen, d->seen);
		assert_string_equal(sv.r.got, d->got);
		assert_int_equal(sv.r.ended, 0);
		session_rig_deinit(&sv.r);
	}
}

static void say_wrong(struct session_rig *r)
{
	ws_peer_text(&r->w.peer, "{\"a\":1}");
}

static void close_4004(struct session_rig *r)
{
	ws_peer_close(&r->w.peer, 4004, "bad token");
}

static void finish(struct session_rig *r)
{
	ws_peer_finish(&r->w.peer);
}

static void reset(struct session_rig *r)
{
	ws_peer_reset(&r->w.peer);
}

static void violate(struct session_rig *r)
{
	ws_peer_raw(&r->w.peer, span_of("\x83\x00", 2));
}

static void say_wrong_and_violate(struct session_rig *r)
{
	say_wrong(r);
	violate(r);
}

static void close_ours(struct session_rig *r)
{
	session_rig_close(r, 1001, "leaving");
}

static void give_up(struct session_rig *r)
{
	struct error why;

	error_set(&why, ERR_TIMEOUT, "enough");
	session_abort(r->s, &why);
}

#define EXPECT "'on_open': ['a', {'expect': {'contains': 'yes'}}]"

static const struct failure {
	const char *name, *options;
	bool no_close;
	void (*act)(struct session_rig *r); /* when it is upgraded */
	enum err code;
	enum stage stage;
	const char *text;
	int close_code;
	bool clean;
	int64_t at_least;
	const char *seen;
} failures[] = {
	{ "nothing comes", "'on_open': ['a', {'expect': {'contains': 'yes'}, 'timeout': '30ms'}]",
	  .code = ERR_TIMEOUT, .stage = STAGE_OPEN,
	  .text = "on_open[1]: nothing that matches has come within 0.03s", .close_code = 1000,
	  .clean = true, .at_least = 30000, .seen = "text a|close 1000 |" },
	{ "nor does a Close",
	  "'timeouts': {'close': '30ms'}, 'on_open': ['a', {'expect': {'contains': 'yes'}, "
	  "'timeout': '30ms'}]",
	  true, .code = ERR_TIMEOUT, .stage = STAGE_OPEN, .text = "on_open[1]: nothing",
	  .close_code = 1006, .at_least = 60000, .seen = "text a|close 1000 |" },
	{ "timeouts.open is the shorter",
	  "'timeouts': {'open': '60ms'}, 'on_open': [{'expect': {'contains': 'yes'}}]",
	  .code = ERR_TIMEOUT, .stage = STAGE_OPEN,
	  .text = "on_open: the steps were not done within timeouts.open", .close_code = 1000,
	  .clean = true, .at_least = 40000, .seen = "close 1000 |" },
	{ "nothing to capture",
	  "'on_open': [{'expect': {'pointer': '/a'}, 'capture': {'x': '/b'}}, '${x}']",
	  .act = say_wrong, .code = ERR_PROTOCOL, .stage = STAGE_OPEN,
	  .text = "on_open[0]: there is nothing at \"/b\"", .close_code = 1000, .clean = true,
	  .seen = "close 1000 |" },
	{ "a violation after a step has failed",
	  "'on_open': [{'expect': {'pointer': '/a'}, 'capture': {'x': '/b'}}, '${x}']",
	  .act = say_wrong_and_violate, .code = ERR_PROTOCOL, .stage = STAGE_OPEN,
	  .text = "on_open[0]: there is nothing at \"/b\"", .close_code = 1006,
	  .seen = "close 1000 |" },
	{ "the server says no", EXPECT, .act = close_4004, .code = ERR_NOT_OPEN,
	  .stage = STAGE_OPEN, .text = "(4004 \"bad token\")", .close_code = 4004, .clean = true,
	  .seen = "text a|close 4004 |" },
	{ "FIN", EXPECT, .act = finish, .code = ERR_NOT_OPEN, .stage = STAGE_OPEN,
	  .text = "without a Close frame", .close_code = 1006, .seen = "text a|" },
	{ "RST", EXPECT, .act = reset, .code = ERR_NOT_OPEN, .stage = STAGE_OPEN,
	  .text = "connection lost: ", .close_code = 1006 },
	{ "violation", EXPECT, .act = violate, .code = ERR_PROTOCOL, .stage = STAGE_OPEN,
	  .text = "opcode", .close_code = 1006, .seen = "text a|close 1002 |" },
	{ "closed by us", EXPECT, .act = close_ours, .code = ERR_NOT_OPEN,
	  .text = "closed before it was open", .close_code = 1001, .clean = true,
	  .seen = "close 1001 leaving|" },
	{ "given up", EXPECT, .act = give_up, .code = ERR_TIMEOUT, .text = "enough",
	  .close_code = 1006, .seen = "" },
};

static void check_failure(const struct failure *f, const struct session_rig *r)
{
	assert_int_equal(r->opened, 0);
	assert_int_equal(r->upgraded, 1);
	assert_false(r->end.was_open);
	assert_int_equal(r->end.open_for, 0);
	assert_int_equal(r->end.err.code, f->code);
	assert_int_equal(r->end.err.stage, f->stage);
	if (!strstr(r->end.err.text, f->text))
		fail_msg("%s: %s", f->name, r->end.err.text);
	assert_int_equal(r->end.close_code, f->close_code);
	assert_int_equal(r->end.clean, f->clean);
	if (f->seen)
		assert_string_equal(r->w.peer.seen, f->seen);
}

static void test_failures(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(failures) / sizeof(*failures); i++) {
		const struct failure *f = &failures[i];
		struct session_rig r;
		int64_t began;

		print_message("         %s\n", f->name);
		session_rig_init(&r);
		r.w.peer.no_close = f->no_close;
		r.on_upgraded = f->act;
		began = loop_now(r.w.loop);
		session_rig_begin(&r, f->options);
		world_wait_count(&r.w, &r.ended, 1);
		assert_true(loop_now(r.w.loop) - began >= f->at_least);
		world_turn_for(&r.w, 5000);
		check_failure(f, &r);
		session_rig_deinit(&r);
	}
}

static void test_nothing_of_others_before_it_is_open(void **state)
{
	struct session_rig r;

	(void)state;
	session_rig_init(&r);
	session_rig_upgrade(&r, EXPECT);
	assert_int_equal(session_rig_text(&r, "early"), SESSION_NOT_OPEN);
	assert_int_equal(session_ping(r.s, span_str("")), SESSION_NOT_OPEN);
	assert_int_equal(session_pong(r.s, span_str("")), SESSION_NOT_OPEN);
	assert_false(session_is_full(r.s));
	assert_non_null(session_rig_details(&r).peer);
	ws_peer_text(&r.w.peer, "yes");
	world_wait_count(&r.w, &r.opened, 1);
	assert_int_equal(session_rig_text(&r, "now"), SESSION_SENT);
	world_wait_seen(&r.w, "text now|");
	assert_string_equal(r.w.peer.seen, "text a|text now|");
	session_rig_deinit(&r);
}

/* As an owner that holds its readers back: the steps go on all the same. */
static void test_pings_and_pauses_meanwhile(void **state)
{
	struct session_rig r;

	(void)state;
	session_rig_init(&r);
	session_rig_begin(&r, EXPECT);
	session_pause(r.s, true);
	world_wait_count(&r.w, &r.upgraded, 1);
	ws_peer_frame(&r.w.peer, FRAME_PING, true, span_str("there?"));
	world_wait_seen(&r.w, "pong there?|");
	assert_int_equal(r.pings, 1);
	assert_string_equal(r.ping, "there?");
	ws_peer_text(&r.w.peer, "yes");
	world_wait_count(&r.w, &r.opened, 1);
	ws_peer_text(&r.w.peer, "held");
	world_turn_for(&r.w, 20000);
	assert_int_equal(r.messages, 0);
	session_pause(r.s, false);
	world_wait_count(&r.w, &r.messages, 1);
	assert_string_equal(r.got, "text held|");
	session_rig_deinit(&r);
}

static void close_now(struct session_rig *r)
{
	session_rig_close(r, 1000, "enough");
}

/* A message of the steps that the owner closes on: the step does not go on. */
static void test_close_inside_a_message(void **state)
{
	struct session_rig r;

	(void)state;
	session_rig_init(&r);
	r.on_message = close_now;
	session_rig_upgrade(&r, "'on_open': [{'expect': {'contains': 'yes'}, 'deliver': true}, "
				"'secret']");
	ws_peer_text(&r.w.peer, "yes");
	world_wait_count(&r.w, &r.ended, 1);
	assert_string_equal(r.w.peer.seen, "close 1000 enough|");
	assert_int_equal(r.opened, 0);
	session_rig_deinit(&r);
}

static bool is_gone(void *arg)
{
	const struct session_rig *r = arg;

	return r->w.peer.eof || r->w.peer.lost;
}

static void test_free_meanwhile(void **state)
{
	struct session_rig r;

	(void)state;
	session_rig_init(&r);
	session_rig_upgrade(&r, EXPECT);
	session_rig_free(&r);
	world_wait(&r.w, is_gone, &r);
	session_rig_deinit(&r);
}

static void write_token(const struct world *w, const char *token)
{
	mem_auto_str path = mem_printf("%s/token", w->dir);
	int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, token, strlen(token)), (ssize_t)strlen(token));
	close(fd);
}

#define TOKEN_STEPS                                                                           \
	"'on_open': [{'json': {'token': '${t}'}, 'secrets': {'t': {'file': '$DIR/token'}}}, " \
	"{'text': {'file': '$DIR/token'}}]"

static void test_secrets_are_read_anew(void **state)
{
	struct session_rig r;
	mem_auto_str path = NULL;

	(void)state;
	session_rig_init(&r);
	path = mem_printf("%s/token", r.w.dir);
	write_token(&r.w, "one\n");
	session_rig_open(&r, TOKEN_STEPS);
	world_wait_seen(&r.w, "text {\"token\":\"one\"}|text one|");
	session_rig_free(&r);
	write_token(&r.w, "two\n");
	r.freed = false;
	r.upgraded = r.opened = 0;
	session_rig_open(&r, TOKEN_STEPS);
	world_wait_seen(&r.w, "text {\"token\":\"two\"}|text two|");
	unlink(path);
	session_rig_deinit(&r);
}

static void test_missing_secret(void **state)
{
	static const struct {
		const char *step, *option;
	} rows[] = {
		{ "{'text': {'file': '/nowhere/x'}}", "on_open[1].text" },
		{ "{'json': ['${t}'], 'secrets': {'t': {'file': '/nowhere/x'}}}",
		  "on_open[1].secrets.t" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		mem_auto_str options = mem_printf("'on_open': ['a', %s]", rows[i].step);
		struct session_rig r;

		session_rig_init(&r);
		session_rig_begin(&r, options);
		world_wait_count(&r.w, &r.ended, 1);
		assert_int_equal(r.end.err.code, ERR_INVALID_OPTION);
		assert_string_equal(r.end.err.option, rows[i].option);
		assert_int_equal(r.w.peer.accepted, 0);
		session_rig_deinit(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dialogues),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_nothing_of_others_before_it_is_open),
		cmocka_unit_test(test_pings_and_pauses_meanwhile),
		cmocka_unit_test(test_close_inside_a_message),
		cmocka_unit_test(test_free_meanwhile),
		cmocka_unit_test(test_secrets_are_read_anew),
		cmocka_unit_test(test_missing_secret),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
