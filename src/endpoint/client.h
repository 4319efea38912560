/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One local peer over a connected Unix socket: what it writes becomes
 * messages, what is sent to it waits here while it is slow. Owned by an
 * endpoint.
 *
 *   hearing  gets what is sent
 *   deaf     has closed, or takes nothing more; what it wrote is still read
 *   gone     nothing more in either direction: to be freed
 */
#ifndef WSB_ENDPOINT_CLIENT_H
#define WSB_ENDPOINT_CLIENT_H

#include <sys/types.h>

#include "base/list.h"
#include "endpoint/batch.h"
#include "endpoint/framing.h"
#include "endpoint/outq.h"

#define CLIENT_NAME_SIZE 48

struct client;
struct loop;
struct stream;

enum client_event {
	CLIENT_MESSAGE,	   /* msg, valid during the call */
	CLIENT_BAD_RECORD, /* err */
	CLIENT_CHANGED,	   /* it is deaf or gone now */
};

/*
 * The client must not be freed in the call. MESSAGE and BAD_RECORD come from
 * the loop or from client_resume; CHANGED may come from any call.
 */
typedef void (*client_cb)(void *arg, struct client *c, enum client_event event,
			  const struct msg *msg, const struct error *err);

enum client_state { CLIENT_HEARING, CLIENT_DEAF, CLIENT_GONE };

struct client {
	struct list node; /* the endpoint's */
	client_cb cb;
	void *arg;
	struct loop *loop;
	struct stream *stream;
	int fd; /* the stream's, to look at */
	enum client_state state;
	bool paused, eof;
	bool dropping;	      /* in a run of dropped messages, until the queue has drained */
	bool drop_unreported; /* of which its owner has not heard */
	struct framing_reader reader;
	uint8_t *held; /* read, but not looked at when the pause came */
	size_t held_from, held_to;
	struct outq queue;
	char name[CLIENT_NAME_SIZE]; /* "pid 123 uid 1000" */
	pid_t pid;
	uid_t uid;
	uint64_t dropped, sent, received; /* messages */
};

struct client_params {
	const struct framing *framing;
	const struct endpoint_conf *conf;
	struct endpoint_quota *quota;
	client_cb cb;
	void *arg;
};

/* Takes fd over: connected, non-blocking. Reads from the next turn on. */
struct client *client_new(struct loop *l, int fd, const struct client_params *params);
void client_set_peer(struct client *c, pid_t pid, uid_t uid);
void client_free(struct client *c); /* NULL is fine */

void client_format_name(char out[CLIENT_NAME_SIZE], pid_t pid, uid_t uid);

/*
 * Writes the batch at once as far as it can be, the rest waits; does nothing
 * if the client is not hearing. Returns how many messages were dropped.
 */
uint64_t client_send(struct client *c, const struct batch *b);

/* A message that could not even be encoded, for want of memory. */
void client_note_dropped(struct client *c, uint64_t n);

void client_pause(struct client *c);  /* no MESSAGE and no BAD_RECORD */
void client_resume(struct client *c); /* delivers what was held; may be paused again in it */

/*
 * While it is paused nobody reads from it, so nobody sees it close: this looks.
 * One that has closed takes nothing more; it is gone if it left nothing to read.
 */
void client_check(struct client *c);

#endif
