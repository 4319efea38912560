/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See workers.h. Parent and workers share a table of results and the number of
 * the next seed. A seed that takes longer than any could is killed by its own
 * alarm clock. Limits are in processor time: others may use the machine, too.
 */
#include "sim/workers.h"

#include <assert.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "sim/sim_memory.h"
#include "sim/trace.h"
#include "sim/world.h"

#define JOBS_MAX 64
#define SEED_SECONDS 600

struct table {
	atomic_uint_fast64_t next; /* seeds handed out */
	atomic_uint_fast64_t stop;
	atomic_uint_fast64_t spent; /* microseconds of processors, by seeds that are done */
	uint64_t at[JOBS_MAX];	    /* which each is at, counted from 1 */
	struct result results[];
};

static double processor_time(void)
{
	return (double)clock() / CLOCKS_PER_SEC;
}

static void run_one(struct result *r, uint64_t seed, int64_t minutes)
{
	static struct sim s;
	double began = processor_time();
	size_t live = sim_memory_live();
	int64_t lived;

	r->outcome = RUNNING;
	lived = world_run(&s, seed, minutes, false);
	r->hash = s.hash;
	r->hours = (double)s.n_feeds * (double)lived / 3.6e9;
	r->seconds = processor_time() - began;
	if (sim_memory_live() != live) {
		fprintf(stderr, "# seed %llu: %zd blocks of memory are left\n",
			(unsigned long long)seed, (ssize_t)(sim_memory_live() - live));
		exit(TRACE_FAILED);
	}
	r->outcome = PASSED;
}

static void work(struct table *t, const struct work *w, unsigned slot)
{
	struct itimerval most = { .it_value.tv_sec = w->limit ? w->limit : SEED_SECONDS };
	uint64_t i;

	while (!atomic_load(&t->stop) && (i = atomic_fetch_add(&t->next, 1)) < w->n) {
		t->at[slot] = i + 1;
		setitimer(ITIMER_PROF, &most, NULL);
		run_one(&t->results[i], w->from + i, w->minutes);
		atomic_fetch_add(&t->spent, (uint64_t)(t->results[i].seconds * 1e6));
	}
	t->at[slot] = 0;
	exit(0);
}

/* What a worker had in hand when it died is not lost: the next one takes the seed after it. */
static void note_death(struct table *t, const struct work *w, unsigned slot, int status)
{
	uint64_t i = t->at[slot];
	unsigned long long seed = (unsigned long long)(w->from + i - 1);
	char name[40];

	snprintf(name, sizeof(name), "# seed %llu", seed);
	if (i > 0)
		t->results[i - 1].outcome = FAILED;
	if (i == 0)
		fprintf(stderr, "# a worker ended with status %d\n", status);
	else if (WIFSIGNALED(status))
		psignal(WTERMSIG(status), name);
	if (i == 0 && w->n > 0)
		t->results[0].outcome = FAILED;
	fprintf(stderr, "# replay: ./dev sim --seed %llu --minutes %lld -v\n", seed,
		(long long)w->minutes);
	t->at[slot] = 0;
}

static pid_t start(struct table *t, const struct work *w, unsigned slot)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	assert(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		work(t, w, slot);
	}
	return pid;
}

static unsigned slot_of(const pid_t *pids, unsigned jobs, pid_t pid)
{
	for (unsigned i = 0; i < jobs; i++)
		if (pids[i] == pid)
			return i;
	return jobs;
}

static void show_progress(const struct table *t, const struct work *w)
{
	uint64_t next = atomic_load(&((struct table *)(uintptr_t)t)->next);

	if (w->progress)
		fprintf(stderr, "\r%llu of %llu seeds ",
			(unsigned long long)(next < w->n ? next : w->n), (unsigned long long)w->n);
}

static void wait_for_all(struct table *t, const struct work *w, pid_t *pids)
{
	unsigned left = w->jobs, failures = 0, slot;
	struct timespec moment = { .tv_nsec = 100000000 };
	int status;
	pid_t pid;

	while (left > 0) {
		pid = waitpid(-1, &status, WNOHANG);
		show_progress(t, w);
		if (w->limit && atomic_load(&t->spent) >= (uint64_t)w->limit * 1000000)
			atomic_store(&t->stop, 1);
		if (pid <= 0) {
			nanosleep(&moment, NULL);
			continue;
		}
		slot = slot_of(pids, w->jobs, pid);
		left--;
		if (slot == w->jobs || (WIFEXITED(status) && WEXITSTATUS(status) == 0))
			continue;
		note_death(t, w, slot, status);
		if (w->stop_after && ++failures >= w->stop_after)
			atomic_store(&t->stop, 1);
		else if (atomic_load(&t->next) < w->n)
			pids[slot] = start(t, w, slot), left++;
	}
	if (w->progress)
		fputs("\r\033[K", stderr);
}

static void on_abort(int signal)
{
	(void)signal;
	trace_ring(); /* abort(3) ends the process when this returns */
}

const struct result *workers_run(const struct work *w)
{
	size_t size = sizeof(struct table) + w->n * sizeof(struct result);
	struct table *t = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
			       0);
	struct sigaction abort_too = { .sa_handler = on_abort };
	pid_t pids[JOBS_MAX];

	assert(t != MAP_FAILED && w->jobs > 0 && w->jobs <= JOBS_MAX);
	sigaction(SIGABRT, &abort_too, NULL);
	for (unsigned i = 0; i < w->jobs; i++)
		pids[i] = start(t, w, i);
	wait_for_all(t, w, pids);
	return t->results;
}
