/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See sim_fd.h. An error is told once, by recv or send, as the kernel does it; after that a
 * dead connection is at its end.
 */
#include "sim/sim_fd.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "sim/sim_loop_int.h"
#include "sim/sim_wrap.h"

#define FDS_MAX 4096

static struct sim_sock *table[FDS_MAX];
static size_t socks[SIM_TAGS];

int sim_fd_new(struct sim_sock *s)
{
	int i = 0;

	while (table[i])
		i++;
	assert(i < FDS_MAX - 1);
	table[i] = s;
	if (s->refs++ == 0)
		socks[s->tag]++;
	return SIM_FD_BASE + i;
}

struct sim_sock *sim_fd_sock(int fd)
{
	if (fd < SIM_FD_BASE || fd >= SIM_FD_BASE + FDS_MAX)
		return NULL;
	assert(table[fd - SIM_FD_BASE]); /* EBADF: closed before, or never opened */
	return table[fd - SIM_FD_BASE];
}

size_t sim_fd_live(void)
{
	size_t n = 0;

	for (size_t i = 0; i < FDS_MAX; i++)
		n += table[i] != NULL;
	return n;
}

size_t sim_fd_socks(unsigned tag)
{
	return socks[tag];
}

static int fail_with(int error)
{
	errno = error;
	return -1;
}

static int take_error(struct sim_sock *s)
{
	int error = s->error;

	s->error = 0;
	return fail_with(error);
}

static bool is_over(const struct sim_sock *s)
{
	return s->eof || s->dead;
}

ssize_t __wrap_recv(int fd, void *out, size_t size, int flags)
{
	struct sim_sock *s = sim_fd_sock(fd);
	struct span in;
	size_t n;

	if (!s)
		return __real_recv(fd, out, size, flags);
	in = sim_sock_waiting(s);
	if (in.n == 0 && s->error)
		return take_error(s);
	if (in.n == 0)
		return is_over(s) ? 0 : fail_with(EAGAIN);
	n = in.n < size ? in.n : size;
	if (n > 1 && sim_chance(s->rand, 20))
		n = 1 + sim_below(s->rand, n);
	memcpy(out, in.p, n);
	if (!(flags & MSG_PEEK))
		sim_sock_consume(s, n);
	return (ssize_t)n;
}

ssize_t __wrap_read(int fd, void *out, size_t size)
{
	return sim_fd_sock(fd) ? __wrap_recv(fd, out, size, 0) : __real_read(fd, out, size);
}

ssize_t __wrap___recv_chk(int fd, void *out, size_t size, size_t room, int flags)
{
	assert(size <= room);
	return __wrap_recv(fd, out, size, flags);
}

ssize_t __wrap___read_chk(int fd, void *out, size_t size, size_t room)
{
	assert(size <= room);
	return __wrap_read(fd, out, size);
}

ssize_t __wrap_sendmsg(int fd, const struct msghdr *mh, int flags)
{
	struct sim_sock *s = sim_fd_sock(fd);
	size_t all = 0, n;

	if (!s)
		return __real_sendmsg(fd, mh, flags);
	assert(flags & MSG_NOSIGNAL);
	if (s->error)
		return take_error(s);
	if (s->dead || s->peer_gone || s->fin)
		return fail_with(EPIPE);
	for (size_t i = 0; i < mh->msg_iovlen; i++) {
		struct span bytes = span_of(mh->msg_iov[i].iov_base, mh->msg_iov[i].iov_len);

		n = sim_sock_write(s, bytes);
		all += n;
		if (n < bytes.n)
			break;
	}
	return all ? (ssize_t)all : fail_with(EAGAIN);
}

int __wrap_shutdown(int fd, int how)
{
	struct sim_sock *s = sim_fd_sock(fd);

	if (!s)
		return __real_shutdown(fd, how);
	if (how != SHUT_RD)
		sim_sock_shutdown(s);
	return 0;
}

int __wrap_close(int fd)
{
	struct sim_sock *s = sim_fd_sock(fd);

	if (!s)
		return __real_close(fd);
	assert(list_empty(&s->watchers) || s->refs > 1); /* a watch goes before its descriptor */
	table[fd - SIM_FD_BASE] = NULL;
	if (--s->refs > 0)
		return 0;
	socks[s->tag]--;
	sim_sock_close(s, SIM_FIN);
	return 0;
}

int __wrap_fcntl(int fd, int command, ...)
{
	struct sim_sock *s = sim_fd_sock(fd);
	va_list ap;
	long arg;

	va_start(ap, command);
	arg = va_arg(ap, long);
	va_end(ap);
	if (!s)
		return __real_fcntl(fd, command, arg);
	if (command == F_DUPFD_CLOEXEC || command == F_DUPFD)
		return sim_fd_new(s);
	return 0;
}

static short events_of(const struct sim_sock *s, short wanted)
{
	int events = 0;

	if (sim_sock_is_readable(s))
		events |= POLLIN;
	if (sim_sock_is_writable(s))
		events |= POLLOUT;
	if (s->eof)
		events |= POLLRDHUP;
	events &= wanted;
	if (sim_sock_is_hung_up(s))
		events |= POLLHUP;
	if (s->error)
		events |= POLLERR;
	return (short)events;
}

int __wrap_poll(struct pollfd *fds, nfds_t n, int timeout)
{
	int ready = 0;

	if (n == 0 || !sim_fd_sock(fds[0].fd))
		return __real_poll(fds, n, timeout);
	assert(timeout == 0); /* the loop waits, nobody else */
	for (nfds_t i = 0; i < n; i++) {
		fds[i].revents = events_of(sim_fd_sock(fds[i].fd), fds[i].events);
		ready += fds[i].revents != 0;
	}
	return ready;
}

int __wrap___poll_chk(struct pollfd *fds, nfds_t n, int timeout, size_t room)
{
	assert(n * sizeof(*fds) <= room);
	return __wrap_poll(fds, n, timeout);
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	struct sim_sock *s = sim_fd_sock(fd);
	va_list ap;
	int *out;

	va_start(ap, request);
	out = va_arg(ap, int *);
	va_end(ap);
	if (!s)
		return __real_ioctl(fd, request, out);
	if (request != SIOCOUTQ)
		return fail_with(EINVAL);
	*out = (int)s->out.len + (s->fin && !s->fin_arrived);
	return 0;
}

int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t n)
{
	return sim_fd_sock(fd) ? 0 : __real_setsockopt(fd, level, name, value, n);
}

int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *n)
{
	struct sim_sock *s = sim_fd_sock(fd);

	if (!s)
		return __real_getsockopt(fd, level, name, value, n);
	assert(level == SOL_SOCKET && name == SO_PROTOCOL);
	*(int *)value = s->path.local ? 0 : IPPROTO_TCP;
	return 0;
}

time_t __wrap_time(time_t *out)
{
	struct timespec ts;

	__wrap_clock_gettime(CLOCK_REALTIME, &ts);
	if (out)
		*out = ts.tv_sec;
	return ts.tv_sec;
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *ts)
{
	struct loop *l = sim_loop_current();
	int64_t now;

	if (!l)
		return __real_clock_gettime(clock, ts);
	now = loop_now(l);
	if (clock == CLOCK_REALTIME)
		now += SIM_WALL_BEGIN * 1000000 - SIM_BEGIN;
	ts->tv_sec = (time_t)(now / 1000000);
	ts->tv_nsec = (long)(now % 1000000) * 1000;
	return 0;
}
