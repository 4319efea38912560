/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads everything there is to know about a bridge or the daemon into JSON.
 * It changes nothing. The trap: text from the upstream need not be UTF-8,
 * which the library refuses without a word, so it goes through view_text.
 */
#include "control/view.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/version.h"
#include "control/events.h"
#include "control/names.h"

static json_t *count(uint64_t n)
{
	return json_integer((json_int_t)n);
}

/* A number of seconds, null if it is not known. */
static json_t *seconds(double s)
{
	return s < 0 ? json_null() : json_real(s);
}

static json_t *string_or_null(const char *s)
{
	return s ? json_string(s) : json_null();
}

json_t *view_last_error(const struct link_info *info)
{
	json_t *object;

	if (info->last_error.code == ERR_NONE)
		return json_null();
	object = rpc_error_flat(&info->last_error);
	json_object_set_new(object, FIELD_AT, json_integer(info->last_error_at));
	return object;
}

static json_t *last_close(const struct link_info *info)
{
	if (!info->last_close.code)
		return json_null();
	return json_pack("{s:i,s:o,s:b}", FIELD_CODE, info->last_close.code, FIELD_REASON,
			 view_text(span_str(info->last_close.reason)), FIELD_CLEAN,
			 info->last_close.clean);
}

static json_t *counters(const struct link_counters *n)
{
	return json_pack("{s:o,s:o}", FIELD_MESSAGES, count(n->messages), FIELD_BYTES,
			 count(n->bytes));
}

static json_t *outbox(const struct bridge_info *info)
{
	return json_pack("{s:o,s:o,s:o,s:o,s:o}", FIELD_MESSAGES, count(info->outbox_messages),
			 FIELD_BYTES, count(info->outbox_bytes), FIELD_EXPIRED,
			 count(info->outbox_expired), FIELD_DROPPED, count(info->outbox_dropped),
			 FIELD_REJECTED, count(info->outbox_rejected));
}

static const char *label(const struct endpoint *e)
{
	return endpoint_conf_label(endpoint_configuration(e));
}

/* A FIFO does not tell who is at its other end. */
static json_t *client(const struct endpoint *e, const struct endpoint_client *c)
{
	json_t *pid = c->pid ? count((uint64_t)c->pid) : json_null();
	json_t *uid = c->uid == (uid_t)-1 ? json_null() : count(c->uid);

	return json_pack("{s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:b}", FIELD_ENDPOINT, label(e), FIELD_PID,
			 pid, FIELD_UID, uid, FIELD_QUEUED, count(c->queued), FIELD_DROPPED,
			 count(c->dropped), FIELD_SENT, count(c->sent), FIELD_RECEIVED,
			 count(c->received), FIELD_SLOW, c->slow);
}

static void add_clients(json_t *list, const struct bridge *b, const struct endpoint *e)
{
	struct endpoint_client one;

	for (size_t i = 0; endpoint_client_at(e, i, &one); i++) {
		const char *state = bridge_client_state(b, one.id);
		json_t *shown = client(e, &one);

		if (state)
			json_object_set_new(shown, FIELD_STATE, json_string(state));
		json_array_append_new(list, shown);
	}
}

static json_t *clients(struct bridge *b)
{
	json_t *list = json_array();

	for (size_t i = 0; i < bridge_n_endpoints(b); i++)
		if (bridge_endpoint(b, i))
			add_clients(list, b, bridge_endpoint(b, i));
	return list;
}

static json_t *endpoint(const struct endpoint *e)
{
	struct endpoint_totals t;

	endpoint_totals(e, &t);
	return json_pack("{s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", FIELD_ENDPOINT, label(e),
			 FIELD_CLIENTS, count(endpoint_n_clients(e)), FIELD_PENDING,
			 count(endpoint_pending(e)), FIELD_DROPPED, count(t.dropped), FIELD_UNFIT,
			 count(t.unfit), FIELD_REPLACED, count(t.replaced), FIELD_REFUSED,
			 count(t.refused), FIELD_REFUSED_CLIENTS, count(t.refused_clients));
}

static json_t *endpoints(struct bridge *b)
{
	json_t *list = json_array();

	for (size_t i = 0; i < bridge_n_endpoints(b); i++)
		if (bridge_endpoint(b, i))
			json_array_append_new(list, endpoint(bridge_endpoint(b, i)));
	return list;
}

static void put(json_t *object, const char *key, json_t *value)
{
	json_object_set_new(object, key, value);
}

static void put_link(json_t *v, const struct link_info *link)
{
	put(v, FIELD_ATTEMPTS, count(link->attempts));
	put(v, FIELD_RECONNECTS, count(link->reconnects));
	put(v, FIELD_EPOCH, count(link->epoch));
	put(v, FIELD_RETRY_IN, seconds(link->retry_in));
	put(v, FIELD_LAST_ERROR, view_last_error(link));
	put(v, FIELD_LAST_CLOSE, last_close(link));
	put(v, FIELD_RTT, seconds(link->rtt));
	put(v, FIELD_SRTT, seconds(link->srtt));
	put(v, FIELD_FLAPPING, json_boolean(link->flapping));
	put(v, FIELD_LAST_RX, seconds(link->last_rx));
	put(v, FIELD_RX, counters(&link->rx));
	put(v, FIELD_TX, counters(&link->tx));
	put(v, FIELD_UNACKED, count(link->unacked));
	put(v, FIELD_UNSENT, count(link->unsent));
}

json_t *view_traced_until(const struct bridge *b)
{
	int64_t until = bridge_traced_until(b);

	return until ? json_integer(until) : json_null();
}

json_t *view_bridge(struct bridge *b)
{
	const struct bridge_conf *conf = bridge_configuration(b);
	struct bridge_info info;
	json_t *v = json_object();

	bridge_info(b, &info);
	put(v, FIELD_NAME, json_string(bridge_name(b)));
	put(v, FIELD_STATE, json_string(bridge_state(b)));
	put(v, FIELD_SINCE, json_integer(info.link.since));
	view_transport(v, &info.link.details);
	put_link(v, &info.link);
	put(v, FIELD_SEQ, count(info.seq));
	put(v, FIELD_PAUSED, json_boolean(info.paused));
	put(v, FIELD_DROPPED, count(info.dropped));
	put(v, FIELD_UNHEARD, count(info.unheard));
	put(v, FIELD_REFUSED, count(info.refused));
	put(v, FIELD_OUTBOX, outbox(&info));
	put(v, FIELD_ENDPOINTS, endpoints(b));
	put(v, FIELD_CLIENTS, clients(b));
	put(v, FIELD_SOURCE, json_string(conf->from_file ? "file" : "control"));
	put(v, FIELD_TRACE, view_traced_until(b));
	return v;
}

json_t *view_gone(const char *name)
{
	return json_pack("{s:s,s:s}", FIELD_NAME, name, FIELD_STATE, "closed");
}

static json_t *limit(const struct schema_row *row, const struct main_conf *conf)
{
	const void *slot = (const char *)conf + row->offset;

	if (row->type == OPT_SIZE)
		return count(*(const size_t *)slot);
	if (row->type == OPT_DURATION)
		return json_real((double)*(const int64_t *)slot / 1e6);
	return json_integer(*(const int64_t *)slot);
}

json_t *view_limits(const struct main_conf *conf)
{
	static const char group[] = "limits.";
	json_t *limits = json_object();

	for (size_t i = 0; i < main_schema.n_rows; i++) {
		const struct schema_row *row = &main_schema.rows[i];

		if (strncmp(row->name, group, sizeof(group) - 1) == 0)
			put(limits, row->name + sizeof(group) - 1, limit(row, conf));
	}
	return limits;
}

static json_t *now_and_max(uint64_t now, uint64_t max)
{
	return json_pack("{s:o,s:o}", FIELD_NOW, count(now), FIELD_MAX, count(max));
}

json_t *view_daemon(const struct call_env *env)
{
	const struct control_host *host = &env->host;
	const struct endpoint_quota *quota = registry_quota(host->registry);
	const struct main_conf *conf = host->conf(host->arg);
	json_t *v = json_object();

	put(v, FIELD_VERSION, json_string(wsb_version));
	put(v, FIELD_PID, json_integer(getpid()));
	put(v, FIELD_STARTED, json_integer(host->started));
	put(v, FIELD_UPTIME, json_integer(time(NULL) - host->started));
	put(v, FIELD_CONFIG, string_or_null(host->conf_path(host->arg)));
	put(v, FIELD_BRIDGES, count(registry_count(host->registry)));
	put(v, FIELD_CLIENTS, now_and_max(quota->clients, quota->max_clients));
	put(v, FIELD_QUEUED, now_and_max(quota->queued, quota->max_queued));
	put(v, FIELD_CONTROL_CLIENTS,
	    now_and_max(env->control_clients, (uint64_t)conf->limits.control_clients));
	put(v, FIELD_WAITING, count(call_env_waiting(env)));
	put(v, FIELD_SUBSCRIPTIONS, count(events_subscriptions(env->events)));
	put(v, FIELD_LIMITS, view_limits(conf));
	put(v, FIELD_LOG_DROPPED, count(log_dropped()));
	return v;
}
