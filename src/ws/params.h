/* SPDX-License-Identifier: Apache-2.0 */
/* What a conversation is given at birth: the request, the limits, the random source. */
#ifndef WSB_WS_PARAMS_H
#define WSB_WS_PARAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rand_source;

struct ws_header {
	const char *name;
	const char *value;
};

/*
 * permessage-deflate (RFC 7692, 7.1): with `on`, what is offered, and in the answers of a
 * conversation what was agreed. Windows are in bits. "Client" is what we send, "server" what comes.
 */
struct ws_deflate {
	bool on;
	bool client_no_context_takeover, server_no_context_takeover;
	uint8_t client_max_window_bits; /* offered: 9...15, and no message of ours needs more */
	uint8_t server_max_window_bits; /* 8...15; 15 is not asked for */
};

/*
 * Everything is copied or used up by ws_conn_new, but for `rand`, which must
 * outlive the conversation.
 */
struct ws_params {
	const char *target;		 /* request target, "/chat?x=1" */
	const char *host;		 /* Host, NULL = leave it out */
	const char *origin;		 /* NULL = leave it out */
	const char *user_agent;		 /* NULL = leave it out */
	const char *const *subprotocols; /* offered in this order */
	size_t n_subprotocols;
	const struct ws_header *headers; /* already checked to be tokens and field values */
	size_t n_headers;
	size_t max_message; /* bytes; more closes with 1009 */
	size_t max_output;  /* cap of the output queue, bytes */
	bool validate_utf8;
	bool deliver_fragments; /* each one is a WS_MESSAGE of its own, msg.more but for the last */
	bool mask_zero;		/* masking key 0: for packet captures only */
	struct ws_deflate deflate;
	int deflate_level;	  /* 1...9 */
	size_t deflate_threshold; /* messages that are smaller go out as they are */
	struct rand_source *rand;
};

#endif
