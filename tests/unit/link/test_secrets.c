/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every source of a secret, for every option that takes one: what is read, what is said when
 * it cannot be read, and that no sentence holds any of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/mem.h"
#include "link/secrets.h"
#include "support/pidfd.h"
#include "support/world.h"

#define COUNT(rows) (sizeof(rows) / sizeof(*(rows)))

struct reading {
	struct world w;
	struct bridge_conf *conf;
	struct secrets *secrets;
	unsigned calls;
	struct error err;
};

static void on_secrets(void *arg, const struct error *err)
{
	struct reading *r = arg;

	r->calls++;
	r->err = err ? *err : ERROR_INIT;
}

static void begin(struct reading *r)
{
	r->calls = 0;
	r->secrets = secrets_read(r->w.loop, r->conf, on_secrets, r);
	assert_int_equal(r->calls, 0);
}

static const struct secret_values *read_all(struct reading *r)
{
	begin(r);
	world_wait_count(&r->w, &r->calls, 1);
	world_turn_for(&r->w, 1000);
	assert_int_equal(r->calls, 1);
	return secrets_values(r->secrets);
}

static void configure(struct reading *r, const char *options)
{
	mem_auto_str text = mem_printf("{'url': 'ws://h', %s}", options);

	bridge_conf_unref(r->conf);
	r->conf = world_bridge_conf(&r->w, "b", text);
}

static void write_file(struct reading *r, const char *name, struct span content)
{
	mem_auto_str path = mem_printf("%s/%s", r->w.dir, name);
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_int_equal(fwrite(content.p, 1, content.n, f), content.n);
	fclose(f);
}

static void write_text(struct reading *r, const char *name, const char *text)
{
	write_file(r, name, span_str(text));
}

static void remove_file(struct reading *r, const char *name)
{
	mem_auto_str path = mem_printf("%s/%s", r->w.dir, name);

	assert_int_equal(unlink(path), 0);
}

static void start(struct reading *r)
{
	*r = (struct reading){ 0 };
	world_init(&r->w);
	unsetenv("CREDENTIALS_DIRECTORY");
}

static void finish(struct reading *r)
{
	unsetenv("CREDENTIALS_DIRECTORY");
	unsetenv("WSBRIDGE_TEST_SECRET");
	bridge_conf_unref(r->conf);
	world_deinit(&r->w);
}

#define SHELL(script) "{'command': ['/bin/sh', '-c', '" script "']}"

struct source {
	const char *source, *content, *value;
};

static void check_sources(const struct source *rows, size_t n)
{
	const struct secret_values *v;
	struct reading r;

	start(&r);
	setenv("CREDENTIALS_DIRECTORY", r.w.dir, 1);
	for (size_t i = 0; i < n; i++) {
		mem_auto_str options = mem_printf("'headers': {'X-Key': %s}", rows[i].source);

		write_text(&r, "token", rows[i].content);
		setenv("WSBRIDGE_TEST_SECRET", rows[i].content, 1);
		configure(&r, options);
		v = read_all(&r);
		assert_string_equal(r.err.text, "");
		assert_string_equal(v->headers[0], rows[i].value);
		secrets_free(r.secrets);
	}
	remove_file(&r, "token");
	finish(&r);
}

static void test_sources(void **state)
{
	static const struct source rows[] = {
		{ "'given'", "", "given" },
		{ "''", "", "" },
		{ "{'file': '$DIR/token'}", "from a file\n", "from a file" },
		{ "{'file': '$DIR/token'}", "no newline", "no newline" },
		{ "{'env': 'WSBRIDGE_TEST_SECRET'}", "from the environment",
		  "from the environment" },
		{ "{'credential': 'token'}", "of systemd\n", "of systemd" },
	};

	(void)state;
	check_sources(rows, COUNT(rows));
}

static void test_commands(void **state)
{
	static const struct source rows[] = {
		{ SHELL("echo printed; echo and not read"), "", "printed" },
		{ SHELL("cat $DIR/token"), "from behind\n", "from behind" },
	};

	(void)state;
	need_pidfd();
	check_sources(rows, COUNT(rows));
}

static const char everything[] = "'headers': {'A': ['one', {'file': '$DIR/a'}, " SHELL(
	"echo three") "], "
		      "'B': {'file': '$DIR/a'}}, 'cookie': " SHELL(
			      "echo c=1") ", "
					  "'tls': {'cert': '/c', 'key_password': {'file': "
					  "'$DIR/a'}}, "
					  "'proxy': 'socks5://u@h:1', 'proxy_password': " SHELL(
						  "echo proxy") ", "
								"'auth': {'bearer': " SHELL(
									"echo token") "}";

static void test_each_value_goes_to_its_place(void **state)
{
	const struct secret_values *v;
	struct reading r;

	(void)state;
	need_pidfd();
	start(&r);
	write_text(&r, "a", "two\n");
	configure(&r, everything);
	v = read_all(&r);
	assert_int_equal(r.err.code, ERR_NONE);
	assert_string_equal(v->headers[0], "one");
	assert_string_equal(v->headers[1], "two");
	assert_string_equal(v->headers[2], "three");
	assert_string_equal(v->headers[3], "two");
	assert_string_equal(v->cookie, "c=1");
	assert_string_equal(v->auth, "token");
	assert_string_equal(v->key_password, "two");
	assert_string_equal(v->proxy_password, "proxy");
	secrets_free(r.secrets);
	remove_file(&r, "a");
	finish(&r);
}

static void test_nothing_is_configured(void **state)
{
	const struct secret_values *v;
	struct reading r;

	(void)state;
	start(&r);
	configure(&r, "'cookies': 'off'");
	v = read_all(&r);
	assert_int_equal(r.err.code, ERR_NONE);
	assert_null(v->cookie);
	assert_null(v->auth);
	assert_null(v->key_password);
	assert_null(v->proxy_password);
	secrets_free(r.secrets);
	secrets_free(NULL);
	finish(&r);
}

/* What was rotated is what the next attempt reads. */
static void check_rotation(const char *source)
{
	static const char *const values[] = { "first", "second-and-longer", "3" };
	mem_auto_str options = mem_printf("'auth': {'bearer': %s}", source);
	struct reading r;

	start(&r);
	setenv("CREDENTIALS_DIRECTORY", r.w.dir, 1);
	configure(&r, options);
	for (size_t i = 0; i < COUNT(values); i++) {
		write_text(&r, "token", values[i]);
		setenv("WSBRIDGE_TEST_SECRET", values[i], 1);
		assert_string_equal(read_all(&r)->auth, values[i]);
		secrets_free(r.secrets);
	}
	remove_file(&r, "token");
	finish(&r);
}

static void test_rotation(void **state)
{
	(void)state;
	check_rotation("{'file': '$DIR/token'}");
	check_rotation("{'credential': 'token'}");
	check_rotation("{'env': 'WSBRIDGE_TEST_SECRET'}");
}

static void test_rotation_behind_a_command(void **state)
{
	(void)state;
	need_pidfd();
	check_rotation(SHELL("cat $DIR/token"));
}

static void check_failure(struct reading *r, const char *option, const char *sentence)
{
	read_all(r);
	assert_int_equal(r->err.code, ERR_INVALID_OPTION);
	assert_int_equal(r->err.stage, STAGE_NONE);
	assert_string_equal(r->err.option, option);
	assert_string_equal(r->err.text, sentence);
	assert_null(strstr(r->err.text, "canary"));
	secrets_free(r->secrets);
}

/* What the file holds, and what is said. %s in a sentence is the directory. */
struct failure {
	const char *options, *option, *sentence, *content;
	size_t n;
};

static const struct failure failures[] = {
	{ "'headers': {'X': {'file': '$DIR/none'}}", "headers.X",
	  "headers.X: %s/none: No such file or directory", "", 0 },
	{ "'headers': {'X': 'canary', 'Y': ['canary', {'file': '$DIR'}]}", "headers.Y",
	  "headers.Y: not a regular file", "", 0 },
	{ "'headers': {'X': {'file': '$DIR/token/x'}}", "headers.X",
	  "headers.X: %s/token/x: Not a directory", "canary", 6 },
	{ "'cookie': {'file': '/dev/null'}", "cookie", "cookie: not a regular file", "", 0 },
	{ "'cookie': {'env': 'WSBRIDGE_NO_SUCH'}", "cookie",
	  "cookie: the environment has no WSBRIDGE_NO_SUCH", "", 0 },
	{ "'auth': {'bearer': {'credential': 'token'}}", "auth.bearer",
	  "auth.bearer: there are no credentials: $CREDENTIALS_DIRECTORY is not set", "canary", 6 },
	{ "'auth': {'basic': {'user': 'u', 'password': {'file': '$DIR/token'}}}",
	  "auth.basic.password", "auth.basic.password: the secret has a NUL byte in it",
	  "canary\0canary\n", 14 },
	{ "'auth': {'bearer': {'file': '$DIR/token'}}", "auth.bearer",
	  "auth.bearer: the secret has a character that no header may have", "canary\r\n", 8 },
	{ "'headers': {'X': {'file': '$DIR/token'}}", "headers.X",
	  "headers.X: the secret has a character that no header may have", "canary\nEvil: canary\n",
	  20 },
	{ "'headers': {'X': {'file': '$DIR/token'}}", "headers.X",
	  "headers.X: the secret has a character that no header may have", "canary\n\n", 8 },
	{ "'cookie': {'file': '$DIR/token'}", "cookie",
	  "cookie: the secret has a character that no header may have", "canary\x7f", 7 },
	{ "'headers': {'X': {'file': '$DIR/token'}}", "headers.X", "headers.X: the secret is empty",
	  "", 0 },
	{ "'auth': {'bearer': {'file': '$DIR/token'}}", "auth.bearer",
	  "auth.bearer: the secret is empty", "\n", 1 },
	{ "'auth': {'bearer': {'file': '$DIR/token'}}", "auth.bearer",
	  "auth.bearer: the token has a blank in it", "canary canary\n", 14 },
	{ "'cookie': {'env': 'WSBRIDGE_TEST_SECRET'}", "cookie",
	  "cookie: the secret has a character that no header may have", "", 0 },
};

static const struct failure failing_commands[] = {
	{ "'tls': {'cert': '/c', 'key_password': " SHELL("echo canary; exit 1") "}",
	  "tls.key_password", "tls.key_password: command /bin/sh: ended with an error", "", 0 },
	{ "'proxy': 'http://u@h:1', 'proxy_password': " SHELL(":"), "proxy_password",
	  "proxy_password: command /bin/sh: printed nothing", "", 0 },
	{ "'proxy': 'http://u@h:1', 'proxy_password': {'command': ['/nonexistent/pass', "
	  "'canary']}",
	  "proxy_password", "proxy_password: command /nonexistent/pass: No such file or directory",
	  "", 0 },
};

static char *with_dir(const struct reading *r, const char *sentence)
{
	const char *mark = strstr(sentence, "%s");

	if (!mark)
		return mem_strdup(sentence);
	return mem_printf("%.*s%s%s", (int)(mark - sentence), sentence, r->w.dir, mark + 2);
}

static void check_failures(const struct failure *rows, size_t n)
{
	struct reading r;

	start(&r);
	setenv("WSBRIDGE_TEST_SECRET", "canary\r\nEvil: canary", 1);
	for (size_t i = 0; i < n; i++) {
		mem_auto_str sentence = with_dir(&r, rows[i].sentence);

		write_file(&r, "token", span_of(rows[i].content, rows[i].n));
		configure(&r, rows[i].options);
		check_failure(&r, rows[i].option, sentence);
	}
	remove_file(&r, "token");
	finish(&r);
}

static void test_failures(void **state)
{
	(void)state;
	check_failures(failures, COUNT(failures));
}

static void test_failing_commands(void **state)
{
	(void)state;
	need_pidfd();
	check_failures(failing_commands, COUNT(failing_commands));
}

static void test_large_files(void **state)
{
	size_t n = (size_t)64 * 1024;
	char *text = mem_alloc(n + 1);
	struct reading r;

	(void)state;
	start(&r);
	memset(text, 'x', n + 1);
	configure(&r, "'cookie': {'file': '$DIR/token'}");
	write_file(&r, "token", span_of(text, n - 1));
	assert_int_equal(strlen(read_all(&r)->cookie), n - 1);
	secrets_free(r.secrets);
	write_file(&r, "token", span_of(text, n + 1));
	check_failure(&r, "cookie", "cookie: the file is larger than 64 KiB");
	remove_file(&r, "token");
	free(text);
	finish(&r);
}

/* A FIFO that nobody writes to would hold up everything, were it opened as others are. */
static void test_fifo(void **state)
{
	mem_auto_str path = NULL;
	struct reading r;

	(void)state;
	start(&r);
	path = mem_printf("%s/fifo", r.w.dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	configure(&r, "'cookie': {'file': '$DIR/fifo'}");
	check_failure(&r, "cookie", "cookie: not a regular file");
	remove_file(&r, "fifo");
	finish(&r);
}

static void test_credentials(void **state)
{
	struct reading r;

	(void)state;
	start(&r);
	setenv("CREDENTIALS_DIRECTORY", "/nonexistent", 1);
	configure(&r, "'cookie': {'credential': 'token'}");
	check_failure(&r, "cookie", "cookie: token: No such file or directory");
	assert_int_not_equal(r.err.os, 0);
	finish(&r);
}

/* A password is no header: whatever is in it, but for the one newline, belongs to it. */
static void test_passwords_keep_their_bytes(void **state)
{
	struct reading r;

	(void)state;
	start(&r);
	write_text(&r, "token", " a\r\nb\n\n");
	configure(&r, "'auth': {'basic': {'user': 'u', 'password': {'file': '$DIR/token'}}}");
	assert_string_equal(read_all(&r)->auth, " a\r\nb\n");
	secrets_free(r.secrets);
	remove_file(&r, "token");
	finish(&r);
}

static bool no_children(void *arg)
{
	(void)arg;
	return waitpid(-1, NULL, WNOHANG) < 0;
}

static void test_free_before_the_call(void **state)
{
	static const char *const options[] = {
		"'cookie': 'c=1'",
		"'cookie': {'file': '/nonexistent'}",
		"'cookie': " SHELL("sleep 100"),
		"'cookie': 'c=1', 'headers': {'A': " SHELL("echo 1") ", 'B': " SHELL("echo 2") "}",
		"'cookie': {'command': ['/nonexistent']}",
	};
	struct reading r;

	(void)state;
	need_pidfd();
	start(&r);
	for (size_t i = 0; i < COUNT(options); i++) {
		configure(&r, options[i]);
		begin(&r);
		if (i % 2)
			world_turn_for(&r.w, 0);
		r.calls = 0;
		secrets_free(r.secrets);
		world_wait(&r.w, no_children, NULL);
		world_turn_for(&r.w, 3000);
		assert_int_equal(r.calls, 0);
	}
	finish(&r);
}

static void free_it(void *arg, const struct error *err)
{
	struct reading *r = arg;

	assert_null(err);
	secrets_free(r->secrets);
	r->calls++;
}

static void test_free_inside_the_call(void **state)
{
	static const char *const options[] = { "'cookie': 'c=1'", "'cookie': " SHELL("echo c=1") };
	struct reading r;

	(void)state;
	need_pidfd();
	start(&r);
	for (size_t i = 0; i < COUNT(options); i++) {
		configure(&r, options[i]);
		r.calls = 0;
		r.secrets = secrets_read(r.w.loop, r.conf, free_it, &r);
		world_wait_count(&r.w, &r.calls, 1);
	}
	finish(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sources),
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_each_value_goes_to_its_place),
		cmocka_unit_test(test_nothing_is_configured),
		cmocka_unit_test(test_rotation),
		cmocka_unit_test(test_rotation_behind_a_command),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_failing_commands),
		cmocka_unit_test(test_large_files),
		cmocka_unit_test(test_fifo),
		cmocka_unit_test(test_credentials),
		cmocka_unit_test(test_passwords_keep_their_bytes),
		cmocka_unit_test(test_free_before_the_call),
		cmocka_unit_test(test_free_inside_the_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
