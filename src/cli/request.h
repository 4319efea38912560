/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Command lines → requests for the daemon, for the commands that are one call
 * each. They look at the shape of what was typed; whether it makes sense is the
 * daemon's to say. False: *err is ERR_INVALID_OPTION.
 */
#ifndef WSB_CLI_REQUEST_H
#define WSB_CLI_REQUEST_H

#include "cli/args.h"
#include "cli/call.h"

/* The daemon keeps the time; ours is only for one that has stopped to answer. */
#define REQUEST_MARGIN INT64_C(10000000) /* microseconds */

bool request_open(const struct args *a, struct call_request *r, struct error *err);
bool request_close(const struct args *a, struct call_request *r, struct error *err);
bool request_reconnect(const struct args *a, struct call_request *r, struct error *err);
bool request_explain(const struct args *a, struct call_request *r, struct error *err);
bool request_reload(const struct args *a, struct call_request *r, struct error *err);
bool request_shutdown(const struct args *a, struct call_request *r, struct error *err);
bool request_log(const struct args *a, struct call_request *r, struct error *err);
bool request_trace(const struct args *a, struct call_request *r, struct error *err);
bool request_metrics(const struct args *a, struct call_request *r, struct error *err);
bool request_version(const struct args *a, struct call_request *r, struct error *err);
bool request_rpc(const struct args *a, struct call_request *r, struct error *err);

/* No call: URL and -o become the options of a bridge, which go into the object. */
bool request_probe(const struct args *a, json_t *options, struct error *err);

/* One message of `send` to the bridge `name`. ERR_PAYLOAD: text that is no UTF-8. */
bool request_send(const char *name, struct span message, const struct args *a,
		  struct call_request *r, struct error *err);

#endif
