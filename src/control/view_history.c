/* SPDX-License-Identifier: Apache-2.0 */
/* What happened to a link lately, as `explain` shows it: each kind of entry has its own fields. */
#include "control/names.h"
#include "control/view.h"
#include "link/history.h"

static void put(json_t *object, const char *key, json_t *value)
{
	json_object_set_new(object, key, value);
}

static json_t *text(const struct history_entry *e)
{
	return view_text(span_str(e->text));
}

static json_t *seconds(int64_t us)
{
	return us < 0 ? json_null() : json_real((double)us / 1e6);
}

static void put_state(json_t *v, const struct history_entry *e)
{
	put(v, FIELD_EVENT, json_string(EVENT_STATE));
	put(v, FIELD_STATE, json_string(link_state_shown(e->state)));
	put(v, FIELD_MESSAGE, text(e));
}

static void put_attempt(json_t *v, const struct history_entry *e)
{
	put(v, FIELD_EVENT, json_string(EVENT_ATTEMPT));
	put(v, FIELD_URL, text(e));
}

static void put_opened(json_t *v, const struct history_entry *e)
{
	put(v, FIELD_EVENT, json_string(EVENT_OPENED));
	put(v, FIELD_MESSAGE, text(e));
	put(v, FIELD_TOOK, seconds(e->took));
}

static void put_ended(json_t *v, const struct history_entry *e)
{
	put(v, FIELD_EVENT, json_string(EVENT_ENDED));
	put(v, FIELD_MESSAGE, text(e));
	if (e->code != ERR_NONE)
		put(v, FIELD_KIND, json_string(error_kind(e->code)));
	if (e->stage != STAGE_NONE)
		put(v, FIELD_STAGE, json_string(stage_name(e->stage)));
	if (e->status)
		put(v, FIELD_STATUS, json_integer(e->status));
	if (e->close_code)
		put(v, FIELD_CLOSE_CODE, json_integer(e->close_code));
	if (e->took)
		put(v, FIELD_OPEN_FOR, seconds(e->took));
	put(v, FIELD_RETRY_IN, seconds(e->delay));
}

static json_t *entry(const struct history_entry *e)
{
	json_t *v = json_pack("{s:I}", FIELD_AT, (json_int_t)e->at);

	switch (e->kind) {
	case HISTORY_STATE:
		put_state(v, e);
		break;
	case HISTORY_ATTEMPT:
		put_attempt(v, e);
		break;
	case HISTORY_OPENED:
		put_opened(v, e);
		break;
	case HISTORY_ENDED:
		put_ended(v, e);
		break;
	}
	return v;
}

json_t *view_history(const struct history *h)
{
	json_t *list = json_array();

	for (size_t i = 0; i < h->n; i++) {
		struct history_entry e = history_at(h, i);

		json_array_append_new(list, entry(&e));
	}
	return list;
}
