/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of methods: name, right, parameters, handler, help. Whatever
 * answers a request, checks a right, or describes the methods reads it.
 */
#ifndef WSB_CONTROL_METHODS_H
#define WSB_CONTROL_METHODS_H

#include "conf/main_conf.h"
#include "control/call.h"

struct method {
	const char *name;
	enum conf_level right; /* the least level of the socket it came by */
	const struct params_table *params;
	struct reply (*run)(struct call *c);
	const char *help; /* one sentence */
};

size_t methods_count(void);
const struct method *method_at(size_t i);

const char *level_name(enum conf_level level); /* "read" */

/* NULL: *err is ERR_NO_SUCH_METHOD with a suggestion. */
const struct method *method_find(const char *name, struct error *err);
/* False: *err is ERR_DENIED and names the method, its right and the level. */
bool method_allowed(const struct method *m, enum conf_level level, struct error *err);

/* The handlers, in m_*.c. */
struct reply method_open(struct call *c);
struct reply method_close(struct call *c);
struct reply method_send(struct call *c);
struct reply method_status(struct call *c);
struct reply method_explain(struct call *c);
struct reply method_version(struct call *c);
struct reply method_reconnect(struct call *c);
struct reply method_reload(struct call *c);
struct reply method_shutdown(struct call *c);
struct reply method_log(struct call *c);
struct reply method_trace(struct call *c);
struct reply method_metrics(struct call *c);
struct reply method_discover(struct call *c);
struct reply method_wait(struct call *c);
struct reply method_ping(struct call *c);
struct reply method_recv(struct call *c);
struct reply method_request(struct call *c);
struct reply method_subscribe(struct call *c);
struct reply method_unsubscribe(struct call *c);

#endif
