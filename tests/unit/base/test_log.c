/* SPDX-License-Identifier: Apache-2.0 */
/* The log, read back from a pipe: formats, escaping, repeats, and that it never waits. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/span.h"
#include "base/utf8.h"

static int ends[2];
static char got[1 << 17]; /* more than a pipe holds */

static int open_pipe(void **state)
{
	(void)state;
	log_set_level(LOG_LEVEL_DEBUG);
	return pipe2(ends, O_CLOEXEC);
}

static int close_pipe(void **state)
{
	(void)state;
	close(ends[0]);
	close(ends[1]);
	return 0;
}

/* What was written since the last call. */
static const char *read_back(void)
{
	size_t n = 0;
	ssize_t more;

	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	while ((more = read(ends[0], got + n, sizeof(got) - 1 - n)) > 0)
		n += (size_t)more;
	got[n] = '\0';
	return got;
}

static void journal_text(void **state)
{
	static const struct {
		enum log_level level;
		const char *object, *text, *line;
	} rows[] = {
		{ LOG_LEVEL_ERROR, "bridge feed", "no", "<3>bridge feed: no\n" },
		{ LOG_LEVEL_WARNING, "bridge feed", "no", "<4>bridge feed: no\n" },
		{ LOG_LEVEL_NOTICE, "bridge feed", "yes", "<5>bridge feed: yes\n" },
		{ LOG_LEVEL_INFO, NULL, "yes", "<6>yes\n" },
		{ LOG_LEVEL_DEBUG, "x", "", "<7>x: \n" },
		{ LOG_LEVEL_INFO, "x", "a\nb\x1B\x7F", "<6>x: a\\x0ab\\x1b\\x7f\n" },
		{ LOG_LEVEL_INFO, "x\n<0>y", "z", "<6>x\\x0a<0>y: z\n" },
		{ LOG_LEVEL_INFO, "x", "back\\x0aslash stays", "<6>x: back\\x0aslash stays\n" },
		{ LOG_LEVEL_INFO, "x", "gr\u00FC\xFF", "<6>x: gr\u00FC\\xff\n" },
	};

	(void)state;
	log_init(ends[1], LOG_FORMAT_TEXT, true);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		log_write(rows[i].level, rows[i].object, "%s", rows[i].text);
		assert_string_equal(read_back(), rows[i].line);
	}
}

/* Digits as 0: "0000-00-00T00:00:00.000Z". */
static void mask_digits(char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (s[i] >= '0' && s[i] <= '9')
			s[i] = '0';
	}
}

static void terminal_text(void **state)
{
	(void)state;
	log_init(ends[1], LOG_FORMAT_TEXT, false);
	log_notice("bridge feed", "open after %d attempts", 3);
	read_back();
	assert_memory_not_equal(got, "0000", 4);
	mask_digits(got, 24);
	assert_string_equal(got, "0000-00-00T00:00:00.000Z bridge feed: open after 3 attempts\n");
}

static void json(void **state)
{
	static const struct {
		const char *object, *text, *tail;
	} rows[] = {
		{ "bridge feed", "yes", "\"object\":\"bridge feed\",\"message\":\"yes\"}\n" },
		{ NULL, "yes", "\"object\":null,\"message\":\"yes\"}\n" },
		{ "a\"b", "say \"x\" \\ y",
		  "\"object\":\"a\\\"b\",\"message\":\"say \\\"x\\\" \\\\ y\"}\n" },
		{ "x", "a\nb\tc", "\"object\":\"x\",\"message\":\"a\\\\x0ab\\\\x09c\"}\n" },
		{ "x", "\u20AC\xFF", "\"object\":\"x\",\"message\":\"\u20AC\\\\xff\"}\n" },
		{ "x", "</script>", "\"object\":\"x\",\"message\":\"</script>\"}\n" },
	};
	static const char head[] = "{\"time\":\"0000-00-00T00:00:00.000Z\",\"level\":\"warning\",";

	(void)state;
	log_init(ends[1], LOG_FORMAT_TEXT, false);
	log_set_format(LOG_FORMAT_JSON);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		log_write(LOG_LEVEL_WARNING, rows[i].object, "%s", rows[i].text);
		read_back();
		mask_digits(got, strlen(head));
		assert_memory_equal(got, head, strlen(head));
		assert_string_equal(got + strlen(head), rows[i].tail);
	}
	log_init(ends[1], LOG_FORMAT_JSON, true);
	log_error("x", "y");
	assert_memory_equal(read_back(), "<3>{\"time\":\"2", 13);
}

static void levels(void **state)
{
	static const char *const names[] = { "error", "warning", "notice", "info", "debug" };
	static const char *const bad[] = { "", "Error", "warn", "notice ", "5" };
	enum log_level level = LOG_LEVEL_INFO;

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		assert_string_equal(log_level_name((enum log_level)i), names[i]);
		assert_true(log_level_parse(names[i], &level));
		assert_int_equal(level, i);
		assert_false(log_level_parse(bad[i], &level));
		assert_int_equal(level, i);
	}
	log_init(ends[1], LOG_FORMAT_TEXT, true);
	log_set_level(LOG_LEVEL_WARNING);
	assert_int_equal(log_level(), LOG_LEVEL_WARNING);
	log_error("x", "1");
	log_warning("x", "2");
	log_notice("x", "3");
	log_info("x", "4");
	log_debug("x", "5");
	assert_string_equal(read_back(), "<3>x: 1\n<4>x: 2\n");
}

static void repeats_collapse_and_hide_nothing_else(void **state)
{
	(void)state;
	log_init(ends[1], LOG_FORMAT_TEXT, true);
	for (int i = 1; i <= 9; i++) {
		log_info("x", "refused");
		log_info("y", "refused");
		if (i == 3)
			log_notice("x", "refused"); /* another level is another line */
		if (i == 5)
			log_info("x", "something else");
	}
	assert_string_equal(read_back(), "<6>x: refused\n<6>y: refused\n"
					 "<6>x: refused (2 times)\n<6>y: refused (2 times)\n"
					 "<5>x: refused\n"
					 "<6>x: refused (4 times)\n<6>y: refused (4 times)\n"
					 "<6>x: something else\n"
					 "<6>x: refused (8 times)\n<6>y: refused (8 times)\n");
	for (int i = 0; i < 3; i++)
		log_debug("x", "frame");
	assert_string_equal(read_back(), "<7>x: frame\n<7>x: frame\n<7>x: frame\n");
	log_init(ends[1], LOG_FORMAT_JSON, false);
	log_info("x", "refused");
	read_back();
	log_info("x", "refused");
	assert_non_null(strstr(read_back(), "\"message\":\"refused\",\"times\":2}\n"));
}

/* The longest line of each format is whole, cut between characters, and fits in PIPE_BUF. */
static void long_lines_are_cut(void **state)
{
	static const char *const units[] = { "a", "\"", "\\", "\n", "\u20AC", "\xFF" };
	char text[4000], object[400];

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		size_t len = strlen(units[i]), n;

		for (n = 0; n + len < sizeof(text); n += len)
			memcpy(text + n, units[i], len);
		text[n] = '\0';
		memcpy(object, text, 399);
		object[399] = '\0';
		for (int format = 0; format < 2; format++) {
			const char *end = format ? "...\"}\n" : "...\n";

			log_init(ends[1], (enum log_format)format, true);
			log_write(LOG_LEVEL_INFO, object, "%s", text);
			n = strlen(read_back());
			assert_in_range(n, 2000, 4096);
			assert_ptr_equal(strchr(got, '\n'), got + n - 1);
			assert_string_equal(got + n - strlen(end), end);
			assert_true(utf8_valid(span_of(got, n)));
			assert_null(memmem(got, n, "\xFF", 1));
		}
	}
}

/* A blocking pipe that is full: the line is lost and counted, and the caller goes on. */
static void full_pipe_drops(void **state)
{
	static const char block[4096];
	char rest[4096];
	ssize_t n;

	(void)state;
	fcntl(ends[1], F_SETFL, O_NONBLOCK);
	while (write(ends[1], block, sizeof(block)) > 0)
		;
	fcntl(ends[1], F_SETFL, 0);
	log_init(ends[1], LOG_FORMAT_TEXT, true);
	alarm(10); /* a write that waits would wait for ever */
	log_error("x", "lost 1");
	log_error("x", "lost 2");
	assert_int_equal(log_dropped(), 2);
	for (n = 0; n < 65536;)
		n += read(ends[0], rest, sizeof(rest));
	log_error("x", "there again");
	alarm(0);
	assert_string_equal(read_back(),
			    "<3>x: there again\n<4>log: 2 lines could not be written\n");
	log_error("x", "and again");
	assert_string_equal(read_back(), "<3>x: and again\n");
	assert_int_equal(log_dropped(), 2);
}

static void full_pipe_that_does_not_block_drops(void **state)
{
	static const char block[4096];

	(void)state;
	fcntl(ends[1], F_SETFL, O_NONBLOCK);
	while (write(ends[1], block, sizeof(block)) > 0)
		;
	log_init(ends[1], LOG_FORMAT_TEXT, true);
	log_error("x", "lost");
	assert_int_equal(log_dropped(), 1);
	assert_int_equal(strlen(read_back()), 0); /* zeros of the block, no line */
	log_error("x", "there again");
	assert_string_equal(read_back(),
			    "<3>x: there again\n<4>log: 1 line could not be written\n");
}

/* A file that may not grow takes part of a line: the next one begins on a line of its own. */
static void torn_line_is_ended(void **state)
{
	struct rlimit old, small;
	int fd = memfd_create("log", MFD_CLOEXEC);
	ssize_t n;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = (struct rlimit){ .rlim_cur = 10, .rlim_max = old.rlim_max };
	log_init(fd, LOG_FORMAT_TEXT, true);
	setrlimit(RLIMIT_FSIZE, &small);
	log_error("x", "cut in two");
	setrlimit(RLIMIT_FSIZE, &old);
	assert_int_equal(log_dropped(), 1);
	log_error("x", "next");
	n = pread(fd, got, sizeof(got) - 1, 0);
	assert_true(n > 0);
	got[n] = '\0';
	assert_string_equal(got, "<3>x: cut \n"
				 "<3>x: next\n"
				 "<4>log: 1 line could not be written\n");
	close(fd);
}

static void closed_descriptor_drops(void **state)
{
	int closed;

	(void)state;
	log_init(-1, LOG_FORMAT_TEXT, true);
	log_error("x", "to nobody");
	assert_int_equal(log_dropped(), 1);
	closed = dup(ends[1]);
	close(closed);
	log_init(closed, LOG_FORMAT_TEXT, true);
	errno = E2BIG;
	log_error("x", "to nobody");
	assert_int_equal(errno, E2BIG);
	assert_int_equal(log_dropped(), 1);
}

#define ON_PIPE(test) cmocka_unit_test_setup_teardown(test, open_pipe, close_pipe)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_PIPE(journal_text),
		ON_PIPE(terminal_text),
		ON_PIPE(json),
		ON_PIPE(levels),
		ON_PIPE(repeats_collapse_and_hide_nothing_else),
		ON_PIPE(long_lines_are_cut),
		ON_PIPE(full_pipe_drops),
		ON_PIPE(full_pipe_that_does_not_block_drops),
		ON_PIPE(torn_line_is_ended),
		ON_PIPE(closed_descriptor_drops),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
