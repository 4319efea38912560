/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See fifo_place.h. Whoever may write to the directory may put another thing
 * at a name at any moment. So what is opened is looked at once more, and the
 * places are changed by an exchange, which destroys nothing: if what came out
 * is not what was expected, it goes back.
 */
#include "net/fifo_place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/fifo.h"
#include "net/ids.h"
#include "net/lock_file.h"

static const struct fifo_id nothing;

static bool fail(struct error *err, int os, const char *what, const char *path)
{
	return error_set_os(err, ERR_ENDPOINT, os, "%s %s", what, path);
}

/* Where everybody may rename what is ours, no name is worth anything. */
static bool check_parent(const char *path, struct error *err)
{
	mem_auto_str dir = mem_strdup(path);
	char *slash = strrchr(dir, '/');
	struct stat st;

	if (slash)
		slash[slash == dir] = '\0';
	if (stat(slash ? dir : ".", &st) < 0)
		return fail(err, errno, "look at", dir);
	if ((st.st_mode & S_IWOTH) && !(st.st_mode & S_ISVTX))
		return error_set(err, ERR_ENDPOINT,
				 "%s: everybody may write to the directory, and it is not sticky",
				 path);
	return true;
}

bool fifo_place_init(struct fifo_place *p, const struct fifo_params *params, struct error *err)
{
	*p = (struct fifo_place){ .mode = params->mode, .lock = -1, .was_ours = true };
	if (!ids_user(params->owner, &p->owner, err) || !ids_group(params->group, &p->group, err) ||
	    !check_parent(params->path, err))
		return false;
	p->lock = lock_file_take(params->path, err);
	if (p->lock < 0)
		return false;
	p->path = mem_strdup(params->path);
	p->next = mem_printf("%s.next", params->path);
	return true;
}

void fifo_place_deinit(struct fifo_place *p)
{
	if (p->lock >= 0)
		close(p->lock);
	p->lock = -1;
	free(p->path);
	free(p->next);
	p->path = p->next = NULL;
}

static bool is(const struct fifo_id *id, const struct stat *st)
{
	return id->ino != 0 && id->ino == st->st_ino && id->dev == st->st_dev;
}

static bool stands_at(const char *name, const struct fifo_id *id)
{
	struct stat st;

	return lstat(name, &st) == 0 && is(id, &st);
}

static void remove_if(const char *name, const struct fifo_id *id)
{
	if (id->made && stands_at(name, id))
		unlink(name);
}

/* Of a FIFO that we did not make: may it be ours? */
static bool check_found(const struct fifo_place *p, const struct stat *st, struct error *err)
{
	const char *fault = NULL;

	if (!S_ISFIFO(st->st_mode))
		fault = "is no FIFO";
	else if (st->st_nlink != 1)
		fault = "has a second name (it is a hard link)";
	else if (st->st_uid != geteuid() && st->st_uid != 0 && st->st_uid != p->owner)
		fault = "belongs to another user";
	if (fault)
		return error_set(err, ERR_ENDPOINT, "%s exists and %s: it is left alone", p->path,
				 fault);
	return true;
}

int fifo_place_open(const char *name, const struct fifo_id *id, int flags, struct error *err)
{
	int fd = -1;
	struct stat st;

	/* The first look is for what reacts to being opened, the second one is the check. */
	if (stands_at(name, id)) {
		fd = open(name, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
		if (fd < 0) {
			fail(err, errno, "open", name);
			return -1;
		}
		if (fstat(fd, &st) == 0 && is(id, &st) && S_ISFIFO(st.st_mode))
			return fd;
		close(fd);
	}
	fail(err, ESTALE, "open", name);
	return -1;
}

/* With no rights for anybody while it changes hands. */
static bool set_access(int fd, const struct stat *st, const struct stat *like)
{
	bool stays = (like->st_uid == (uid_t)-1 || like->st_uid == st->st_uid) &&
		     (like->st_gid == (gid_t)-1 || like->st_gid == st->st_gid);

	if (!stays && (fchmod(fd, 0) < 0 || fchown(fd, like->st_uid, like->st_gid) < 0))
		return false;
	return fchmod(fd, like->st_mode & 07777) == 0;
}

/* Of what was just made: is it that still, and as it should be? */
static bool finish(int fd, const struct stat *like, struct fifo_id *id)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISFIFO(st.st_mode) || st.st_uid != geteuid())
		return false;
	*id = (struct fifo_id){ .dev = st.st_dev, .ino = st.st_ino, .made = true };
	return set_access(fd, &st, like);
}

static bool make_at(const char *name, const struct stat *like, struct fifo_id *id,
		    struct error *err)
{
	mode_t old = umask(0177);
	int rc = mkfifo(name, 0600), fd;
	bool done;

	umask(old);
	if (rc < 0)
		return fail(err, errno, "make the FIFO", name);
	fd = open(name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return fail(err, errno, "open", name);
	done = finish(fd, like, id);
	if (!done) {
		fail(err, errno, "set the owner and mode of", name);
		remove_if(name, id);
		*id = nothing;
	}
	close(fd);
	return done;
}

static bool make_front(struct fifo_place *p, struct error *err)
{
	struct stat like = { .st_mode = p->mode, .st_uid = p->owner, .st_gid = p->group };

	if (!p->was_ours)
		return error_set_os(err, ERR_ENDPOINT, ENOENT, "%s", p->path);
	return make_at(p->path, &like, &p->front, err);
}

bool fifo_place_is_entered(const struct fifo_place *p)
{
	return stands_at(p->path, &p->front);
}

bool fifo_place_enter(struct fifo_place *p, struct error *err)
{
	struct stat st;

	if (fifo_place_is_entered(p))
		return true;
	p->front = nothing;
	p->back.made = p->back.ino != 0; /* it stood for what somebody has taken away */
	if (!check_parent(p->path, err))
		return false;
	if (lstat(p->path, &st) < 0)
		return errno == ENOENT ? make_front(p, err) : fail(err, errno, "look at", p->path);
	if (!check_found(p, &st, err))
		return false;
	p->front = (struct fifo_id){ .dev = st.st_dev, .ino = st.st_ino };
	p->was_ours = false;
	return true;
}

/* An ACL says who may read, and the one in the back would not have it. */
static bool has_acl(const char *path)
{
	return lgetxattr(path, "system.posix_acl_access", NULL, 0) > 0;
}

/* What a crash left there; anything else is somebody's. */
static bool clear_next(const struct fifo_place *p)
{
	struct stat st;

	if (lstat(p->next, &st) < 0)
		return errno == ENOENT;
	return S_ISFIFO(st.st_mode) && st.st_uid == geteuid() && st.st_nlink == 1 &&
	       unlink(p->next) == 0;
}

void fifo_place_forget_back(struct fifo_place *p)
{
	if (!p->back.made)
		p->front.made = false;
	p->back.made = true;
	remove_if(p->next, &p->back);
	p->back = nothing;
}

/* Somebody may have changed the mode of what is at the path. */
static bool make_alike(const struct fifo_place *p, const struct stat *is, const struct stat *like)
{
	struct error err;
	bool done;
	int fd;

	if (is->st_mode == like->st_mode && is->st_uid == like->st_uid &&
	    is->st_gid == like->st_gid)
		return true;
	fd = fifo_place_open(p->next, &p->back, O_RDONLY, &err);
	if (fd < 0)
		return false;
	done = set_access(fd, is, like);
	close(fd);
	return done;
}

bool fifo_place_prepare(struct fifo_place *p)
{
	struct error err;
	struct stat like, st;

	if (lstat(p->path, &like) < 0 || !is(&p->front, &like) || has_acl(p->path))
		return false;
	if (lstat(p->next, &st) == 0 && is(&p->back, &st)) {
		if (make_alike(p, &st, &like))
			return true;
		fifo_place_forget_back(p); /* it would be tried, and noticed, for ever */
	}
	p->back = nothing;
	return clear_next(p) && make_at(p->next, &like, &p->back, &err);
}

static bool exchange(const struct fifo_place *p)
{
	return renameat2(AT_FDCWD, p->next, AT_FDCWD, p->path, RENAME_EXCHANGE) == 0;
}

bool fifo_place_swap(struct fifo_place *p)
{
	struct fifo_id front = p->front;

	if (!stands_at(p->next, &p->back) || !fifo_place_is_entered(p) || !exchange(p))
		return false;
	if (!stands_at(p->next, &p->front) || !stands_at(p->path, &p->back)) {
		exchange(p);
		return false;
	}
	p->front = p->back;
	p->back = front;
	return true;
}

void fifo_place_leave(struct fifo_place *p)
{
	if (p->back.ino && !p->back.made)
		fifo_place_swap(p);
	remove_if(p->path, &p->front);
	remove_if(p->next, &p->back);
	p->front = p->back = nothing;
}
