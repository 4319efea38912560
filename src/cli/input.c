/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files and standard input. It does not know what they are for. The trap: a
 * FIFO or a terminal has no size, so everything is read until its end.
 */
#include "cli/input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/lines.h"
#include "base/mem.h"
#include "conf/json_text.h"

#define READ_SIZE 65536

static bool fail_os(struct error *err, const char *path)
{
	return error_set_os(err, ERR_INVALID_OPTION, errno, "%s", path);
}

static ssize_t read_some(int fd, void *out, size_t n)
{
	ssize_t got;

	do
		got = read(fd, out, n);
	while (got < 0 && errno == EINTR);
	return got;
}

static bool read_all(int fd, const char *path, struct buf *b, struct error *err)
{
	for (;;) {
		uint8_t *room = buf_reserve(b, READ_SIZE);
		ssize_t n = room ? read_some(fd, room, READ_SIZE) : 0;

		if (!room)
			return error_set(err, ERR_INVALID_OPTION, "%s: longer than %zu bytes", path,
					 INPUT_MAX);
		if (n < 0)
			return fail_os(err, path);
		if (n == 0)
			return true;
		buf_commit(b, (size_t)n);
	}
}

bool input_file(const char *path, uint8_t **bytes, size_t *n, struct error *err)
{
	bool standard = strcmp(path, "-") == 0, good;
	int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	struct buf b;

	if (fd < 0)
		return fail_os(err, path);
	buf_init(&b, INPUT_MAX + READ_SIZE);
	good = read_all(fd, standard ? "standard input" : path, &b, err);
	if (!standard)
		close(fd);
	if (good) {
		*n = b.len;
		*bytes = (uint8_t *)mem_strndup(buf_bytes(&b).p, b.len);
	}
	buf_deinit(&b);
	return good;
}

struct file {
	const char *path;
	struct json_text text;
	struct error *err;
	bool good;
};

static bool fail_at(struct file *f, size_t at, const char *sentence)
{
	struct json_place place = json_text_place(&f->text, at);

	f->good = false;
	return error_set(f->err, ERR_INVALID_OPTION, "%s:%zu:%zu: %s", f->path, place.line,
			 place.column, sentence);
}

static void on_duplicate(void *arg, const char *path, size_t at, size_t first)
{
	struct file *f = arg;
	mem_auto_str sentence = mem_printf("%s: the key comes twice", path);

	(void)first;
	if (f->good)
		fail_at(f, at, sentence);
}

json_t *input_json(const char *path, struct error *err)
{
	bool standard = strcmp(path, "-") == 0;
	struct file f = { .path = standard ? "standard input" : path, .err = err, .good = true };
	struct json_fault fault;
	uint8_t *bytes;
	json_t *value;

	if (!input_file(path, &bytes, &f.text.n, err))
		return NULL;
	f.text.bytes = (char *)bytes;
	value = json_text_parse(&f.text, &fault);
	if (!value)
		fail_at(&f, fault.at, fault.sentence);
	else if (!json_is_object(value))
		fail_at(&f, 0, "expected an object");
	else
		json_text_duplicates(&f.text, on_duplicate, &f);
	json_text_deinit(&f.text);
	if (f.good)
		return value;
	json_decref(value);
	return NULL;
}

struct reader {
	input_line_cb on_line;
	void *arg;
	struct error *err;
};

/* All whole lines of what was read; false: enough. */
static bool take_lines(struct lines *l, struct span input, const struct reader *r)
{
	struct span line;

	for (;;) {
		switch (lines_next(l, &input, &line)) {
		case LINES_MORE:
			return true;
		case LINES_TOO_LONG:
			return error_set(r->err, ERR_PAYLOAD, "a line is longer than %zu bytes",
					 INPUT_MAX);
		case LINES_RECORD:
			if (!r->on_line(r->arg, line))
				return false;
			break;
		}
	}
}

bool input_lines(int fd, input_line_cb on_line, void *arg, struct error *err)
{
	const struct reader r = { on_line, arg, err };
	uint8_t *buffer = mem_alloc(READ_SIZE);
	struct lines l;
	struct span line;
	ssize_t n;
	bool good = true;

	lines_init(&l, '\n', INPUT_MAX);
	while (good && (n = read_some(fd, buffer, READ_SIZE)) != 0) {
		good = n > 0 || fail_os(err, "standard input");
		good = good && take_lines(&l, span_of(buffer, (size_t)n), &r);
	}
	if (good && lines_finish(&l, &line) == LINES_RECORD)
		good = on_line(arg, line);
	lines_deinit(&l);
	free(buffer);
	return good;
}
