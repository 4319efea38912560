/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parameters of all methods: one struct, one row each, read by the option
 * engine, so that types, limits and sentences are those of the configuration.
 * A method's table picks its rows. A handler starts with valid data.
 */
#ifndef WSB_CONTROL_PARAMS_H
#define WSB_CONTROL_PARAMS_H

#include "conf/bridge_conf.h"
#include "conf/conf_match.h"
#include "control/rpc.h"

#define WAIT_DEFAULT ((int64_t)20 * 1000 * 1000) /* of "wait": true */

struct params {
	char *name;
	int64_t wait;	/* microseconds, 0 = do not wait */
	bool wait_once; /* it was given as true: the first attempt decides */
	bool dry_run;
	int64_t code;
	char *reason;
	char *text, *binary, *ping, *pong; /* NULL = not given */
	json_t *json;			   /* NULL = not given */
	bool queue;
	int log_level;	  /* an enum log_level counted from 1; 0 = not given */
	int64_t timeout;  /* microseconds, -1 = not given, without a default */
	int64_t how_long; /* of `trace`: the same; 0 = no more */
	char *state;
	int64_t count;
	struct conf_match match; /* MATCH_NONE = not given */
	char **events;
	size_t n_events;
	char *since;
	int64_t subscription; /* 0 = not given */
	json_t *bridge;	      /* keys of the bridge table, where they are taken; never NULL */
};

/* What a method takes. */
struct params_table {
	const struct schema_row *rows;
	size_t n;
	bool bridge_keys; /* keys of the bridge table, too; they are checked by whoever uses them */
};

extern const struct params_table params_of_log, params_of_trace;
extern const struct params_table params_of_open, params_of_close, params_of_send, params_of_status,
	params_of_reconnect, params_of_explain, params_of_reload, params_of_shutdown,
	params_of_none, params_of_wait, params_of_ping, params_of_recv, params_of_request,
	params_of_subscribe, params_of_unsubscribe;

/*
 * Reads the parameters of rq by the table. Everything is refused that is not
 * in it. False: *err (ERR_INVALID_OPTION) names the parameter, *p untouched.
 */
bool params_read(struct params *p, const struct params_table *t, const struct rpc_request *rq,
		 struct error *err);
void params_deinit(struct params *p,
		   const struct params_table *t); /* fine on a zeroed one, and twice */

#endif
