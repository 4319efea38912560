/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All bridges, sorted by name. A bridge that is removed while its link still
 * closes goes to the list of the leaving: its name and its sockets are free at
 * once. Nothing is freed inside a bridge's own event, but at the end of the
 * turn.
 */
#include "bridge/registry.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "conf/conf_diff.h"
#include "net/loop.h"

struct entry {
	struct bridge *bridge;
	bool closing; /* made by `open`, and `close` was said: gone once it is closed */
};

struct registry {
	struct bridge_env env; /* for its bridges */
	bridge_cb cb;
	void *arg;
	struct bridge_tap tap;	 /* what bridges know of: on_show, or nobody */
	struct bridge_tap shown; /* where it leads */
	struct endpoint_quota quota;
	size_t max_bridges;
	struct entry *entries;
	size_t n;
	struct bridge **leaving;
	size_t n_leaving;
	struct deferred sweep;
};

static bool is_leaving(const struct registry *r, const struct bridge *b)
{
	for (size_t i = 0; i < r->n_leaving; i++)
		if (r->leaving[i] == b)
			return true;
	return false;
}

/* Those that leave are not spoken of any more: another may have the name by now. */
static void on_bridge(void *arg, struct bridge *b, enum bridge_event event)
{
	struct registry *r = arg;

	if (event == BRIDGE_STATE)
		loop_defer(r->env.loop, &r->sweep);
	if (!is_leaving(r, b))
		r->cb(r->arg, b, event);
}

static void on_show(void *arg, struct bridge *b, const struct record *record)
{
	struct registry *r = arg;

	if (!is_leaving(r, b))
		r->shown.cb(r->shown.arg, b, record);
}

void registry_tap(struct registry *r, const struct bridge_tap *tap)
{
	r->shown = *tap;
	r->tap = (struct bridge_tap){ .cb = tap->cb ? on_show : NULL, .arg = r };
}

static void remove_at(struct registry *r, size_t i)
{
	memmove(&r->entries[i], &r->entries[i + 1], (r->n - i - 1) * sizeof(r->entries[0]));
	r->n--;
}

/* Frees what is over. */
static void sweep(void *arg)
{
	struct registry *r = arg;

	for (size_t i = r->n; i-- > 0;) {
		if (!r->entries[i].closing || !bridge_is_stopped(r->entries[i].bridge))
			continue;
		bridge_free(r->entries[i].bridge);
		remove_at(r, i);
	}
	for (size_t i = r->n_leaving; i-- > 0;) {
		if (!bridge_is_stopped(r->leaving[i]))
			continue;
		bridge_free(r->leaving[i]);
		r->leaving[i] = r->leaving[--r->n_leaving];
	}
}

struct registry *registry_new(struct loop *l, struct dialer *dialer, struct rand_source *rand,
			      bridge_cb cb, void *arg)
{
	struct registry *r = mem_zalloc(sizeof(*r));

	r->env = (struct bridge_env){
		.loop = l,
		.dialer = dialer,
		.rand = rand,
		.quota = &r->quota,
		.tap = &r->tap,
		.cb = on_bridge,
		.arg = r,
	};
	r->cb = cb;
	r->arg = arg;
	deferred_init(&r->sweep, sweep, r);
	return r;
}

void registry_free(struct registry *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n; i++)
		bridge_free(r->entries[i].bridge);
	for (size_t i = 0; i < r->n_leaving; i++)
		bridge_free(r->leaving[i]);
	deferred_cancel(&r->sweep);
	free(r->entries);
	free(r->leaving);
	free(r);
}

/* The index of name, or where it belongs. */
static size_t find_index(const struct registry *r, const char *name, bool *found)
{
	size_t low = 0, high = r->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = strcmp(bridge_name(r->entries[mid].bridge), name);

		if (order == 0) {
			*found = true;
			return mid;
		}
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	*found = false;
	return low;
}

struct bridge *registry_find(struct registry *r, const char *name)
{
	bool found;
	size_t i = find_index(r, name, &found);

	return found ? r->entries[i].bridge : NULL;
}

size_t registry_count(const struct registry *r)
{
	return r->n;
}

struct bridge *registry_at(const struct registry *r, size_t i)
{
	return r->entries[i].bridge;
}

const struct endpoint_quota *registry_quota(const struct registry *r)
{
	return &r->quota;
}

static void insert(struct registry *r, struct bridge *b)
{
	bool found;
	size_t i = find_index(r, bridge_name(b), &found);

	assert(!found);
	r->entries = mem_grow(r->entries, r->n + 1, sizeof(r->entries[0]));
	memmove(&r->entries[i + 1], &r->entries[i], (r->n - i) * sizeof(r->entries[0]));
	r->entries[i] = (struct entry){ .bridge = b };
	r->n++;
}

/* Out of the list at once; its link may still need time to close. */
static void retire(struct registry *r, size_t i)
{
	struct bridge *b = r->entries[i].bridge;

	remove_at(r, i);
	r->leaving = mem_grow(r->leaving, r->n_leaving + 1, sizeof(struct bridge *));
	r->leaving[r->n_leaving++] = b;
	bridge_retire(b);
	loop_defer(r->env.loop, &r->sweep);
}

struct bridge *registry_open(struct registry *r, struct bridge_conf *conf, struct error *err)
{
	struct error failed = ERROR_INIT;
	struct bridge *b;

	if (registry_find(r, conf->name)) {
		error_set(err, ERR_ALREADY_EXISTS, "bridge \"%s\" already exists", conf->name);
		return NULL;
	}
	if (r->n >= r->max_bridges) {
		error_set(err, ERR_OVERFLOW,
			  "there are %zu bridges, as many as limits.bridges allows", r->n);
		return NULL;
	}
	b = bridge_new(&r->env, conf, &failed);
	if (failed.code) {
		bridge_free(b);
		*err = failed;
		return NULL;
	}
	insert(r, b);
	bridge_begin(b);
	return b;
}

void registry_start(struct registry *r, struct bridge *b)
{
	bool found;
	size_t i = find_index(r, bridge_name(b), &found);

	assert(found && r->entries[i].bridge == b);
	r->entries[i].closing = false;
	bridge_start(b);
}

void registry_close(struct registry *r, struct bridge *b, int code, const char *reason)
{
	bool found;
	size_t i = find_index(r, bridge_name(b), &found);

	assert(found && r->entries[i].bridge == b);
	r->entries[i].closing = !bridge_configuration(b)->from_file;
	bridge_stop(b, code, reason);
	loop_defer(r->env.loop, &r->sweep);
}

static void note(struct registry_names *list, const char *name)
{
	list->names = mem_grow(list->names, list->n + 1, sizeof(char *));
	list->names[list->n++] = mem_strdup(name);
}

static void names_deinit(struct registry_names *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->names[i]);
	free(list->names);
	*list = (struct registry_names){ 0 };
}

void registry_diff_deinit(struct registry_diff *d)
{
	names_deinit(&d->added);
	names_deinit(&d->changed);
	names_deinit(&d->removed);
}

static bool is_in(const struct main_conf *conf, const char *name)
{
	for (size_t i = 0; i < conf->n_bridges; i++)
		if (strcmp(conf->bridges[i]->name, name) == 0)
			return true;
	return false;
}

static void remove_vanished(struct registry *r, const struct main_conf *conf, bool dry,
			    struct registry_diff *diff)
{
	for (size_t i = r->n; i-- > 0;) {
		struct bridge *b = r->entries[i].bridge;

		if (!bridge_configuration(b)->from_file || is_in(conf, bridge_name(b)))
			continue;
		note(&diff->removed, bridge_name(b));
		if (!dry)
			retire(r, i);
	}
}

static void add(struct registry *r, struct bridge_conf *conf)
{
	struct error err = ERROR_INIT;
	struct bridge *b = bridge_new(&r->env, conf, &err);

	insert(r, b);
	if (!err.code)
		bridge_begin(b);
}

static void apply_one(struct registry *r, struct bridge_conf *conf, bool dry,
		      struct registry_diff *diff)
{
	bool found;
	size_t i = find_index(r, conf->name, &found);
	struct error err = ERROR_INIT;
	struct bridge *b;

	if (!found || !bridge_configuration(r->entries[i].bridge)->from_file) {
		note(&diff->added, conf->name);
		if (found && !dry)
			retire(r, i);
		if (!dry)
			add(r, conf);
		return;
	}
	b = r->entries[i].bridge;
	if (conf_diff_any(conf_diff_bridge(bridge_configuration(b), conf))) {
		note(&diff->changed, conf->name);
		if (!dry)
			bridge_configure(b, conf, &err);
		return;
	}
	diff->unchanged++;
	if (!dry && bridge_has_endpoint_error(b))
		bridge_configure(b, conf, &err); /* it tries to make what is missing */
}

/* Before anybody gets a new path: a path may move from one bridge to another. */
static void release_paths(struct registry *r, const struct main_conf *conf)
{
	for (size_t i = 0; i < conf->n_bridges; i++) {
		struct bridge *b = registry_find(r, conf->bridges[i]->name);

		if (b && bridge_configuration(b)->from_file)
			bridge_release(b, conf->bridges[i]);
	}
}

void registry_apply(struct registry *r, const struct main_conf *conf, bool dry,
		    struct registry_diff *diff)
{
	*diff = (struct registry_diff){ 0 };
	if (!dry) {
		r->quota.max_clients = (size_t)conf->limits.clients;
		r->quota.max_queued = conf->limits.queues;
		r->max_bridges = (size_t)conf->limits.bridges;
	}
	remove_vanished(r, conf, dry, diff);
	if (!dry)
		release_paths(r, conf);
	for (size_t i = 0; i < conf->n_bridges; i++)
		apply_one(r, conf->bridges[i], dry, diff);
}

void registry_shut_down(struct registry *r)
{
	for (size_t i = 0; i < r->n; i++) {
		bridge_stop_accepting(r->entries[i].bridge);
		bridge_stop(r->entries[i].bridge, 1001, "going away");
	}
}

void registry_check(struct registry *r)
{
	for (size_t i = 0; i < r->n; i++)
		bridge_check(r->entries[i].bridge);
}

bool registry_has_session(const struct registry *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (bridge_has_session(r->entries[i].bridge))
			return true;
	return false;
}

bool registry_is_quiet(struct registry *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (bridge_has_session(r->entries[i].bridge) ||
		    bridge_pending(r->entries[i].bridge))
			return false;
	return r->n_leaving == 0;
}
