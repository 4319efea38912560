/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers → OpenMetrics text. All that is known of a bridge is read once, then
 * written family by family, for a family must not be interrupted. The trap: a
 * counter's sample ends in _total but its family does not, and the name of a
 * family ends with its unit.
 */
#include "control/metrics.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/version.h"
#include "control/view.h"
#include "net/tls.h"

/* What is read of a bridge. NAN: there is nothing to tell. */
enum fact {
	RX_MESSAGES,
	RX_BYTES,
	TX_MESSAGES,
	TX_BYTES,
	RX_PACKED,
	RX_UNPACKED,
	TX_PACKED,
	TX_UNPACKED,
	LOST_SLOW,
	LOST_UNFIT,
	LOST_EXPIRED,
	LOST_FULL,
	LOST_REJECTED,
	UNHEARD,
	REFUSED,
	REFUSED_CLIENTS,
	CONNECTIONS,
	RECONNECTS,
	UNACKED,
	UNSENT,
	ATTEMPTS,
	SINCE,
	RETRY_IN,
	RTT,
	SILENCE,
	PAUSED,
	OUTBOX_MESSAGES,
	OUTBOX_BYTES,
	CERT_END,
	N_FACTS,
};

struct facts {
	struct bridge *bridge;
	double of[N_FACTS];
};

enum kind { COUNTER, GAUGE, STATESET, INFO };

/* A row without a help text goes on with the family above it. */
struct family {
	const char *name;
	enum kind kind;
	const char *unit, *help;
	enum fact fact;
	const char *cause; /* a second label, NULL = none */
};

#define B "wsbridge_bridge_"

static const struct family of_bridges[] = {
	{ B "received_messages", COUNTER, NULL, "Messages from the upstream.", RX_MESSAGES, NULL },
	{ B "received_bytes", COUNTER, "bytes", "Payload from the upstream.", RX_BYTES, NULL },
	{ B "sent_messages", COUNTER, NULL, "Messages to the upstream.", TX_MESSAGES, NULL },
	{ B "sent_bytes", COUNTER, "bytes", "Payload to the upstream.", TX_BYTES, NULL },
	{ B "received_compressed_bytes", COUNTER, "bytes", "Compressed payload from the upstream.",
	  RX_PACKED, NULL },
	{ B "received_decompressed_bytes", COUNTER, "bytes", "What that became.", RX_UNPACKED,
	  NULL },
	{ B "sent_compressed_bytes", COUNTER, "bytes", "Compressed payload to the upstream.",
	  TX_PACKED, NULL },
	{ B "sent_decompressed_bytes", COUNTER, "bytes", "What that was made of.", TX_UNPACKED,
	  NULL },
	{ B "dropped_messages", COUNTER, NULL, "Messages that were lost, by cause.", LOST_SLOW,
	  "slow_client" },
	{ B "dropped_messages", COUNTER, NULL, NULL, LOST_UNFIT, "unfit" },
	{ B "dropped_messages", COUNTER, NULL, NULL, LOST_EXPIRED, "outbox_expired" },
	{ B "dropped_messages", COUNTER, NULL, NULL, LOST_FULL, "outbox_dropped" },
	{ B "dropped_messages", COUNTER, NULL, NULL, LOST_REJECTED, "outbox_rejected" },
	{ B "unheard_messages", COUNTER, NULL, "Messages that came while no client was there.",
	  UNHEARD, NULL },
	{ B "refused_records", COUNTER, NULL, "Records of local clients that were no message.",
	  REFUSED, NULL },
	{ B "refused_clients", COUNTER, NULL, "Local clients that were turned away.",
	  REFUSED_CLIENTS, NULL },
	{ B "connections", COUNTER, NULL, "Handshakes that succeeded.", CONNECTIONS, NULL },
	{ B "reconnects", COUNTER, NULL, "Connections opened after the first one.", RECONNECTS,
	  NULL },
	{ B "unacked_bytes", COUNTER, "bytes",
	  "Bytes of ended connections that were never acknowledged.", UNACKED, NULL },
	{ B "unsent_bytes", COUNTER, "bytes", "Bytes of ended connections that were not written.",
	  UNSENT, NULL },
	{ B "attempts", GAUGE, NULL, "Attempts since a connection was last open.", ATTEMPTS, NULL },
	{ B "state_change_timestamp_seconds", GAUGE, "seconds", "When the state changed last.",
	  SINCE, NULL },
	{ B "retry_in_seconds", GAUGE, "seconds", "Time until the next attempt.", RETRY_IN, NULL },
	{ B "rtt_seconds", GAUGE, "seconds", "Round trip time of the last ping.", RTT, NULL },
	{ B "silence_seconds", GAUGE, "seconds", "Age of the last complete frame.", SILENCE, NULL },
	{ B "paused", GAUGE, NULL, "Whether reading waits for a slow local client.", PAUSED, NULL },
	{ B "outbox_messages", GAUGE, NULL, "Messages that wait in the outbox.", OUTBOX_MESSAGES,
	  NULL },
	{ B "outbox_bytes", GAUGE, "bytes", "Bytes that wait in the outbox.", OUTBOX_BYTES, NULL },
	{ B "certificate_expiry_timestamp_seconds", GAUGE, "seconds",
	  "When the certificate of the server expires.", CERT_END, NULL },
};

static const char *const states[] = { "connecting", "open",   "closing", "waiting",
				      "idle",	    "closed", "failed" };

static double or_nan(double seconds)
{
	return seconds < 0 ? (double)NAN : seconds;
}

static void read_link(double *of, const struct link_info *link)
{
	const struct tls_info *tls = link->details.tls;

	of[RX_MESSAGES] = (double)link->rx.messages;
	of[RX_BYTES] = (double)link->rx.bytes;
	of[TX_MESSAGES] = (double)link->tx.messages;
	of[TX_BYTES] = (double)link->tx.bytes;
	of[RX_PACKED] = (double)link->packed_rx.packed;
	of[RX_UNPACKED] = (double)link->packed_rx.bytes;
	of[TX_PACKED] = (double)link->packed_tx.packed;
	of[TX_UNPACKED] = (double)link->packed_tx.bytes;
	of[CONNECTIONS] = (double)link->epoch;
	of[RECONNECTS] = (double)link->reconnects;
	of[UNACKED] = (double)link->unacked;
	of[UNSENT] = (double)link->unsent;
	of[ATTEMPTS] = (double)link->attempts;
	of[SINCE] = (double)link->since;
	of[RETRY_IN] = or_nan(link->retry_in);
	of[RTT] = or_nan(link->rtt);
	of[SILENCE] = or_nan(link->last_rx);
	of[CERT_END] = tls && tls->n_chain ? (double)tls->chain->not_after : (double)NAN;
}

static void read_endpoints(double *of, struct bridge *b)
{
	struct endpoint_totals t;

	for (size_t i = 0; i < bridge_n_endpoints(b); i++) {
		if (!bridge_endpoint(b, i))
			continue;
		endpoint_totals(bridge_endpoint(b, i), &t);
		of[LOST_SLOW] += (double)t.dropped;
		of[LOST_UNFIT] += (double)t.unfit;
		of[REFUSED_CLIENTS] += (double)t.refused_clients;
	}
}

/* f is zeroed. */
static void read_bridge(struct facts *f, struct bridge *b)
{
	struct bridge_info info;

	f->bridge = b;
	bridge_info(b, &info);
	read_link(f->of, &info.link);
	read_endpoints(f->of, b);
	f->of[LOST_EXPIRED] = (double)info.outbox_expired;
	f->of[LOST_FULL] = (double)info.outbox_dropped;
	f->of[LOST_REJECTED] = (double)info.outbox_rejected;
	f->of[UNHEARD] = (double)info.unheard;
	f->of[REFUSED] = (double)info.refused;
	f->of[PAUSED] = info.paused;
	f->of[OUTBOX_MESSAGES] = (double)info.outbox_messages;
	f->of[OUTBOX_BYTES] = (double)info.outbox_bytes;
}

static void put_head(FILE *out, const struct family *f)
{
	static const char *const kinds[] = {
		[COUNTER] = "counter", [GAUGE] = "gauge", [STATESET] = "stateset", [INFO] = "info"
	};

	fprintf(out, "# TYPE %s %s\n", f->name, kinds[f->kind]);
	if (f->unit)
		fprintf(out, "# UNIT %s %s\n", f->name, f->unit);
	fprintf(out, "# HELP %s %s\n", f->name, f->help);
}

static void put_name(FILE *out, const struct family *f)
{
	static const char *const suffixes[] = {
		[COUNTER] = "_total", [GAUGE] = "", [STATESET] = "", [INFO] = "_info"
	};

	fprintf(out, "%s%s", f->name, suffixes[f->kind]);
}

/* What has to be escaped in it is (OpenMetrics 1.0, "Escaping"). */
static void put_label(FILE *out, char before, const char *label, const char *text)
{
	fprintf(out, "%c%s=\"", before, label);
	for (; *text; text++) {
		if (*text == '\n')
			fputs("\\n", out);
		else if (*text == '"' || *text == '\\')
			fprintf(out, "\\%c", *text);
		else
			fputc(*text, out);
	}
	fputc('"', out);
}

static void put_number(FILE *out, double n)
{
	fprintf(out, n == (double)(int64_t)n ? " %.0f\n" : " %.6f\n", n);
}

static void put_family(FILE *out, const struct family *f, const struct facts *all, size_t n)
{
	if (f->help)
		put_head(out, f);
	for (size_t i = 0; i < n; i++) {
		if (isnan(all[i].of[f->fact]))
			continue;
		put_name(out, f);
		put_label(out, '{', "bridge", bridge_name(all[i].bridge));
		if (f->cause)
			put_label(out, ',', "cause", f->cause);
		fputc('}', out);
		put_number(out, all[i].of[f->fact]);
	}
}

/* One sample for each state there is, 1 for the one that holds (OpenMetrics 1.0, "StateSet"). */
static void put_states(FILE *out, const struct facts *all, size_t n)
{
	static const struct family f = { .name = B "state",
					 .kind = STATESET,
					 .help = "State of the bridge." };

	put_head(out, &f);
	for (size_t i = 0; i < n; i++) {
		const char *state = bridge_state(all[i].bridge);

		for (size_t j = 0; j < sizeof(states) / sizeof(states[0]); j++) {
			put_name(out, &f);
			put_label(out, '{', "bridge", bridge_name(all[i].bridge));
			put_label(out, ',', f.name, states[j]);
			fputc('}', out);
			put_number(out, strcmp(state, states[j]) == 0);
		}
	}
}

static double clients_of(const struct endpoint *e)
{
	return (double)endpoint_n_clients(e);
}

static double queued_of(const struct endpoint *e)
{
	return (double)endpoint_pending(e);
}

static void put_endpoints(FILE *out, const struct family *f, double (*of)(const struct endpoint *e),
			  const struct registry *all)
{
	put_head(out, f);
	for (size_t i = 0; i < registry_count(all); i++) {
		struct bridge *b = registry_at(all, i);

		for (size_t j = 0; j < bridge_n_endpoints(b); j++) {
			const struct endpoint *e = bridge_endpoint(b, j);

			if (!e)
				continue;
			put_name(out, f);
			put_label(out, '{', "bridge", bridge_name(b));
			put_label(out, ',', "endpoint",
				  endpoint_conf_label(endpoint_configuration(e)));
			fputc('}', out);
			put_number(out, of(e));
		}
	}
}

static void put_bridges(FILE *out, const struct registry *all)
{
	static const struct family clients = { .name = "wsbridge_endpoint_clients",
					       .kind = GAUGE,
					       .help = "Local clients." };
	static const struct family queued = { .name = "wsbridge_endpoint_queued_bytes",
					      .kind = GAUGE,
					      .unit = "bytes",
					      .help = "Bytes that wait for local clients." };
	size_t n = registry_count(all);
	struct facts *facts = mem_array(n, sizeof(*facts));

	for (size_t i = 0; i < n; i++)
		read_bridge(&facts[i], registry_at(all, i));
	put_states(out, facts, n);
	for (size_t i = 0; i < sizeof(of_bridges) / sizeof(of_bridges[0]); i++)
		put_family(out, &of_bridges[i], facts, n);
	put_endpoints(out, &clients, clients_of, all);
	put_endpoints(out, &queued, queued_of, all);
	free(facts);
}

static void put_gauge(FILE *out, const char *name, const char *unit, const char *help, double n)
{
	const struct family f = { .name = name, .kind = GAUGE, .unit = unit, .help = help };

	put_head(out, &f);
	put_name(out, &f);
	put_number(out, n);
}

static void put_limits(FILE *out, const struct main_conf *conf)
{
	static const struct family f = { .name = "wsbridge_limit",
					 .kind = GAUGE,
					 .help = "Limits of the configuration, by name." };
	json_t *limits = view_limits(conf), *value;
	const char *limit;

	put_head(out, &f);
	json_object_foreach(limits, limit, value) {
		put_name(out, &f);
		put_label(out, '{', "limit", limit);
		fputc('}', out);
		put_number(out, json_number_value(value));
	}
	json_decref(limits);
}

static void put_log(FILE *out)
{
	static const struct family f = { .name = "wsbridge_log_dropped_lines",
					 .kind = COUNTER,
					 .help = "Lines of the log that could not be written." };

	put_head(out, &f);
	put_name(out, &f);
	put_number(out, (double)log_dropped());
}

static void put_daemon(FILE *out, const struct call_env *env)
{
	static const struct family build = { .name = "wsbridge_build",
					     .kind = INFO,
					     .help = "The daemon that runs." };
	const struct control_host *host = &env->host;
	const struct endpoint_quota *quota = registry_quota(host->registry);

	put_head(out, &build);
	put_name(out, &build);
	put_label(out, '{', "version", wsb_version);
	fputs("} 1\n", out);
	put_gauge(out, "wsbridge_start_timestamp_seconds", "seconds", "When the daemon started.",
		  (double)host->started);
	put_gauge(out, "wsbridge_uptime_seconds", "seconds", "For how long the daemon runs.",
		  (double)(time(NULL) - host->started));
	put_gauge(out, "wsbridge_bridges", NULL, "Bridges there are.",
		  (double)registry_count(host->registry));
	put_gauge(out, "wsbridge_clients", NULL, "Local clients of all bridges.",
		  (double)quota->clients);
	put_gauge(out, "wsbridge_queued_bytes", "bytes", "Bytes that wait for local clients.",
		  (double)quota->queued);
	put_gauge(out, "wsbridge_control_clients", NULL, "Connections to the control sockets.",
		  (double)env->control_clients);
	put_log(out);
	put_limits(out, host->conf(host->arg));
}

char *metrics_text(const struct call_env *env)
{
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);
	bool whole;

	if (!out)
		return NULL;
	put_daemon(out, env);
	put_bridges(out, env->host.registry);
	fputs("# EOF\n", out);
	whole = !ferror(out);
	if (fclose(out) == 0 && whole)
		return text;
	free(text);
	return NULL;
}
