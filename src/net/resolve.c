/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Name resolution in worker threads. What threads and loop share is in
 * `struct shared`, which lives until the last of them lets go of it: a thread
 * may be stuck in getaddrinfo long after the resolver is gone. Everything in
 * it, and `result`, `gai`, `os` and `abandoned` of a look-up, belongs to the
 * lock.
 */
#include "net/resolve.h"

#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/loop.h"

#define WORKERS_MAX 4
#define WORKER_IDLE_SECONDS 10
#define WORKER_STACK ((size_t)512 * 1024)

struct shared {
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct list queue, done; /* of struct resolve */
	unsigned workers, idle, refs;
	int wake; /* eventfd, -1 once the resolver is gone */
};

struct resolver {
	struct loop *loop;
	struct shared *shared;
	struct watch watch;
};

struct resolve {
	struct list node;
	struct resolver *resolver;
	resolve_cb cb;
	void *arg;
	char *host;
	char port[8];
	int family;
	struct addrinfo *result;
	int gai, os;
	bool abandoned, running;
	struct deferred at_once; /* for literals */
};

static void resolve_free(struct resolve *q)
{
	if (q->result)
		freeaddrinfo(q->result);
	free(q->host);
	free(q);
}

/* With the lock held, which it gives back. */
static void shared_unref(struct shared *sh)
{
	bool last = --sh->refs == 0;

	pthread_mutex_unlock(&sh->lock);
	if (!last)
		return;
	pthread_cond_destroy(&sh->more);
	pthread_mutex_destroy(&sh->lock);
	free(sh);
}

static int look_up(const struct resolve *q, int flags, struct addrinfo **result)
{
	struct addrinfo hints = {
		.ai_family = q->family,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICSERV | flags,
	};

	return getaddrinfo(q->host, q->port, &hints, result);
}

/* With the lock held; waits for a job, NULL after a while without one. */
static struct resolve *next_job(struct shared *sh)
{
	struct timespec until;
	struct resolve *q;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += WORKER_IDLE_SECONDS;
	while (list_empty(&sh->queue)) {
		int rc;

		sh->idle++;
		rc = pthread_cond_timedwait(&sh->more, &sh->lock, &until);
		sh->idle--;
		if (sh->wake < 0 || (rc == ETIMEDOUT && list_empty(&sh->queue)))
			return NULL;
	}
	q = list_entry(sh->queue.next, struct resolve, node);
	list_remove(&q->node);
	return q;
}

/* With the lock held on both sides of the look-up. */
static void do_job(struct shared *sh, struct resolve *q)
{
	struct addrinfo *result = NULL;
	uint64_t one = 1;
	int gai, os;

	q->running = true;
	pthread_mutex_unlock(&sh->lock);
	gai = look_up(q, 0, &result);
	os = errno;
	pthread_mutex_lock(&sh->lock);
	q->running = false;
	q->result = gai ? NULL : result;
	q->gai = gai;
	q->os = os;
	if (q->abandoned) {
		resolve_free(q);
		return;
	}
	list_append(&sh->done, &q->node);
	while (write(sh->wake, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

static void *worker(void *arg)
{
	struct shared *sh = arg;
	struct resolve *q;

	pthread_mutex_lock(&sh->lock);
	while (sh->wake >= 0 && (q = next_job(sh)))
		do_job(sh, q);
	sh->workers--;
	shared_unref(sh);
	return NULL;
}

/*
 * With the lock held. Without a thread the job waits for one that is busy, or fails if
 * there is none at all.
 */
static bool worker_start(struct shared *sh)
{
	pthread_attr_t attr;
	pthread_t id;
	sigset_t all, old;
	int rc;

	sigfillset(&all);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, WORKER_STACK);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	sh->workers++;
	sh->refs++;
	rc = pthread_create(&id, &attr, worker, sh);
	if (rc) {
		sh->workers--;
		sh->refs--;
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	return sh->workers > 0;
}

static void report(struct resolve *q)
{
	struct error err = ERROR_INIT;
	struct addrinfo *result = q->result;

	q->result = NULL;
	if (!result && q->gai == EAI_SYSTEM)
		error_set_os(&err, ERR_ADDRESS, q->os, "resolve %s", q->host);
	else if (!result)
		error_set(&err, ERR_ADDRESS, "resolve %s: %s", q->host, gai_strerror(q->gai));
	err.stage = STAGE_RESOLVE;
	q->cb(q->arg, result, &err);
	resolve_free(q);
}

static void on_done(void *arg, unsigned events)
{
	struct resolver *r = arg;
	struct shared *sh = r->shared;
	uint64_t count;

	(void)events;
	if (read(sh->wake, &count, sizeof(count)) < 0)
		return;
	pthread_mutex_lock(&sh->lock);
	while (!list_empty(&sh->done)) {
		struct resolve *q = list_entry(sh->done.next, struct resolve, node);

		list_remove(&q->node);
		pthread_mutex_unlock(&sh->lock);
		report(q);
		pthread_mutex_lock(&sh->lock);
	}
	pthread_mutex_unlock(&sh->lock);
}

struct resolver *resolver_new(struct loop *l)
{
	struct resolver *r = mem_zalloc(sizeof(*r));
	struct shared *sh = mem_zalloc(sizeof(*sh));
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_mutex_init(&sh->lock, NULL);
	pthread_cond_init(&sh->more, &attr);
	pthread_condattr_destroy(&attr);
	list_init(&sh->queue);
	list_init(&sh->done);
	sh->refs = 1;
	sh->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	assert(sh->wake >= 0);
	r->loop = l;
	r->shared = sh;
	watch_init(&r->watch, l, sh->wake, on_done, r);
	watch_set(&r->watch, WATCH_READ);
	return r;
}

void resolver_free(struct resolver *r)
{
	struct shared *sh;

	if (!r)
		return;
	sh = r->shared;
	watch_deinit(&r->watch);
	pthread_mutex_lock(&sh->lock);
	close(sh->wake);
	sh->wake = -1;
	pthread_cond_broadcast(&sh->more);
	shared_unref(sh);
	free(r);
}

static void on_at_once(void *arg)
{
	report(arg);
}

struct resolve *resolve_start(struct resolver *r, const struct resolve_query *query, resolve_cb cb,
			      void *arg)
{
	struct resolve *q = mem_zalloc(sizeof(*q));
	struct shared *sh = r->shared;

	list_init(&q->node);
	q->resolver = r;
	q->cb = cb;
	q->arg = arg;
	q->host = mem_strdup(query->host);
	q->family = query->family;
	snprintf(q->port, sizeof(q->port), "%u", (unsigned)query->port);
	deferred_init(&q->at_once, on_at_once, q);
	if (look_up(q, AI_NUMERICHOST, &q->result) == 0) {
		loop_defer(r->loop, &q->at_once);
		return q;
	}
	q->result = NULL;
	pthread_mutex_lock(&sh->lock);
	if (sh->idle == 0 && sh->workers < WORKERS_MAX && !worker_start(sh)) {
		q->gai = EAI_AGAIN;
		loop_defer(r->loop, &q->at_once);
	} else {
		list_append(&sh->queue, &q->node);
		pthread_cond_signal(&sh->more);
	}
	pthread_mutex_unlock(&sh->lock);
	return q;
}

void resolve_cancel(struct resolve *q)
{
	struct shared *sh;

	if (!q)
		return;
	sh = q->resolver->shared;
	deferred_cancel(&q->at_once);
	pthread_mutex_lock(&sh->lock);
	q->abandoned = q->running;
	if (!q->running) {
		list_remove(&q->node);
		resolve_free(q);
	}
	pthread_mutex_unlock(&sh->lock);
}
