/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Listening sockets that we make ourselves: at a path, or under an abstract
 * name. At a path the lock file decides who may touch the name, and the socket
 * is bound under a temporary name and renamed when it is ready, so the name
 * never stands for a socket that refuses or whose mode is too wide. An
 * abstract name is nobody's file: the kernel gives it to one, and takes it
 * back with the socket.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/ids.h"
#include "net/listen_int.h"
#include "net/lock_file.h"

static bool fail(struct error *err, int os, const char *what, const char *path)
{
	return error_set_os(err, ERR_ENDPOINT, os, "%s %s", what, path);
}

static bool is_taken(struct error *err, const char *path)
{
	error_set(err, ERR_ENDPOINT, "%s is served by another process", path);
	err->os = EADDRINUSE;
	return false;
}

bool listen_address(const char *path, struct sockaddr_un *addr, socklen_t *len, struct error *err)
{
	size_t n = strlen(path);

	*addr = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (n >= sizeof(addr->sun_path))
		return error_set(err, ERR_ENDPOINT, "%s is too long for a Unix socket", path);
	memcpy(addr->sun_path, path, n);
	*len = sizeof(*addr);
	if (path[0] != '@')
		return true;
	addr->sun_path[0] = '\0'; /* unix(7): the length says where an abstract name ends */
	*len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
	return true;
}

static bool open_socket(struct listener *ln, struct error *err)
{
	ln->fd = socket(AF_UNIX, ln->type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return ln->fd >= 0 ? true : fail(err, errno, "socket for", ln->path);
}

bool listen_abstract(struct listener *ln, struct error *err)
{
	struct sockaddr_un addr;
	socklen_t len;

	if (!listen_address(ln->path, &addr, &len, err) || !open_socket(ln, err))
		return false;
	if (bind(ln->fd, (struct sockaddr *)&addr, len) < 0)
		return errno == EADDRINUSE ? is_taken(err, ln->path) :
					     fail(err, errno, "bind", ln->path);
	return listen(ln->fd, LISTEN_BACKLOG) == 0 ? true : fail(err, errno, "listen on", ln->path);
}

/* Does somebody answer there? A full backlog (EAGAIN) is somebody, too. */
static bool is_served(const struct sockaddr_un *addr, int type)
{
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
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
static bool check_place(struct listener *ln, struct error *err)
{
	struct sockaddr_un addr;
	socklen_t len;
	bool exists;

	if (!is_free(ln->path, &exists, err) || !listen_address(ln->path, &addr, &len, err))
		return false;
	return exists && is_served(&addr, ln->type) ? is_taken(err, ln->path) : true;
}

/* A file's owner and mode, in an order in which it is open to nobody it is not meant for. */
static bool set_access(const char *name, const struct listener_params *params, struct error *err)
{
	uid_t owner;
	gid_t group;

	if (!ids_user(params->owner, &owner, err) || !ids_group(params->group, &group, err))
		return false;
	if ((params->owner || params->group) && lchown(name, owner, group) < 0)
		return fail(err, errno, "change the owner of", name);
	return chmod(name, params->mode) == 0 ? true : fail(err, errno, "set the mode of", name);
}

/* Leaves no name behind if it fails. */
static bool bind_as(struct listener *ln, const char *name, const struct listener_params *params,
		    struct error *err)
{
	struct sockaddr_un addr;
	socklen_t len;
	bool exists;
	mode_t old;
	int rc;

	if (!listen_address(name, &addr, &len, err) || !open_socket(ln, err) ||
	    !is_free(name, &exists, err))
		return false;
	if (exists && unlink(name) < 0)
		return fail(err, errno, "remove", name);
	old = umask(0177 | (~params->mode & 0777));
	rc = bind(ln->fd, (struct sockaddr *)&addr, len);
	umask(old);
	if (rc < 0)
		return fail(err, errno, "bind", name);
	if (listen(ln->fd, LISTEN_BACKLOG) < 0)
		fail(err, errno, "listen on", name);
	else if (set_access(name, params, err))
		return true;
	unlink(name);
	return false;
}

bool listen_at_path(struct listener *ln, const struct listener_params *params, struct error *err)
{
	mem_auto_str temp = mem_printf("%s.new", ln->path);
	struct stat st;
	bool exists;

	if (strlen(temp) >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return error_set(err, ERR_ENDPOINT, "%s is too long for a Unix socket", ln->path);
	if (!is_free(ln->path, &exists, err)) /* before a lock file is left beside it */
		return false;
	ln->lock = lock_file_take(ln->path, err);
	if (ln->lock < 0 || !check_place(ln, err) || !bind_as(ln, temp, params, err))
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

/* The name goes only if it still is the socket we made: somebody may have put another there. */
void listen_remove_name(struct listener *ln)
{
	struct stat st;

	if (ln->ino && lstat(ln->path, &st) == 0 && st.st_dev == ln->dev && st.st_ino == ln->ino)
		unlink(ln->path);
	ln->ino = 0;
}
