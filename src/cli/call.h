/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way to the daemon: a control socket, one request at a time, each with
 * its answer. Blocking, with a deadline: there is nothing else to do meanwhile.
 * Owned by the command that runs.
 */
#ifndef WSB_CLI_CALL_H
#define WSB_CLI_CALL_H

#include <jansson.h>
#include <stdint.h>

#include "base/error.h"
#include "control/rpc.h"

#define CALL_TIMEOUT INT64_C(30000000) /* microseconds, for answers that need no waiting */

struct call;

enum call_result {
	CALL_OK,
	CALL_REFUSED,	  /* the daemon answered with an error: answer->err */
	CALL_UNREACHABLE, /* no daemon, or no answer; *err says what to do */
};

struct call_request {
	const char *method;
	json_t *params;	 /* an object, taken */
	int64_t timeout; /* microseconds, -1 = none */
};

/*
 * Connects. NULL: *err says why, beginning with the path. fallback: a path to
 * point at if nobody is at `path`; NULL = none.
 */
struct call *call_new(const char *path, const char *fallback, struct error *err);
void call_free(struct call *c); /* NULL is fine */

/*
 * While call_make waits: called about once a second with the microseconds it has waited so far, and
 * with -1 when that is over, if it was called before.
 */
void call_on_wait(struct call *c, void (*cb)(void *arg, int64_t waited), void *arg);

/*
 * answer is filled for OK and REFUSED, and to be freed with rpc_answer_deinit
 * then. After UNREACHABLE c is useless.
 */
enum call_result call_make(struct call *c, const struct call_request *request,
			   struct rpc_answer *answer, struct error *err);

/*
 * The same in steps, for who has other things to wait for: call_begin asks, and whenever call_fd is
 * readable, call_continue looks what has come. False: the answer is still on its way; else *result
 * is what call_make would have returned. The timeout of the request is the caller's to keep.
 */
void call_begin(struct call *c, const struct call_request *request);
bool call_continue(struct call *c, enum call_result *result, struct rpc_answer *answer,
		   struct error *err);
int call_fd(const struct call *c);

/*
 * The parameters of the next notification, also of those that came before an answer; it may
 * take for ever. New reference. NULL: *err, and c is useless.
 */
json_t *call_next_event(struct call *c, struct error *err);

#endif
