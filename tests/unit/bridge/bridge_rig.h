/* SPDX-License-Identifier: Apache-2.0 */
/* One bridge between local clients and a server in the same loop. */
#ifndef WSB_UNIT_BRIDGE_BRIDGE_RIG_H
#define WSB_UNIT_BRIDGE_BRIDGE_RIG_H

#include "bridge/bridge.h"
#include "support/local.h"
#include "support/world.h"

#define BRIDGE_RIG_LOCALS 4

/* Delays that a test can wait for. */
#define BRIDGE_FAST                                                        \
	"'reconnect': {'initial': '10ms', 'max': '10ms', 'slow': '10ms', " \
	"'jitter': 'none'}, 'timeouts': {'close': '50ms'}"
#define BRIDGE_SOCKET "'endpoint': '$DIR/x'"
#define BRIDGE_JSON "'endpoint': {'unix': '$DIR/x', 'framing': 'json'}"

struct bridge_rig {
	struct world w;
	struct endpoint_quota quota;
	struct bridge *b;
	struct local locals[BRIDGE_RIG_LOCALS];
	unsigned states, flushed;
	struct error err; /* of the last call that had one */
};

void bridge_rig_init(struct bridge_rig *r, const char *options); /* JSON without the url */
void bridge_rig_deinit(struct bridge_rig *r);
void bridge_rig_configure(struct bridge_rig *r, const char *options);
void bridge_rig_configure_url(struct bridge_rig *r, const char *url, const char *options);

void bridge_rig_wait(struct bridge_rig *r, const char *state);
void bridge_rig_open(struct bridge_rig *r); /* starts it and waits */
struct bridge_info bridge_rig_info(struct bridge_rig *r);

struct local *bridge_rig_connect(struct bridge_rig *r, size_t i); /* the i-th client, accepted */
void bridge_rig_wait_got(struct bridge_rig *r, size_t i, const char *text); /* all it has got */
/* What a client of the json framing writes and reads; ' stands for ". */
void bridge_rig_say(struct bridge_rig *r, size_t i, const char *json); /* a line */
void bridge_rig_wait_told(struct bridge_rig *r, size_t i, const char *part);
bool bridge_rig_was_told(struct bridge_rig *r, size_t i, const char *part); /* so far */
void bridge_rig_forget_told(struct bridge_rig *r, size_t i);
void bridge_rig_wait_outbox(struct bridge_rig *r, size_t messages);

#endif
