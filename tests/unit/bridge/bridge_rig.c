/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See bridge_rig.h. The test owns the struct. The trap: the first endpoint is
 * the one that clients connect to, and its path is $DIR/x.
 */
#include "bridge_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/rand.h"
#include "net/net_test.h"

static void on_bridge(void *arg, struct bridge *b, enum bridge_event event)
{
	struct bridge_rig *r = arg;

	assert_ptr_equal(b, r->b);
	r->states += event == BRIDGE_STATE;
	r->flushed += event == BRIDGE_FLUSHED;
}

static struct bridge_conf *conf_of(struct bridge_rig *r, const char *url, const char *options)
{
	mem_auto_str text = mem_printf("{'url': '%s'%s%s}", url, *options ? ", " : "", options);

	return world_bridge_conf(&r->w, "feed", text);
}

void bridge_rig_init(struct bridge_rig *r, const char *options)
{
	static struct bridge_env env;

	struct bridge_conf *conf;

	env = (struct bridge_env){ .rand = rand_system(), .cb = on_bridge, .arg = r };
	log_set_level(LOG_LEVEL_ERROR);
	*r = (struct bridge_rig){ .quota = { .max_clients = 64, .max_queued = 64 << 20 } };
	world_init(&r->w);
	env.loop = r->w.loop;
	env.dialer = r->w.dialer;
	env.quota = &r->quota;
	conf = conf_of(r, "ws://127.0.0.1:$PORT/", options);
	r->b = bridge_new(&env, conf, &r->err);
	bridge_conf_unref(conf); /* the bridge has its own references */
}

void bridge_rig_deinit(struct bridge_rig *r)
{
	bridge_free(r->b);
	assert_int_equal(r->quota.clients, 0);
	assert_int_equal(r->quota.queued, 0);
	world_turn_for(&r->w, 2000);
	for (size_t i = 0; i < BRIDGE_RIG_LOCALS; i++)
		local_close(&r->locals[i]);
	world_deinit(&r->w);
}

void bridge_rig_configure_url(struct bridge_rig *r, const char *url, const char *options)
{
	struct bridge_conf *conf = conf_of(r, url, options);

	r->err = ERROR_INIT;
	bridge_configure(r->b, conf, &r->err);
	bridge_conf_unref(conf);
}

void bridge_rig_configure(struct bridge_rig *r, const char *options)
{
	bridge_rig_configure_url(r, "ws://127.0.0.1:$PORT/", options);
}

struct awaited {
	struct bridge_rig *r;
	const char *text;
	size_t n;
};

static bool is_in_state(void *arg)
{
	const struct awaited *a = arg;

	return strcmp(bridge_state(a->r->b), a->text) == 0;
}

void bridge_rig_wait(struct bridge_rig *r, const char *state)
{
	struct awaited a = { r, state, 0 };

	world_wait(&r->w, is_in_state, &a);
}

void bridge_rig_open(struct bridge_rig *r)
{
	bridge_start(r->b);
	bridge_rig_wait(r, "open");
}

struct bridge_info bridge_rig_info(struct bridge_rig *r)
{
	struct bridge_info info;

	bridge_info(r->b, &info);
	return info;
}

static bool has_clients(void *arg)
{
	const struct awaited *a = arg;

	return endpoint_n_clients(bridge_endpoint(a->r->b, 0)) == a->n;
}

struct local *bridge_rig_connect(struct bridge_rig *r, size_t i)
{
	struct awaited a = { .r = r };
	mem_auto_str path = mem_printf("%s/x", r->w.dir);

	a.n = endpoint_n_clients(bridge_endpoint(r->b, 0)) + 1;
	local_close(&r->locals[i]);
	assert_true(local_connect(&r->locals[i], r->w.loop, path));
	world_wait(&r->w, has_clients, &a);
	return &r->locals[i];
}

static bool has_got(void *arg)
{
	const struct awaited *a = arg;

	return strcmp(a->r->locals[a->n].got, a->text) == 0;
}

void bridge_rig_wait_got(struct bridge_rig *r, size_t i, const char *text)
{
	struct awaited a = { r, text, i };

	world_wait(&r->w, has_got, &a);
}

static char *with_quotes(const char *text)
{
	char *copy = mem_strdup(text);

	for (char *c = copy; *c; c++)
		*c = *c == '\'' ? '"' : *c;
	return copy;
}

void bridge_rig_say(struct bridge_rig *r, size_t i, const char *json)
{
	mem_auto_str text = with_quotes(json);

	local_write(&r->locals[i], text);
	local_write(&r->locals[i], "\n");
}

bool bridge_rig_was_told(struct bridge_rig *r, size_t i, const char *part)
{
	mem_auto_str text = with_quotes(part);

	return strstr(r->locals[i].got, text) != NULL;
}

static bool has_been_told(void *arg)
{
	const struct awaited *a = arg;

	return bridge_rig_was_told(a->r, a->n, a->text);
}

void bridge_rig_wait_told(struct bridge_rig *r, size_t i, const char *part)
{
	struct awaited a = { r, part, i };

	if (!turn_until(r->w.loop, has_been_told, &a, PATIENCE))
		fail_msg("not told: %s but: %s", part, r->locals[i].got);
}

void bridge_rig_forget_told(struct bridge_rig *r, size_t i)
{
	r->locals[i].got[0] = '\0';
	r->locals[i].lines = 0;
}

static bool has_in_outbox(void *arg)
{
	const struct awaited *a = arg;

	return bridge_rig_info(a->r).outbox_messages == a->n;
}

void bridge_rig_wait_outbox(struct bridge_rig *r, size_t messages)
{
	struct awaited a = { r, NULL, messages };

	world_wait(&r->w, has_in_outbox, &a);
}
