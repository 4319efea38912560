/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The method table and its look-ups. It runs nothing. The trap: rights are
 * compared as numbers, so the order of enum conf_level counts.
 */
#include "control/methods.h"

#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "control/names.h"

_Static_assert(LEVEL_READ < LEVEL_SEND && LEVEL_SEND < LEVEL_ADMIN, "each level has the one below");

static const struct method methods[] = {
	{ METHOD_OPEN, LEVEL_ADMIN, &params_of_open, method_open,
	  "Make a bridge, or start one that is closed or has failed." },
	{ METHOD_CLOSE, LEVEL_ADMIN, &params_of_close, method_close,
	  "Close a bridge and do not reconnect it." },
	{ METHOD_SEND, LEVEL_SEND, &params_of_send, method_send, "Send one message upstream." },
	{ METHOD_STATUS, LEVEL_READ, &params_of_status, method_status,
	  "Show the daemon and its bridges." },
	{ METHOD_REQUEST, LEVEL_SEND, &params_of_request, method_request,
	  "Send a message and get the first one that matches." },
	{ METHOD_RECV, LEVEL_READ, &params_of_recv, method_recv, "Get the next messages." },
	{ METHOD_WAIT, LEVEL_READ, &params_of_wait, method_wait,
	  "Answer when a bridge is in a state." },
	{ METHOD_PING, LEVEL_SEND, &params_of_ping, method_ping,
	  "Send a WebSocket ping and measure the time until its pong." },
	{ METHOD_SUBSCRIBE, LEVEL_READ, &params_of_subscribe, method_subscribe,
	  "Get events as notifications." },
	{ METHOD_UNSUBSCRIBE, LEVEL_READ, &params_of_unsubscribe, method_unsubscribe,
	  "Get them no more." },
	{ METHOD_RECONNECT, LEVEL_ADMIN, &params_of_reconnect, method_reconnect,
	  "Drop the connection and dial now." },
	{ METHOD_EXPLAIN, LEVEL_READ, &params_of_explain, method_explain,
	  "Show what happened to a bridge lately, and why." },
	{ METHOD_RELOAD, LEVEL_ADMIN, &params_of_reload, method_reload,
	  "Read the configuration again and apply what changed." },
	{ METHOD_LOG, LEVEL_ADMIN, &params_of_log, method_log,
	  "Show or set the level of the log." },
	{ METHOD_TRACE, LEVEL_ADMIN, &params_of_trace, method_trace,
	  "Log the handshakes and frames of a bridge for a while." },
	{ METHOD_METRICS, LEVEL_READ, &params_of_none, method_metrics,
	  "Give counters and gauges as OpenMetrics text." },
	{ METHOD_SHUTDOWN, LEVEL_ADMIN, &params_of_shutdown, method_shutdown,
	  "End the daemon gracefully." },
	{ METHOD_VERSION, LEVEL_READ, &params_of_none, method_version,
	  "Show version, limits and build features." },
	{ METHOD_DISCOVER, LEVEL_READ, &params_of_none, method_discover,
	  "Describe all methods as an OpenRPC document." },
};

#define N_METHODS (sizeof(methods) / sizeof(methods[0]))

size_t methods_count(void)
{
	return N_METHODS;
}

const struct method *method_at(size_t i)
{
	return &methods[i];
}

static void no_such_method(const char *name, struct error *err)
{
	const char *names[N_METHODS + 1] = { NULL };
	const char *near;
	char shown[RPC_METHOD_MAX * 2];

	for (size_t i = 0; i < N_METHODS; i++)
		names[i] = methods[i].name;
	near = schema_nearest(name, names);
	escape_text(shown, sizeof(shown), span_str(name));
	if (near)
		error_set(err, ERR_NO_SUCH_METHOD, "no method \"%s\"; did you mean \"%s\"?", shown,
			  near);
	else
		error_set(err, ERR_NO_SUCH_METHOD, "no method \"%s\"", shown);
}

const struct method *method_find(const char *name, struct error *err)
{
	for (size_t i = 0; i < N_METHODS; i++)
		if (strcmp(methods[i].name, name) == 0)
			return &methods[i];
	no_such_method(name, err);
	return NULL;
}

const char *level_name(enum conf_level level)
{
	switch (level) {
	case LEVEL_READ:
		return "read";
	case LEVEL_SEND:
		return "send";
	case LEVEL_ADMIN:
		return "admin";
	}
	return "none";
}

bool method_allowed(const struct method *m, enum conf_level level, struct error *err)
{
	if (m->right <= level)
		return true;
	return error_set(err, ERR_DENIED,
			 "\"%s\" needs the right \"%s\"; this control socket gives \"%s\"", m->name,
			 level_name(m->right), level_name(level));
}
