/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which stage a step of a dial belongs to, whom it talks to, and the sentences
 * about that. Pure: it knows nothing of what is under way. Its trap: only the
 * target's own look-up and TLS are not the proxy's affair.
 */
#include "net/dial_step.h"

#include <stdio.h>
#include <string.h>

#define PLACE_MAX 300 /* "[host]:port" */

enum stage dial_step_stage(enum dial_step step)
{
	switch (step) {
	case DIAL_RESOLVE_TARGET:
	case DIAL_RESOLVE:
		return STAGE_RESOLVE;
	case DIAL_CONNECT:
		return STAGE_CONNECT;
	case DIAL_PROXY_TLS:
	case DIAL_PROXY:
		return STAGE_PROXY;
	case DIAL_TLS:
		return STAGE_TLS;
	}
	return STAGE_NONE;
}

const char *dial_target_host(const struct dial_params *p)
{
	return p->connect_host ? p->connect_host : p->host;
}

uint16_t dial_target_port(const struct dial_params *p)
{
	return p->connect_host ? p->connect_port : p->port;
}

const char *dial_server_name(const struct dial_params *p, enum dial_step step)
{
	if (step == DIAL_PROXY_TLS)
		return p->proxy->server_name ? p->proxy->server_name : p->proxy->host;
	return p->tls_server_name ? p->tls_server_name : p->host;
}

const char *dial_resolve_host(const struct dial_params *p, enum dial_step step)
{
	return p->proxy && step == DIAL_RESOLVE ? p->proxy->host : dial_target_host(p);
}

static const char *format_place(char out[PLACE_MAX], const char *host, uint16_t port)
{
	snprintf(out, PLACE_MAX, strchr(host, ':') ? "[%s]:%u" : "%s:%u", host, (unsigned)port);
	return out;
}

void dial_step_context(const struct dial_params *p, enum dial_step step, struct error *err)
{
	char place[PLACE_MAX];

	err->stage = dial_step_stage(step);
	if (step == DIAL_TLS)
		error_context(err, "TLS with %s", dial_server_name(p, step));
	else if (p->proxy && step != DIAL_RESOLVE_TARGET)
		error_context(err, "proxy %s", format_place(place, p->proxy->host, p->proxy->port));
}

static void connect_timed_out(const struct dial_params *p, struct error *err)
{
	char place[PLACE_MAX];

	if (p->unix_path)
		error_set(err, ERR_TIMEOUT, "connect to unix:%s: not done in time", p->unix_path);
	else if (p->proxy)
		error_set(err, ERR_TIMEOUT, "connect: not done in time");
	else
		error_set(err, ERR_TIMEOUT, "connect to %s: not done in time",
			  format_place(place, dial_target_host(p), dial_target_port(p)));
}

void dial_step_timed_out(const struct dial_params *p, enum dial_step step, struct error *err)
{
	char place[PLACE_MAX];

	switch (step) {
	case DIAL_RESOLVE_TARGET:
	case DIAL_RESOLVE:
		error_set(err, ERR_TIMEOUT, "resolve %s: not done in time",
			  dial_resolve_host(p, step));
		break;
	case DIAL_CONNECT:
		connect_timed_out(p, err);
		break;
	case DIAL_PROXY_TLS:
		error_set(err, ERR_TIMEOUT, "TLS handshake: not done in time");
		break;
	case DIAL_PROXY:
		error_set(err, ERR_TIMEOUT, "no way to %s in time",
			  format_place(place, dial_target_host(p), dial_target_port(p)));
		break;
	case DIAL_TLS:
		error_set(err, ERR_TIMEOUT, "handshake: not done in time");
		break;
	}
	dial_step_context(p, step, err);
}
