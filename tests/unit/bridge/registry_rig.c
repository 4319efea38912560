/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See registry_rig.h. The test owns the struct. The trap: the server drops the
 * connection it has when the next one comes.
 */
#include "registry_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"

static void append(char **text, const char *before, const char *name, const char *behind)
{
	mem_auto_str old = *text;

	*text = mem_printf("%s%s%s%s%s", old, *old ? " " : "", before, name, behind);
}

/* Nobody is spoken of that cannot be found under its name. */
static void on_bridge(void *arg, struct bridge *b, enum bridge_event event)
{
	struct registry_rig *r = arg;

	(void)event;
	assert_ptr_equal(registry_find(r->reg, bridge_name(b)), b);
	r->events++;
}

void registry_rig_init(struct registry_rig *r)
{
	log_set_level(LOG_LEVEL_ERROR);
	*r = (struct registry_rig){ 0 };
	world_init(&r->w);
	r->reg = registry_new(r->w.loop, r->w.dialer, rand_system(), on_bridge, r);
}

void registry_rig_deinit(struct registry_rig *r)
{
	registry_free(r->reg);
	registry_diff_deinit(&r->diff);
	local_close(&r->local);
	world_turn_for(&r->w, 2000);
	world_deinit(&r->w);
}

void registry_rig_apply(struct registry_rig *r, const char *file, bool dry)
{
	struct main_conf *conf = world_main_conf(&r->w, file);

	registry_diff_deinit(&r->diff);
	registry_apply(r->reg, conf, dry, &r->diff);
	main_conf_free(conf); /* the bridges have their own references */
}

static void append_names(char **text, const char *mark, const struct registry_names *names)
{
	for (size_t i = 0; i < names->n; i++)
		append(text, mark, names->names[i], "");
}

void registry_rig_expect(struct registry_rig *r, const char *diff)
{
	mem_auto_str text = mem_strdup("");
	mem_auto_str unchanged = mem_printf("%zu", r->diff.unchanged);

	append_names(&text, "+", &r->diff.added);
	append_names(&text, "~", &r->diff.changed);
	append_names(&text, "-", &r->diff.removed);
	append(&text, "=", unchanged, "");
	assert_string_equal(text, diff);
}

static char *states_of(const struct registry *reg)
{
	char *text = mem_strdup("");

	for (size_t i = 0; i < registry_count(reg); i++) {
		const struct bridge *b = registry_at(reg, i);

		append(&text, bridge_name(b), ":", bridge_state(b));
	}
	return text;
}

void registry_rig_expect_states(struct registry_rig *r, const char *states)
{
	mem_auto_str text = states_of(r->reg);

	assert_string_equal(text, states);
}

struct awaited {
	const struct registry *reg;
	const char *states;
};

static bool has_states(void *arg)
{
	const struct awaited *a = arg;
	mem_auto_str text = states_of(a->reg);

	return strcmp(text, a->states) == 0;
}

void registry_rig_wait_states(struct registry_rig *r, const char *states)
{
	struct awaited a = { r->reg, states };

	world_wait(&r->w, has_states, &a);
}

struct bridge *registry_rig_open(struct registry_rig *r, const char *name, const char *path,
				 struct error *err)
{
	mem_auto_str text = mem_printf("{'url': 'ws://127.0.0.1:$PORT/', 'endpoint': '$DIR/%s', "
				       "'timeouts': {'close': '60ms'}}",
				       path);
	struct bridge_conf *conf = world_bridge_conf(&r->w, name, text);
	struct bridge *b;

	*err = ERROR_INIT;
	b = registry_open(r->reg, conf, err);
	bridge_conf_unref(conf);
	return b;
}

bool registry_rig_connect(struct registry_rig *r, const char *path)
{
	mem_auto_str whole = mem_printf("%s/%s", r->w.dir, path);

	local_close(&r->local);
	return local_connect(&r->local, r->w.loop, whole);
}
