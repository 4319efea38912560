/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One local peer over a stream: what it writes becomes orders, what is sent to
 * it waits here while it is slow. Owned by an endpoint.
 *
 *   hearing  gets what is sent
 *   closing  gets what waits for it, and nothing else; what it writes is discarded
 *   deaf     has closed, or takes nothing (more); what it wrote is still read
 *   gone     nothing more in either direction: to be freed
 */
#ifndef WSB_ENDPOINT_CLIENT_H
#define WSB_ENDPOINT_CLIENT_H

#include <sys/types.h>

#include "base/list.h"
#include "endpoint/endpoint.h"
#include "endpoint/framing.h"
#include "endpoint/outq.h"

#define CLIENT_NAME_SIZE 48

struct client;
struct loop;
struct stream;

enum client_event {
	CLIENT_ORDER,	   /* order, valid during the call */
	CLIENT_BAD_RECORD, /* err, and order->id if it had one */
	CLIENT_BROKEN,	   /* as BAD_RECORD, but nothing more can be read from it: close it */
	CLIENT_ENDED,	   /* it will write nothing more */
	CLIENT_CHANGED,	   /* state, blocked, or what is to be reported of it has changed */
};

/*
 * The client must not be freed in the call. CHANGED may come from any call,
 * the others from the loop or from client_resume.
 */
typedef void (*client_cb)(void *arg, struct client *c, enum client_event event,
			  const struct order *order, const struct error *err);

enum client_state { CLIENT_HEARING, CLIENT_CLOSING, CLIENT_DEAF, CLIENT_GONE };

/* Why messages for a client were dropped. */
enum client_drop { DROP_SLOW, DROP_BLOCKED, DROP_TOO_BIG, DROP_NO_MEMORY };

struct client {
	struct list node; /* the endpoint's */
	client_cb cb;
	void *arg;
	struct loop *loop;
	struct stream *stream;
	struct stream *(*reopen)(struct loop *l, int fd);
	int fd;
	enum client_state state;
	bool by_record;
	bool unlisted;
	bool paused; /* nothing is read */
	bool alone;  /* and that for its own sake: the endpoint's resuming does not end it */
	bool eof;
	bool discarding; /* what it writes: it may not, or its place is lost */
	bool stalled;	 /* an offer fell short: the stream tells when there is room */
	bool blocked;	 /* its queue is full, until it has fallen below half (overflow: block) */
	bool dropping;	 /* in a run of dropped messages, until the queue has drained */
	bool drop_unreported; /* of which its owner has not heard */
	bool room_unreported; /* `blocked` or `dropping` is over */
	enum client_drop why; /* `dropping` */
	int64_t deadline;     /* of blocked or closing, on the loop's clock; 0 = none */
	size_t max_record;
	const struct endpoint_rules *rules;
	struct framing_reader reader;
	uint8_t *held; /* read, but not looked at when the pause came */
	size_t held_from, held_to;
	struct outq queue;
	client_id id;
	char *name; /* "pid 123 uid 1000" */
	pid_t pid;
	uid_t uid;
	uint64_t dropped, sent, received; /* messages */
	uint64_t lost; /* messages that still waited when writing failed; only without `reopen` */
};

/* Where a client came from. */
struct client_peer {
	struct stream *stream; /* not attached; the client's from now on */
	/* A second stream over a duplicate of fd, to read what was left when writing has failed.
	 * NULL = there is no such thing. */
	struct stream *(*reopen)(struct loop *l, int fd);
	int fd;		  /* the stream's, if it is a socket that may be looked at; else -1 */
	const char *name; /* copied */
	pid_t pid;	  /* 0 = unknown */
	uid_t uid;	  /* (uid_t)-1 = unknown */
	bool deaf;	  /* nothing can be written to it */
	bool unlisted;	  /* not one of the clients that come and leave and are counted */
	/* Each element of an offer is one record, or what is left of one that has begun. */
	bool by_record;
	size_t max_record; /* a longer one cannot be written to it; 0 = no limit */
};

struct client_params {
	const struct client_peer *peer;
	const struct framing *framing;
	const struct endpoint_rules *rules;
	struct endpoint_quota *quota; /* gives it its id */
	client_cb cb;
	void *arg;
};

/* Reads from the next turn on. */
struct client *client_new(struct loop *l, const struct client_params *params);
void client_free(struct client *c); /* NULL is fine */

void client_format_name(char out[CLIENT_NAME_SIZE], pid_t pid, uid_t uid);

/*
 * Writes these records at once as far as it can be, the rest waits; does
 * nothing if the client is not hearing. Returns how many messages were
 * dropped.
 */
uint64_t client_send(struct client *c, const struct chunk_range *runs, size_t n);

/* A message that does not come to it. Counted: one it could not be given for want of memory. */
void client_lose(struct client *c, uint64_t seq, bool counted);

void client_pause(struct client *c);  /* no ORDER and no BAD_RECORD */
void client_resume(struct client *c); /* delivers what was held; may be paused again in it */

/* It gets what waits for it, until `deadline`, and is gone then. */
void client_close(struct client *c, int64_t deadline);

/* It is gone at once. Returns how many messages that waited for it are lost by that. */
uint64_t client_cut(struct client *c);

/*
 * While it is paused nobody reads from it, so nobody sees it close: this looks.
 * One that has closed takes nothing more; it is gone if it left nothing to read.
 */
void client_check(struct client *c);

static inline bool client_is_slow(const struct client *c)
{
	return c->blocked || c->dropping;
}

#endif
