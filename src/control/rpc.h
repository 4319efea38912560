/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON-RPC 2.0 and the shorthand: one line of the control socket ↔ structs.
 * Pure: no I/O, no clock, no log; it knows neither methods nor bridges. Used
 * by the server and, for the other direction, by the command line. What stands
 * in a line came from somebody else: error texts repeat nothing of it but
 * names, because values may be secrets.
 */
#ifndef WSB_CONTROL_RPC_H
#define WSB_CONTROL_RPC_H

#include <jansson.h>

#include "base/error.h"
#include "base/span.h"

#define RPC_DEPTH_MAX 32
#define RPC_BATCH_MAX 64
#define RPC_ID_MAX 128	  /* bytes of a string */
#define RPC_METHOD_MAX 64 /* bytes of a method's name */
#define RPC_WORDS_MAX 128 /* of a shorthand line */

/* `key=value` of a shorthand line; the value as it was typed. A lone NAME has the key "name". */
struct rpc_word {
	struct span key, value;
};

struct rpc_request {
	struct error err; /* not ERR_NONE: this is no request, answer so; only `id` counts then */
	json_t *id; /* what the answer repeats (null if unknown); NULL = notification, no answer */
	char method[RPC_METHOD_MAX + 1];
	json_t *params;		/* an object, borrowed from the input; NULL = none */
	struct span text;	/* of the request, in the line; empty for shorthand */
	bool shorthand;		/* parameters are `words`, typed by the method's table */
	struct rpc_word *words; /* keys are distinct and not empty */
	size_t n_words;
};

struct rpc_input {
	bool batch; /* the answers go into one list */
	size_t n;   /* 0: the line was blank, nothing to do */
	struct rpc_request *requests;
	json_t *root;
};

/*
 * Takes one line without its delimiter apart. Always succeeds: what is wrong
 * stands in the requests. The line must stay as long as *in. A line above
 * `max` bytes is refused before anything looks at it.
 */
void rpc_input_init(struct rpc_input *in, struct span line, size_t max);
void rpc_input_deinit(struct rpc_input *in); /* twice is fine */

/*
 * The bytes of one parameter as they stand in the line (numbers and the order
 * of keys as typed, no rounding). False: it is not there.
 */
bool rpc_param_text(const struct rpc_request *rq, const char *name, struct span *out);

/*
 * {"code", "message", "data": {"kind", …}}: the one place that makes the error
 * object. bridge: NULL = none is meant. more: an object whose members go into
 * data, taken; may be NULL.
 */
json_t *rpc_error_object(const struct error *err, const char *bridge, json_t *more);

/* The same in one level: {"code", "message", "kind", …}, for `last_error`. */
json_t *rpc_error_flat(const struct error *err);

/* For a line above `max` bytes, wherever it is noticed. */
void rpc_error_too_long(struct error *err, size_t max);

/* May a second try succeed without a change by somebody? For data.retryable. */
bool rpc_error_retryable(const struct error *err);

/* Answers, objects. `id` is borrowed, the rest is taken; new reference. */
json_t *rpc_answer_ok(json_t *id, json_t *result);
json_t *rpc_answer_error(json_t *id, json_t *error_object);

/* Compact, with the newline and a NUL behind it; free() by the caller. *n is without the NUL. */
char *rpc_line(const json_t *value, size_t *n);

/* The client's side: a request (params is taken, may be NULL; id < 0: a notification). */
char *rpc_request_line(const char *method, json_t *params, json_int_t id, size_t *n);

/* One answer, taken apart. */
struct rpc_answer {
	json_t *id;	  /* borrowed from root */
	json_t *result;	  /* an object, borrowed; NULL: see err */
	struct error err; /* as the daemon had it: code, stage, status, close_code, option, text */
	json_t *error_object;		 /* borrowed; NULL if there is a result */
	char bridge[RPC_METHOD_MAX + 1]; /* data.bridge, "" = none */
	json_t *root;
};

/* False: *err (ERR_PROTOCOL) says why the line is no answer. The line need not stay. */
bool rpc_answer_init(struct rpc_answer *a, struct span line, struct error *err);
void rpc_answer_deinit(struct rpc_answer *a); /* twice is fine */

#endif
