/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connected sockets without a kernel: two ends, and for each direction bytes
 * on their way, a delay, a send and a receive buffer. One end belongs to the
 * process and has a descriptor (sim_fd.h), the other one to the world: a
 * server or a local client, which are called back.
 *
 * A path can stall (packets are dropped, what was sent waits), be slow, and
 * forget the connection: then the next bytes are answered with a reset.
 */
#ifndef SIM_SIM_SOCK_H
#define SIM_SIM_SOCK_H

#include "base/buf.h"
#include "sim/sim_loop.h"
#include "sim/sim_rand.h"

#define SIM_TAGS 128

struct sim_path {
	int64_t delay_min, delay_max;
	size_t sndbuf, rcvbuf;
	size_t chunk;	      /* most bytes that travel at a time */
	int64_t user_timeout; /* bytes of the process that make no progress for so long; 0 = off */
	bool local;	      /* a Unix socket: a peer that has closed is known at once */
};

struct sim_sock {
	struct sim_sock *peer;
	struct loop *loop;
	struct sim_rand *rand;
	struct sim_path path; /* of what this end sends */
	struct buf out;	      /* written, not arrived */
	struct buf in;	      /* arrived, not read */
	size_t moving;	      /* of `out`, with the next arrival */
	struct sim_event arrival, give_up;
	uint64_t written;
	int error;	       /* told once */
	bool stalled;	       /* what this end sends does not arrive */
	bool fin, fin_arrived; /* this end sends no more; the other one knows */
	bool eof;	       /* the other end sends no more, and that has arrived */
	bool peer_gone;	       /* of a Unix socket: the other end has closed */
	bool dead;	       /* reset, or given up */
	bool closed;
	bool silent;	/* closed without a word */
	bool unread;	/* closed with bytes that were not read */
	bool reset_due; /* to be told to the peer */
	bool is_process;
	unsigned tag; /* whose it is, below SIM_TAGS; 0 = nobody's */
	/* the process's end */
	struct list watchers; /* struct event, by of_sock */
	unsigned refs;	      /* descriptors */
	/* the world's end; NULL = nobody. Never from inside a call on the socket. */
	void (*changed)(void *arg);
	void *arg;
	struct sim_event wake;
};

/* a: the process's end, without a descriptor yet. Both go when both are closed. */
struct sim_sock *sim_sock_pair(struct loop *l, struct sim_rand *r, const struct sim_path *path);

/* For either end. */
struct span sim_sock_waiting(const struct sim_sock *s); /* arrived, not read */
void sim_sock_consume(struct sim_sock *s, size_t n);
size_t sim_sock_write(struct sim_sock *s, struct span bytes); /* how many were taken */
size_t sim_sock_room(const struct sim_sock *s);
void sim_sock_shutdown(struct sim_sock *s);
enum sim_close { SIM_FIN, SIM_RESET, SIM_SILENT }; /* silent: as a machine that lost its power */
void sim_sock_close(struct sim_sock *s, enum sim_close how);
void sim_sock_fail(struct sim_sock *s, int error); /* as ETIMEDOUT */

void sim_sock_stall(struct sim_sock *s, bool stalled); /* what s sends */
void sim_sock_wake(struct sim_sock *s);		       /* calls back the world's end soon */
bool sim_sock_is_readable(const struct sim_sock *s);
bool sim_sock_is_writable(const struct sim_sock *s);
bool sim_sock_is_hung_up(const struct sim_sock *s); /* over in both directions */

size_t sim_sock_live(void); /* pairs that exist */

#endif
