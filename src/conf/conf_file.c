/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files → one merged JSON object → snapshot. The only file of this folder that
 * reads files; it blocks, so it runs at start and at reload only. The trap:
 * options are checked after the merge, so a bad value that a later file
 * replaces is no error.
 */
#include "conf/conf_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "conf/bridge_int.h"
#include "conf/conf_report_int.h"

#define FILE_MAX ((size_t)16 << 20)
#define READ_FIRST 4096

/* The whole of fd as *text; errno is set on failure, EFBIG above FILE_MAX. */
static bool read_all(int fd, struct json_text *text)
{
	size_t size = 0;

	for (;;) {
		ssize_t got;

		if (text->n == size) {
			size = size ? 2 * size : READ_FIRST;
			text->bytes = mem_grow(text->bytes, size, 1);
		}
		got = read(fd, text->bytes + text->n, size - text->n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got == 0;
		text->n += (size_t)got;
		if (text->n > FILE_MAX) {
			errno = EFBIG;
			return false;
		}
	}
}

static void report_errno(struct conf_report *r, size_t source, int os)
{
	char why[128];
	mem_auto_str sentence = NULL;

	if (os == EFBIG)
		sentence = mem_printf("is larger than %zuM", FILE_MAX >> 20);
	else
		sentence = mem_printf("cannot be read: %s", strerror_r(os, why, sizeof(why)));
	conf_report_file(r, source, sentence);
}

struct duplicate_arg {
	struct conf_report *report;
	size_t source;
};

static void on_duplicate(void *arg, const char *path, size_t at, size_t first)
{
	struct duplicate_arg *a = arg;
	struct json_place place = json_text_place(&a->report->sources[a->source].text, first);
	mem_auto_str sentence = mem_printf("duplicate key; first given in line %zu", place.line);

	conf_report_at(a->report, a->source, at, path, sentence);
}

static void parse(struct conf_report *r, size_t source)
{
	struct duplicate_arg arg = { r, source };
	struct conf_source *s = &r->sources[source];
	struct json_fault fault;

	s->root = json_text_parse(&s->text, &fault);
	if (s->root)
		json_text_duplicates(&s->text, on_duplicate, &arg);
	else
		conf_report_at(r, source, fault.at, "", fault.sentence);
}

static void load(struct conf_report *r, const char *path)
{
	struct conf_source *s = conf_report_add_source(r, path);
	size_t source = r->n_sources - 1;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0) {
		report_errno(r, source, errno);
		return;
	}
	if (read_all(fd, &s->text))
		parse(r, source);
	else
		report_errno(r, source, errno);
	close(fd);
}

static int is_drop_in(const struct dirent *entry)
{
	size_t n = strlen(entry->d_name);

	return entry->d_name[0] != '.' && n > 5 && strcmp(entry->d_name + n - 5, ".json") == 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void load_drop_ins(struct conf_report *r, const char *path)
{
	const char *slash = strrchr(path, '/');
	mem_auto_str folder = mem_printf("%.*swsbridge.d", slash ? (int)(slash + 1 - path) : 0,
					 path);
	struct dirent **entries;
	int n = scandir(folder, &entries, is_drop_in, by_name);

	if (n < 0 && errno != ENOENT) {
		int os = errno;

		conf_report_add_source(r, folder);
		report_errno(r, r->n_sources - 1, os);
	}
	for (int i = 0; i < n; i++) {
		mem_auto_str file = mem_printf("%s/%s", folder, entries[i]->d_name);

		load(r, file);
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
}

/* Is every file an object? Otherwise nothing is checked: what the others miss is not known. */
static bool roots_ok(struct conf_report *r)
{
	bool ok = true;

	for (size_t i = 0; i < r->n_sources; i++) {
		const struct conf_source *s = &r->sources[i];

		if (s->root && !json_is_object(s->root))
			conf_report_at(r, i, json_text_root(&s->text), "",
				       "expected an object, found a list");
		ok = ok && json_is_object(s->root);
	}
	return ok;
}

static void make_room(const json_t *merged, const json_t *root)
{
	const json_t *bridges = json_object_get(merged, "bridges");
	const char *name;
	json_t *own;

	conf_bridge_make_room(json_object_get(merged, "defaults"),
			      json_object_get(root, "defaults"));
	json_object_foreach(json_object_get(root, "bridges"), name, own)
		conf_bridge_make_room(json_object_get(bridges, name), own);
}

/* Objects key by key, a later file over an earlier one. The files' values are used up. */
static json_t *merge(const struct conf_report *r)
{
	json_t *merged = json_object();

	for (size_t i = 0; i < r->n_sources; i++) {
		make_room(merged, r->sources[i].root);
		json_object_update_recursive(merged, r->sources[i].root);
	}
	return merged;
}

static struct main_conf *check(struct conf_report *r)
{
	json_t *merged = merge(r);
	struct main_conf *c = main_conf_new(merged, &r->report);

	json_decref(merged);
	if (r->n_complaints == 0)
		return c;
	main_conf_free(c);
	return NULL;
}

struct main_conf *conf_file_load(const char *path, conf_error_cb on_error, void *arg)
{
	struct main_conf *c = NULL;
	struct conf_report r;

	conf_report_init(&r);
	load(&r, path);
	load_drop_ins(&r, path);
	if (roots_ok(&r))
		c = check(&r);
	conf_report_flush(&r, on_error, arg);
	conf_report_deinit(&r);
	return c;
}
