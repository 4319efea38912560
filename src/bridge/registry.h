/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All bridges by name, and the single implementation behind start-up, reload,
 * and the control socket's open and close: start-up is a difference against
 * the empty configuration. Owned by the daemon.
 */
#ifndef WSB_BRIDGE_REGISTRY_H
#define WSB_BRIDGE_REGISTRY_H

#include "bridge/bridge.h"
#include "conf/main_conf.h"

struct registry;

struct registry *registry_new(struct loop *l, struct dialer *dialer, struct rand_source *rand,
			      bridge_cb cb, void *arg);
void registry_free(struct registry *r);

/* From now on *tap, which is copied, sees all bridges but those that are leaving. */
void registry_tap(struct registry *r, const struct bridge_tap *tap);

struct bridge *registry_find(struct registry *r, const char *name); /* NULL = none */
size_t registry_count(const struct registry *r);
struct bridge *registry_at(const struct registry *r, size_t i); /* in name order; i < count */

/*
 * Makes and starts a bridge that did not stand in the file. NULL: *err is
 * ERR_ALREADY_EXISTS, ERR_ENDPOINT or ERR_OVERFLOW (limits.bridges), and
 * nothing has changed.
 */
struct bridge *registry_open(struct registry *r, struct bridge_conf *conf, struct error *err);

/* Starts a bridge that is closed, closing or failed; one that was to go stays. */
void registry_start(struct registry *r, struct bridge *b);

/*
 * Close handshake. A bridge made by registry_open is removed when it is over
 * (its name is free then), one from the file stays in state closed.
 */
void registry_close(struct registry *r, struct bridge *b, int code, const char *reason);

struct registry_names {
	char **names;
	size_t n;
};

struct registry_diff {
	struct registry_names added, changed, removed;
	size_t unchanged;
};

/*
 * Makes the bridges from the file those of `conf`, touching only what differs;
 * bridges made by `open` stay, unless the file now has that name: the file's
 * comes in their place. dry: only tells. Ends with diff filled; free it with
 * registry_diff_deinit.
 */
void registry_apply(struct registry *r, const struct main_conf *conf, bool dry,
		    struct registry_diff *diff);
void registry_diff_deinit(struct registry_diff *d);

void registry_check(struct registry *r); /* the machine was suspended: see link_check */
bool registry_has_session(const struct registry *r);

/* The orderly end: no new local clients, 1001 to every upstream. */
void registry_shut_down(struct registry *r);
bool registry_is_quiet(
	struct registry *r); /* no link has a session and nothing waits for a local client */

const struct endpoint_quota *registry_quota(const struct registry *r);

#endif
