/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See world.h. A broken text is the test's own fault and ends it. The trap:
 * lock files of listeners stay by design and are removed with the directory.
 */
#include "support/world.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "base/http_head.h"
#include "base/mem.h"
#include "net/net_test.h"

static bool is_settled(void *arg)
{
	(void)arg;
	return false;
}

void world_turn_for(struct world *w, int64_t us)
{
	turn_until(w->loop, is_settled, NULL, us);
}

void world_wait(struct world *w, bool (*holds)(void *arg), void *arg)
{
	assert_true(turn_until(w->loop, holds, arg, PATIENCE));
}

struct count {
	const unsigned *now;
	unsigned at_least;
};

static bool has_count(void *arg)
{
	const struct count *c = arg;

	return *c->now >= c->at_least;
}

void world_wait_count(struct world *w, const unsigned *count, unsigned at_least)
{
	struct count c = { count, at_least };

	world_wait(w, has_count, &c);
}

static bool is_set(void *arg)
{
	const bool *const *flag = arg;

	return **flag;
}

void world_wait_flag(struct world *w, const bool *flag)
{
	world_wait(w, is_set, &flag);
}

struct sight {
	const struct ws_peer *peer;
	const char *part;
};

static bool has_seen(void *arg)
{
	const struct sight *s = arg;

	return strstr(s->peer->seen, s->part) != NULL;
}

void world_wait_seen(struct world *w, const char *part)
{
	struct sight s = { &w->peer, part };

	if (!turn_until(w->loop, has_seen, &s, PATIENCE))
		fail_msg("not seen: \"%s\" but: \"%s\"", part, w->peer.seen);
}

static void replace(char **text, const char *mark, const char *by)
{
	char *at;

	while ((at = strstr(*text, mark))) {
		char *longer = mem_printf("%.*s%s%s", (int)(at - *text), *text, by,
					  at + strlen(mark));

		free(*text);
		*text = longer;
	}
}

static json_t *json_of(struct world *w, const char *text)
{
	mem_auto_str json = mem_strdup(text);
	mem_auto_str port = mem_printf("%u", (unsigned)w->peer.port);
	json_error_t err;
	json_t *value;

	replace(&json, "$PORT", port);
	replace(&json, "$DIR", w->dir);
	replace(&json, "'", "\"");
	value = json_loads(json, 0, &err);
	if (!value)
		fail_msg("%s: %s", json, err.text);
	return value;
}

struct bridge_conf *world_bridge_conf(struct world *w, const char *name, const char *text)
{
	json_t *own = json_of(w, text);
	struct schema_first first;
	struct bridge_conf *conf;

	schema_first_init(&first);
	conf = bridge_conf_new(name, NULL, own, &first.report);
	json_decref(own);
	if (!conf)
		fail_msg("%s: %s", text, first.err.text);
	return conf;
}

struct main_conf *world_main_conf(struct world *w, const char *text)
{
	json_t *root = json_of(w, text);
	struct schema_first first;
	struct main_conf *conf;

	schema_first_init(&first);
	conf = main_conf_new(root, &first.report);
	json_decref(root);
	if (!conf)
		fail_msg("%s: %s", text, first.err.text);
	return conf;
}

void world_init(struct world *w)
{
	*w = (struct world){ .dir = "/tmp/wsbridge-world-XXXXXX" };
	assert_non_null(mkdtemp(w->dir));
	w->loop = loop_new();
	w->dialer = dialer_new(w->loop);
	ws_peer_init(&w->peer, w->loop);
}

static void remove_dir(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		size_t n = strlen(entry->d_name);
		mem_auto_str file = mem_printf("%s/%s", path, entry->d_name);

		if (n > 5 && strcmp(entry->d_name + n - 5, ".lock") == 0)
			unlink(file);
	}
	closedir(dir);
	assert_int_equal(rmdir(path), 0);
}

void world_deinit(struct world *w)
{
	ws_peer_deinit(&w->peer);
	loop_drain(w->loop);
	dialer_free(w->dialer);
	loop_free(w->loop);
	remove_dir(w->dir);
}

int world_status_of(struct span head)
{
	struct http_head parsed;
	int status;

	http_head_again(&parsed, head);
	status = parsed.status;
	http_head_deinit(&parsed);
	return status;
}
