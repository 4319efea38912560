/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A listening Unix socket. The lock file PATH.lock decides who may touch the
 * name; it is never removed, for then two could hold it. The socket is bound
 * under a temporary name and renamed when it is ready, so the name never
 * stands for a socket that refuses or whose mode is too wide. Accepting pauses
 * when descriptors run out: a level-triggered listener would spin.
 */
#include "net/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/loop.h"

#define BACKLOG 128
#define ACCEPTS_PER_TURN 32
#define PAUSE_MIN 100000
#define PAUSE_MAX 1000000

struct listener {
	struct loop *loop;
	char *path;
	int fd, lock;
	dev_t dev; /* of the socket we made */
	ino_t ino;
	struct watch watch;
	struct timer pause;
	int64_t pause_for;
	listener_cb cb;
	void *arg;
};

static bool fail(struct error *err, int os, const char *what, const char *path)
{
	return error_set_os(err, ERR_ENDPOINT, os, "%s %s", what, path);
}

static bool take_lock(struct listener *ln, struct error *err)
{
	mem_auto_str name = mem_printf("%s.lock", ln->path);

	ln->lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (ln->lock < 0)
		return fail(err, errno, "open", name);
	if (flock(ln->lock, LOCK_EX | LOCK_NB) < 0) {
		error_set(err, ERR_ENDPOINT, "%s is served by another process, which holds %s",
			  ln->path, name);
		err->os = EADDRINUSE;
		return false;
	}
	return true;
}

/* Does somebody answer there? A full backlog (EAGAIN) is somebody, too. */
static bool is_served(const struct sockaddr_un *addr)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool served = fd >= 0 && (connect(fd, (const struct sockaddr *)addr, sizeof(*addr)) == 0 ||
				  errno != ECONNREFUSED);

	if (fd >= 0)
		close(fd);
	return served;
}

/* Nothing, or a socket: what else stands there is somebody's. */
static bool is_free(const char *name, bool *exists, struct error *err)
{
	struct stat st;

	*exists = lstat(name, &st) == 0;
	if (!*exists)
		return errno == ENOENT ? true : fail(err, errno, "look at", name);
	if (S_ISSOCK(st.st_mode))
		return true;
	return error_set(err, ERR_ENDPOINT, "%s exists and is no socket: it is left alone", name);
}

/* Only under the lock. */
static bool check_place(struct listener *ln, const struct sockaddr_un *addr, struct error *err)
{
	bool exists;

	if (!is_free(ln->path, &exists, err))
		return false;
	if (exists && is_served(addr)) {
		error_set(err, ERR_ENDPOINT, "%s is served by another process", ln->path);
		err->os = EADDRINUSE;
		return false;
	}
	return true;
}

static bool bind_as(struct listener *ln, const char *name, mode_t mode, struct error *err)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	bool exists;
	mode_t old;
	int rc;

	memcpy(addr.sun_path, name, strlen(name) + 1);
	ln->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (ln->fd < 0)
		return fail(err, errno, "socket for", ln->path);
	if (!is_free(name, &exists, err))
		return false;
	if (exists && unlink(name) < 0)
		return fail(err, errno, "remove", name);
	old = umask(0177);
	rc = bind(ln->fd, (struct sockaddr *)&addr, sizeof(addr));
	umask(old);
	if (rc < 0)
		return fail(err, errno, "bind", name);
	if (listen(ln->fd, BACKLOG) == 0 && chmod(name, mode) == 0)
		return true;
	fail(err, errno, "listen on", name);
	unlink(name);
	return false;
}

static bool make_socket(struct listener *ln, mode_t mode, struct error *err)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	char temp[sizeof(addr.sun_path)];
	struct stat st;
	bool exists;
	int n = snprintf(temp, sizeof(temp), "%s.new", ln->path);

	if (n < 0 || (size_t)n >= sizeof(temp))
		return error_set(err, ERR_ENDPOINT, "%s is too long for a Unix socket", ln->path);
	memcpy(addr.sun_path, ln->path, strlen(ln->path) + 1);
	if (!is_free(ln->path, &exists, err)) /* before a lock file is left beside it */
		return false;
	if (!take_lock(ln, err) || !check_place(ln, &addr, err) || !bind_as(ln, temp, mode, err))
		return false;
	if (stat(temp, &st) < 0 || rename(temp, ln->path) < 0) {
		fail(err, errno, "put in place", ln->path);
		unlink(temp);
		return false;
	}
	ln->dev = st.st_dev;
	ln->ino = st.st_ino;
	return true;
}

static void on_pause_over(void *arg)
{
	struct listener *ln = arg;

	watch_set(&ln->watch, WATCH_READ);
}

static void pause_accepting(struct listener *ln)
{
	ln->pause_for = ln->pause_for ? ln->pause_for * 2 : PAUSE_MIN;
	if (ln->pause_for > PAUSE_MAX)
		ln->pause_for = PAUSE_MAX;
	watch_set(&ln->watch, 0);
	timer_arm(&ln->pause, ln->pause_for);
}

static void accept_one(struct listener *ln, int fd)
{
	struct ucred cred = { 0 };
	socklen_t len = sizeof(cred);
	struct peer_cred peer;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0) {
		close(fd);
		return;
	}
	peer = (struct peer_cred){ .pid = cred.pid, .uid = cred.uid, .gid = cred.gid };
	ln->cb(ln->arg, fd, &peer);
}

static void on_ready(void *arg, unsigned events)
{
	struct listener *ln = arg;

	(void)events;
	for (int i = 0; i < ACCEPTS_PER_TURN && ln->fd >= 0; i++) {
		int fd = accept4(ln->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd < 0 &&
		    (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS))
			pause_accepting(ln);
		if (fd < 0)
			return;
		ln->pause_for = 0;
		accept_one(ln, fd);
	}
}

struct listener *listener_new(struct loop *l, const char *path, mode_t mode, struct error *err)
{
	struct listener *ln = mem_zalloc(sizeof(*ln));

	ln->loop = l;
	ln->path = mem_strdup(path);
	ln->fd = ln->lock = -1;
	timer_init(&ln->pause, l, on_pause_over, ln);
	if (!make_socket(ln, mode, err)) {
		listener_free(ln);
		return NULL;
	}
	watch_init(&ln->watch, l, ln->fd, on_ready, ln);
	return ln;
}

void listener_start(struct listener *ln, listener_cb cb, void *arg)
{
	ln->cb = cb;
	ln->arg = arg;
	watch_set(&ln->watch, WATCH_READ);
}

/* The name goes only if it still is the socket we made: somebody may have put another there. */
static void remove_name(struct listener *ln)
{
	struct stat st;

	if (ln->ino && lstat(ln->path, &st) == 0 && st.st_dev == ln->dev && st.st_ino == ln->ino)
		unlink(ln->path);
	ln->ino = 0;
}

void listener_stop(struct listener *ln)
{
	timer_disarm(&ln->pause);
	watch_deinit(&ln->watch);
	remove_name(ln);
	if (ln->fd >= 0)
		close(ln->fd);
	ln->fd = -1;
}

void listener_free(struct listener *ln)
{
	if (!ln)
		return;
	listener_stop(ln);
	timer_deinit(&ln->pause);
	if (ln->lock >= 0)
		close(ln->lock);
	free(ln->path);
	free(ln);
}
