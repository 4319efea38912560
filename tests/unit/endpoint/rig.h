/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An endpoint on a real socket in a directory of its own, with the real loop,
 * and its peers in the same process. The loop runs until a condition holds.
 */
#ifndef WSB_UNIT_ENDPOINT_RIG_H
#define WSB_UNIT_ENDPOINT_RIG_H

#include "endpoint/endpoint.h"
#include "net/loop.h"

#define RIG_PEERS 40

struct peer {
	int fd;
	bool stalled; /* reads nothing */
	bool eof;
	bool reset; /* and that not as it should be */
	char *got;
	size_t n, size;
	size_t most; /* bytes in one go; 0 = as many as there are */
};

struct rig {
	struct loop *loop;
	struct endpoint *e;
	struct endpoint_quota quota;
	struct endpoint_conf conf;
	struct endpoint_rules rules; /* of conf */
	struct bridge_conf owner;
	struct common_conf common; /* of owner */
	char dir[32], path[64];
	struct peer peers[RIG_PEERS];
	size_t n_peers;
	/* what the endpoint has reported */
	char *messages; /* "text|text|" */
	size_t messages_n, messages_size;
	unsigned n_messages, n_bad, n_came, n_left, n_ended, n_refused, n_dropped, n_room, n_broken;
	struct error last_error;
	char last_name[64];
	char last_id[32]; /* of an order or a bad record */
	client_id last_client;
	const char *greeting; /* sent when a client comes or goes */
	bool answers;	   /* tells a client what was wrong with what it wrote, if that has an id */
	unsigned pause_at; /* pauses the endpoint in this message, counted from 1 */
	unsigned close_at; /* closes the client in this message, counted from 1 */
	bool pause_client; /* pause_at is for the client alone */
	bool resumes;	   /* the endpoint, when a client goes */
	size_t most_queued;
	uint64_t seq; /* of the message that was sent last */
	/* of the wait that is going on */
	struct timer tick;
	int64_t deadline;
	bool (*condition)(struct rig *r);
	size_t want; /* for the condition */
};

/* conf, rules and quota may be changed between these two. */
void rig_init(struct rig *r);
void rig_open(struct rig *r);
void rig_close(struct rig *r); /* also checks that nothing is left over */

struct peer *rig_connect(struct rig *r);	       /* connected; accepted in the next turn */
struct peer *rig_connect_all(struct rig *r, size_t n); /* and accepted; the first of n */
struct endpoint_client rig_client(struct rig *r, size_t i); /* the one that came i-th, from 0 */
void peer_write(struct peer *p, const char *text);
void peer_close(struct peer *p);

void rig_wait(struct rig *r, bool (*condition)(struct rig *r)); /* fails after 10 seconds */
void rig_turns(struct rig *r); /* a few turns, in which what is ready is done */
void rig_some_turns(struct rig *r, size_t n);
bool rig_has_messages(struct rig *r); /* `want` of them, bad ones too */
bool rig_has_clients(struct rig *r);  /* `want` of them */
bool rig_all_got(struct rig *r);      /* `want` bytes, all peers that read */
bool rig_is_drained(struct rig *r);   /* nothing waits for clients */

/* The next message, by its number. */
struct record rig_record(struct rig *r, const char *text);
enum endpoint_outcome rig_send(struct rig *r, const char *text);
enum endpoint_outcome rig_send_to(struct rig *r, client_id client, const char *text);
int rig_open_descriptors(void);

#endif
