/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control sockets and their clients: lines in, calls to the methods,
 * lines out, in the order wsbridge-rpc(7) promises. Owned by the
 * daemon.
 */
#ifndef WSB_CONTROL_SERVER_H
#define WSB_CONTROL_SERVER_H

#include "bridge/registry.h"
#include "conf/main_conf.h"

struct control_server;
struct loop;

/* What the methods may ask of the daemon. All of it outlives the server. */
struct control_host {
	struct loop *loop;
	struct registry *registry;
	void *arg; /* for the calls below */
	/*
	 * Loads the configuration anew; dry: only tells. False: nothing has changed and every
	 * error went to on_error, one finished sentence each.
	 */
	bool (*reload)(void *arg, bool dry, struct registry_diff *diff,
		       void (*on_error)(void *error_arg, const char *sentence), void *error_arg);
	/* Begins the orderly end, bounded by timeout (microseconds, -1 = the default). */
	void (*shut_down)(void *arg, int64_t timeout);
	const struct main_conf *(*conf)(void *arg); /* the configuration in force */
	const char *(*conf_path)(void *arg);	    /* the file it came from, NULL = none */
	int64_t started;			    /* seconds since 1970 */
};

/* host is copied. */
struct control_server *control_server_new(const struct control_host *host);
void control_server_free(struct control_server *s);

/*
 * Listens at exactly these control sockets: new ones are made, vanished ones
 * removed, the rest untouched. Clients of one that has vanished, is made anew or
 * has another level are disconnected, after the answers that are due.
 * default_path is for those without a path.
 * Called at start and after each reload. False: *err is ERR_ENDPOINT (err->os
 * EADDRINUSE if another daemon serves that path), and those that could be made
 * are there.
 */
bool control_server_listen(struct control_server *s, const struct main_conf *conf,
			   const char *default_path, struct error *err);

/* The registry's events, for the calls that wait. */
void control_server_bridge_event(struct control_server *s, struct bridge *b,
				 enum bridge_event event);

/* Of the orderly end: no new clients. */
void control_server_stop_accepting(struct control_server *s);

/*
 * At the very end: answers that were still waiting are given (`shutdown` with
 * success, all others with an error) and written as far as the kernel takes them.
 */
void control_server_finish(struct control_server *s);

size_t control_server_clients(const struct control_server *s);

#endif
