/* SPDX-License-Identifier: Apache-2.0 */
/* See top_feed.h. The trap: a daemon that was stopped still has its connections. */
#include "cli/top_feed.h"

#include <stdlib.h>

#include "base/escape.h"
#include "base/mem.h"
#include "control/names.h"

#define SHOWN 1024

void top_feed_init(struct top_feed *f, const char *path, struct call *call_taken)
{
	*f = (struct top_feed){ .path = path, .call = call_taken };
}

void top_feed_deinit(struct top_feed *f)
{
	call_free(f->call);
	json_decref(f->status);
	json_decref(f->explained);
	free(f->name);
	free(f->trouble);
	*f = (struct top_feed){ 0 };
}

int top_feed_fd(const struct top_feed *f)
{
	return f->call ? call_fd(f->call) : -1;
}

static void set_trouble(struct top_feed *f, const char *why)
{
	char shown[SHOWN];

	free(f->trouble);
	f->trouble = mem_strdup(escape_control(shown, sizeof(shown), span_str(why)));
}

static enum feed_news lose(struct top_feed *f, const char *why)
{
	set_trouble(f, why);
	call_free(f->call);
	f->call = NULL;
	f->asked = FEED_IDLE;
	return FEED_LOST;
}

static void ask(struct top_feed *f, const char *method, json_t *params_taken)
{
	struct call_request r = { .method = method, .params = params_taken };

	f->asked = params_taken ? FEED_EXPLAIN : FEED_STATUS;
	call_begin(f->call, &r);
}

enum feed_news top_feed_ask(struct top_feed *f, const char *name, double now)
{
	struct error err = ERROR_INIT;

	if (f->asked != FEED_IDLE)
		return FEED_NOTHING;
	if (!f->call)
		f->call = call_new(f->path, NULL, &err);
	if (!f->call)
		return lose(f, err.text);
	free(f->name);
	f->name = mem_strdup(name);
	f->since = now;
	ask(f, METHOD_STATUS, NULL);
	return FEED_NOTHING;
}

static enum feed_news finish(struct top_feed *f)
{
	free(f->trouble);
	f->trouble = NULL;
	f->asked = FEED_IDLE;
	return FEED_ANSWER;
}

static enum feed_news take_status(struct top_feed *f, const struct rpc_answer *a)
{
	json_decref(f->status);
	json_decref(f->explained);
	f->status = json_incref(a->result);
	f->explained = NULL;
	if (!f->name)
		return finish(f);
	ask(f, METHOD_EXPLAIN, json_pack("{s:s}", PARAM_NAME, f->name));
	return FEED_NOTHING;
}

/* A bridge that is gone meanwhile has nothing to explain. */
static enum feed_news take_answer(struct top_feed *f, enum call_result result,
				  const struct rpc_answer *a)
{
	if (f->asked == FEED_EXPLAIN) {
		f->explained = result == CALL_OK ? json_incref(a->result) : NULL;
		return finish(f);
	}
	return result == CALL_OK ? take_status(f, a) : lose(f, a->err.text);
}

static enum feed_news look_once(struct top_feed *f, bool *more)
{
	enum call_result result = CALL_UNREACHABLE;
	struct error err = ERROR_INIT;
	struct rpc_answer answer;
	enum feed_news news;

	*more = f->call && call_continue(f->call, &result, &answer, &err);
	if (!*more)
		return FEED_NOTHING;
	if (result == CALL_UNREACHABLE) {
		mem_auto_str ended = mem_printf("%s: wsbridged has ended", f->path);

		*more = false;
		return lose(f, f->asked == FEED_IDLE && err.code == ERR_CONNECT ? ended : err.text);
	}
	news = take_answer(f, result, &answer);
	rpc_answer_deinit(&answer);
	return news;
}

enum feed_news top_feed_look(struct top_feed *f)
{
	enum feed_news news = FEED_NOTHING;
	bool more = true;

	while (more && news == FEED_NOTHING)
		news = look_once(f, &more);
	return news;
}

bool top_feed_grumble(struct top_feed *f, double now)
{
	double waited = now - f->since;
	mem_auto_str why = NULL;

	if (f->asked == FEED_IDLE || waited < TOP_PATIENCE)
		return false;
	why = mem_printf("%s: no answer from wsbridged for %.0f seconds", f->path, waited);
	set_trouble(f, why);
	return true;
}
