/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See command.h. The process is watched through a pidfd, so that SIGCHLD and
 * the children of others are none of our business. Its trap: a killed process
 * may take its time to die, so a cancelled command lives on, without a
 * callback, until it has been reaped.
 */
#include "net/command.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "net/loop.h"

struct command {
	struct loop *loop;
	char *name;
	command_cb cb; /* NULL: reported or cancelled */
	void *arg;
	pid_t pid;	     /* -1 = none, or reaped */
	int process, output; /* descriptors, -1 = none */
	struct watch process_watch, output_watch;
	struct timer timeout;
	struct deferred report; /* a failure of the start; also the end of our memory */
	struct buf text;
	bool has_line; /* in text; what comes behind it is thrown away */
	int status;
	struct error err;
	bool done; /* reported or cancelled: only the process is waited for */
};

static void close_output(struct command *c)
{
	watch_deinit(&c->output_watch);
	if (c->output >= 0)
		close(c->output);
	c->output = -1;
}

static void release(struct command *c)
{
	close_output(c);
	watch_deinit(&c->process_watch);
	if (c->process >= 0)
		close(c->process);
	timer_deinit(&c->timeout);
	deferred_cancel(&c->report);
	if (c->text.len)
		explicit_bzero(c->text.data + c->text.off, c->text.len);
	buf_deinit(&c->text);
	free(c->name);
	free(c);
}

static void kill_group(struct command *c)
{
	if (c->pid > 0)
		kill(-c->pid, SIGKILL);
}

/* From here on nobody hears of it any more; the memory goes when the process is gone. */
static void finish(struct command *c)
{
	c->done = true;
	kill_group(c);
	close_output(c);
	timer_disarm(&c->timeout);
	if (c->pid < 0)
		release(c);
}

static void report(struct command *c, const struct error *err)
{
	struct span line = buf_bytes(&c->text);
	const uint8_t *end = line.n ? memchr(line.p, '\n', line.n) : NULL;

	if (end)
		line.n = (size_t)(end - line.p);
	c->cb(c->arg, err ? span_of(NULL, 0) : line, err);
	finish(c);
}

static void fail(struct command *c, const char *what)
{
	struct error err = ERROR_INIT;

	error_set(&err, ERR_INTERNAL, "command %s: %s", c->name, what);
	report(c, &err);
}

static void judge(struct command *c)
{
	if (c->done || c->pid > 0 || (c->output >= 0 && !c->has_line))
		return;
	if (!WIFEXITED(c->status) || WEXITSTATUS(c->status) != 0)
		fail(c, "ended with an error");
	else if (c->text.len == 0)
		fail(c, "printed nothing");
	else
		report(c, NULL);
}

static void on_output(void *arg, unsigned events)
{
	struct command *c = arg;
	uint8_t *room = buf_reserve(&c->text, 4096);
	ssize_t n = room ? read(c->output, room, 4096) : 0;

	(void)events;
	if (!room) {
		fail(c, "printed a line that is too long");
		return;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		close_output(c);
		judge(c);
	} else if (c->has_line) {
		explicit_bzero(room,
			       (size_t)n); /* read all the same: a closed pipe would kill it */
	} else {
		buf_commit(&c->text, (size_t)n);
		c->has_line = memchr(room, '\n', (size_t)n) != NULL;
	}
}

static void on_exit_of_it(void *arg, unsigned events)
{
	struct command *c = arg;

	(void)events;
	if (waitpid(c->pid, &c->status, WNOHANG) == 0)
		return;
	c->pid = -1;
	watch_set(&c->process_watch, 0);
	if (c->done)
		release(c);
	else
		judge(c);
}

static void on_timeout(void *arg)
{
	fail(arg, "gave no answer in time and was killed");
}

static void on_report(void *arg)
{
	struct command *c = arg;

	report(c, &c->err);
}

static int spawn(struct command *c, char *const argv[], int out)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none, all;
	int rc;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF |
						POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	rc = posix_spawn(&c->pid, argv[0], &actions, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&actions);
	if (rc)
		c->pid = -1;
	return rc;
}

/* 0, or an errno. */
static int begin(struct command *c, char *const argv[])
{
	int fds[2], rc;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return errno;
	c->output = fds[0];
	fcntl(c->output, F_SETFL, O_NONBLOCK);
	rc = spawn(c, argv, fds[1]);
	close(fds[1]);
	if (rc)
		return rc;
	c->process = pidfd_open(c->pid, 0);
	if (c->process < 0) {
		rc = errno;
		kill_group(c);
		waitpid(c->pid, &c->status, 0);
		c->pid = -1;
		return rc;
	}
	watch_init(&c->process_watch, c->loop, c->process, on_exit_of_it, c);
	watch_set(&c->process_watch, WATCH_READ);
	watch_init(&c->output_watch, c->loop, c->output, on_output, c);
	watch_set(&c->output_watch, WATCH_READ);
	return 0;
}

struct command *command_start(struct loop *l, char *const argv[], int64_t timeout, command_cb cb,
			      void *arg)
{
	struct command *c = mem_zalloc(sizeof(*c));
	int rc;

	c->loop = l;
	c->name = mem_strdup(argv[0]);
	c->cb = cb;
	c->arg = arg;
	c->pid = -1;
	c->process = c->output = -1;
	buf_init(&c->text, COMMAND_LINE_MAX);
	timer_init(&c->timeout, l, on_timeout, c);
	deferred_init(&c->report, on_report, c);
	rc = begin(c, argv);
	if (rc) {
		error_set_os(&c->err, ERR_INTERNAL, rc, "command %s", c->name);
		loop_defer(l, &c->report);
	} else {
		timer_arm(&c->timeout, timeout);
	}
	return c;
}

void command_cancel(struct command *c)
{
	if (c)
		finish(c);
}
