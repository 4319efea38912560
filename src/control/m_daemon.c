/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `reload` and `shutdown`: the daemon does the work, through its host calls.
 * The trap: after shut_down has been asked, the call may already be answered.
 */
#include "control/methods.h"
#include "control/names.h"

/* What a bad configuration had to say. */
struct complaints {
	json_t *list;
	struct error first;
};

static void on_complaint(void *arg, const char *sentence)
{
	struct complaints *all = arg;

	if (json_array_size(all->list) == 0)
		error_set(&all->first, ERR_INVALID_OPTION, "%s", sentence);
	json_array_append_new(all->list, json_string(sentence));
}

static struct reply reply_complaints(struct call *c, struct complaints *all)
{
	size_t n = json_array_size(all->list);

	if (n == 0)
		error_set(&all->first, ERR_INVALID_OPTION, "the configuration could not be read");
	if (n > 1)
		error_context(&all->first, "the first of %zu errors", n);
	return reply_error_with(c, &all->first, json_pack("{s:o}", FIELD_ERRORS, all->list));
}

static json_t *names_of(const struct registry_names *all)
{
	json_t *list = json_array();

	for (size_t i = 0; i < all->n; i++)
		json_array_append_new(list, json_string(all->names[i]));
	return list;
}

struct reply method_reload(struct call *c)
{
	const struct control_host *host = &c->env->host;
	struct complaints all = { .list = json_array() };
	struct registry_diff diff = { 0 };
	json_t *result;

	if (!call_may_begin(c, &all.first)) {
		json_decref(all.list);
		return reply_error(c, &all.first);
	}
	if (!host->reload(host->arg, c->params.dry_run, &diff, on_complaint, &all))
		return reply_complaints(c, &all);
	json_decref(all.list);
	result = json_pack("{s:o,s:o,s:o,s:I}", FIELD_ADDED, names_of(&diff.added), FIELD_CHANGED,
			   names_of(&diff.changed), FIELD_REMOVED, names_of(&diff.removed),
			   FIELD_UNCHANGED, (json_int_t)diff.unchanged);
	registry_diff_deinit(&diff);
	if (c->params.dry_run)
		json_object_set_new(result, FIELD_DRY_RUN, json_true());
	return reply_ok(c, result);
}

/* Answered by call_env_finish. */
static struct reply check_end(struct call *c, struct bridge *b, enum call_why why)
{
	(void)b;
	(void)why;
	return reply_not_yet(c);
}

struct reply method_shutdown(struct call *c)
{
	const struct control_host *host = &c->env->host;
	int64_t timeout = c->params.timeout;
	struct reply r;

	if (c->params.dry_run)
		return reply_ok(c, json_pack("{s:b}", FIELD_DRY_RUN, 1));
	c->ends_well = true;
	r = reply_later(c, check_end, -1);
	host->shut_down(host->arg, timeout);
	return r;
}
