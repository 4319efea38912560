/* SPDX-License-Identifier: Apache-2.0 */
/* A registry whose bridges all go to one server in the same loop: one may be open at a time. */
#ifndef WSB_UNIT_BRIDGE_REGISTRY_RIG_H
#define WSB_UNIT_BRIDGE_REGISTRY_RIG_H

#include "bridge/registry.h"
#include "support/local.h"
#include "support/world.h"

/* One bridge of a configuration, on the socket $DIR/PATH. */
#define REGISTRY_BRIDGE(name, path, more)                                            \
	"'" name "': {'url': 'ws://127.0.0.1:$PORT/', 'endpoint': '$DIR/" path       \
	"', 'timeouts': {'close': '60ms'}, 'reconnect': {'initial': '10ms', 'max': " \
	"'10ms', 'jitter': 'none'}" more "}"
#define REGISTRY_MANUAL ", 'start': 'manual'"
#define REGISTRY_FILE(bridges) "{'bridges': {" bridges "}}"

struct registry_rig {
	struct world w;
	struct registry *reg;
	struct local local;
	unsigned events;
	struct registry_diff diff; /* of the last application */
};

void registry_rig_init(struct registry_rig *r);
void registry_rig_deinit(struct registry_rig *r);

void registry_rig_apply(struct registry_rig *r, const char *file, bool dry);
void registry_rig_expect(struct registry_rig *r, const char *diff);	     /* "+a ~b -c =1" */
void registry_rig_expect_states(struct registry_rig *r, const char *states); /* "a:open b:closed" */
void registry_rig_wait_states(struct registry_rig *r, const char *states);

/* As the control socket does; NULL: *err. */
struct bridge *registry_rig_open(struct registry_rig *r, const char *name, const char *path,
				 struct error *err);
bool registry_rig_connect(struct registry_rig *r, const char *path); /* the local client */

#endif
