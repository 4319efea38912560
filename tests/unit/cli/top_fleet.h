/* SPDX-License-Identifier: Apache-2.0 */
/* Bridges in all kinds of states, for the tests of `top`: what `status` answers about them. */
#ifndef WSB_UNIT_CLI_TOP_FLEET_H
#define WSB_UNIT_CLI_TOP_FLEET_H

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define FLEET_NOW 1795280000

static inline json_t *fleet_text(const char *text)
{
	json_error_t why;
	json_t *value = json_loads(text, 0, &why);

	if (!value) {
		fprintf(stderr, "%s at %d\n", why.text, why.position);
		abort();
	}
	return value;
}

/* A bridge in this state that has seen so much; more: further fields of it, NULL = none. */
static inline json_t *fleet_bridge(const char *name, const char *state, const char *more)
{
	json_t *b = json_pack("{s:s,s:s,s:i,s:s,s:[],s:i,s:i,s:{s:i,s:i},s:{s:i,s:i},s:{s:i}}",
			      "name", name, "state", state, "since", FLEET_NOW - 200, "url",
			      "ws://example.net/feed", "clients", "reconnects", 0, "dropped", 0,
			      "rx", "messages", 0, "bytes", 0, "tx", "messages", 0, "bytes", 0,
			      "outbox", "bytes", 0);
	json_t *rest = fleet_text(more ? more : "{}");

	json_object_update(b, rest);
	json_decref(rest);
	return b;
}

static inline void fleet_count(json_t *status, size_t bridge, const char *way, int messages,
			       int bytes)
{
	json_t *b = json_array_get(json_object_get(status, "bridges"), bridge);

	json_object_set_new(b, way, json_pack("{s:i,s:i}", "messages", messages, "bytes", bytes));
}

static inline json_t *fleet_daemon(int pid, json_t *bridges_taken)
{
	json_t *status = json_object();

	json_object_set_new(status, "daemon",
			    json_pack("{s:s,s:i,s:i,s:i,s:s,s:{s:i,s:i},s:{s:i,s:i}}", "version",
				      "0.1.0", "pid", pid, "started", FLEET_NOW - 270000, "uptime",
				      270000, "config", "/etc/wsbridge/wsbridge.json", "clients",
				      "now", 12, "max", 1024, "queued", "now", 1258291, "max",
				      67108864));
	json_object_set_new(status, "bridges", bridges_taken);
	return status;
}

/* The fleet at its n-th look, two seconds after the one before. */
static inline json_t *fleet_status(int n)
{
	static const int wave[] = { 0, 40, 90, 150, 200, 170, 90, 30 };
	json_t *list = json_array(), *status;
	int seen = 0;

	for (int i = 0; i <= n; i++)
		seen += wave[i % 8];
	json_array_append_new(
		list, fleet_bridge("ticker", "open",
				   "{\"rtt\":0.0123,\"peer\":\"192.0.2.7:443\",\"attempts\":0,"
				   "\"url\":\"wss://example.net/ticker\",\"epoch\":3,"
				   "\"reconnects\":2,\"last_rx\":0.2,\"tls\":{\"version\":"
				   "\"TLSv1.3\",\"cipher\":\"TLS_AES_256_GCM_SHA384\","
				   "\"verified\":true},\"last_close\":{\"code\":1001,\"reason\":"
				   "\"going away\",\"clean\":true},\"last_error\":{\"message\":"
				   "\"closed by peer: 1001\",\"at\":1795270000},\"outbox\":"
				   "{\"messages\":3,\"bytes\":300},\"clients\":[{\"endpoint\":"
				   "\"/run/wsbridge/ticker.sock\",\"pid\":4711,\"uid\":1000,"
				   "\"sent\":99,\"received\":3,\"queued\":1024,\"dropped\":0},"
				   "{\"endpoint\":\"/run/wsbridge/ticker.sock\",\"pid\":4712,"
				   "\"uid\":1000,\"sent\":98,\"received\":0,\"queued\":720000,"
				   "\"dropped\":5,\"slow\":true}]}"));
	json_array_append_new(list, fleet_bridge("orders", "open", "{\"rtt\":0.00042}"));
	json_array_append_new(
		list, fleet_bridge("quotes.eu", "waiting",
				   "{\"retry_in\":12.3,\"attempts\":4,\"rtt\":null,\"last_error\":"
				   "{\"message\":\"connect to 192.0.2.1:9: Connection refused\","
				   "\"at\":1795279999}}"));
	json_array_append_new(
		list, fleet_bridge("broken", "failed",
				   "{\"attempts\":1,\"dropped\":12345,\"last_error\":{\"message\":"
				   "\"\\u001b[31m401 \\u6ce2\\u6ce2: k\\u00f6nnte sein, dass der "
				   "Schl\\u00fcssel "
				   "abgelaufen ist\",\"at\":1795279999}}"));
	json_array_append_new(list, fleet_bridge("now-and-then", "idle", NULL));
	json_array_append_new(list, fleet_bridge("a-name-that-is-longer-than-any-column", "closed",
						 "{\"reconnects\":123456}"));
	json_array_append_new(list, fleet_bridge("dialing", "connecting", NULL));
	status = fleet_daemon(100, list);
	fleet_count(status, 0, "rx", seen, seen * 1500);
	fleet_count(status, 0, "tx", n, n * 10);
	fleet_count(status, 1, "tx", n * 30000, n * 3000000);
	return status;
}

#endif
