/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One simulated world: the process's loop and dialer, the servers, and for
 * each bridge a feed, which is what the world knows of it: where it goes, what
 * has been sent, what its judges remember. Made from a seed, and nothing else.
 */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "conf/main_conf.h"
#include "link/link.h"
#include "sim/inbox.h"
#include "sim/pace.h"
#include "sim/sim_dial.h"
#include "sim/subject.h"

struct conn;
struct registry;
struct server;
struct visits;

#define FEEDS_MAX 64
#define SECOND ((int64_t)1000000)

/* What a server does after the handshake before it says anything else. */
enum dialogue { DIALOGUE_NONE, DIALOGUE_HELLO, DIALOGUE_CHALLENGE, DIALOGUE_N };

struct feed {
	struct sim *sim;
	unsigned index; /* its tag is index + 1 */
	char name[8], host[32];
	struct server *server;
	json_t *json;			/* its configuration, as text has it */
	const struct bridge_conf *conf; /* in force */
	enum dialogue dialogue;
	struct {
		int64_t every_min, every_max; /* between two messages of the server */
		size_t size_max;
		unsigned binary, split, big; /* percent */
	} talk;
	uint64_t serial;   /* connections upgraded so far */
	struct conn *conn; /* the latest one; NULL = it is over */
	bool wanted;	   /* told to run */
	bool fresh;	   /* planned anew just now */
	bool changed;	   /* at some time */
	bool dirty;	   /* something happened: look at it after this step */
	int64_t excused;   /* an operator acted then: pace and ends are not judged by the rules */
	struct pace pace;
	struct {
		enum link_state state;
		int64_t since, opened; /* 0 = is not open */
		uint64_t epoch;
	} seen;
	struct {
		int status;	     /* of the last refusal, 0 = none since */
		int64_t retry_after; /* -1 = it does not say */
		int64_t date;	     /* it names this time instead; 0 = it does not */
	} refusal;
	struct {
		int64_t open, close; /* timeouts of the configuration the session began with */
	} begun;
	int close_code; /* the server sent, in the latest connection; 0 = none */
	int fault_code; /* that its violation asks for; 0 = there was none */
	struct inbox inbox;
	struct {
		size_t used;
		bool open;
	} outbox; /* as it was last seen */
	struct {
		int64_t since;
		bool wanted;
	} demand;	 /* local clients are there, or not, since then */
	int64_t lost_at; /* its server has forgotten the connection, and it was told to look */
	struct visits *visits; /* its local clients; NULL: it is a link alone */
	int64_t excuse_at;     /* silence was last to be expected then */
	struct subject subject;
};

struct sim {
	uint64_t seed;
	bool verbose;
	bool links_alone;			       /* no bridges, no local clients */
	struct sim_rand plan, chance, net, code, load; /* streams of the seed */
	struct loop *loop;
	struct dialer *dialer;
	struct sim_net hooks;
	struct main_conf *conf;
	int64_t queues;		   /* limits.queues */
	struct registry *registry; /* NULL: links alone */
	struct server *servers;
	size_t n_servers;
	struct feed feeds[FEEDS_MAX];
	size_t n_feeds;
	struct sim_event trouble;
	struct timer operator_timer;
	struct feed *hasty;    /* what the operator acts on next; NULL = on whatever comes */
	int64_t stalled_until; /* the process, last */
	bool calm;	       /* the end: nothing goes wrong any more */
	int64_t calm_since;
	int64_t dial_window[2], limits_at; /* limits were last set then */
	uint64_t hash, steps, turns, dials, messages, records;
};

/* The whole life of a world, and how long it was; a breach ends the process (trace_fail). */
int64_t world_run(struct sim *s, uint64_t seed, int64_t minutes, bool verbose);

static inline int64_t world_now(const struct sim *s)
{
	return loop_now(s->loop);
}

#endif
