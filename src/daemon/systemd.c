/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See systemd.h. The protocols are stable and small, and documented to be
 * implemented without libsystemd (sd_notify(3) and sd_listen_fds(3), "Notes").
 */
#include "daemon/systemd.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/listen.h"

/* SD_LISTEN_FDS_START; and far more than anybody hands down. */
#define FIRST_SOCKET 3
#define SOCKETS_MAX 1024

void systemd_notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	size_t n = path ? strlen(path) : 0;
	int fd;

	if (n < 2 || n >= sizeof(addr.sun_path) || (path[0] != '/' && path[0] != '@'))
		return;
	memcpy(addr.sun_path, path, n);
	if (path[0] == '@')
		addr.sun_path[0] = '\0'; /* the abstract name space, unix(7) */
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	(void)!sendto(fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT,
		      (struct sockaddr *)&addr,
		      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
	close(fd);
}

void systemd_ready(size_t n_bridges)
{
	char text[64];

	snprintf(text, sizeof(text), "READY=1\nSTATUS=%zu bridge%s\n", n_bridges,
		 n_bridges == 1 ? "" : "s");
	systemd_notify(text);
}

void systemd_reloading(void)
{
	struct timespec ts;
	char text[96];

	clock_gettime(CLOCK_MONOTONIC, &ts);
	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%lld\n",
		 (long long)ts.tv_sec * 1000000 + ts.tv_nsec / 1000);
	systemd_notify(text);
}

void systemd_stopping(void)
{
	systemd_notify("STOPPING=1\nSTATUS=closing the upstream connections\n");
}

static bool is_positive(const char *text, long long *value)
{
	char *end;

	if (!text)
		return false;
	*value = strtoll(text, &end, 10);
	return end != text && *end == '\0' && *value > 0;
}

int64_t systemd_watchdog(void)
{
	long long usec, pid;

	if (!is_positive(getenv("WATCHDOG_USEC"), &usec))
		return 0;
	if (is_positive(getenv("WATCHDOG_PID"), &pid) && pid != getpid())
		return 0;
	return usec;
}

bool systemd_journal_is_stderr(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char ours[64];
	struct stat st;

	if (!stream || fstat(STDERR_FILENO, &st) < 0)
		return false;
	snprintf(ours, sizeof(ours), "%llu:%llu", (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino);
	return strcmp(stream, ours) == 0;
}

/* How many there are for us: they may be meant for the process we come from. */
static int handed_down(void)
{
	long long pid, n;

	if (!is_positive(getenv("LISTEN_PID"), &pid) || pid != getpid())
		return 0;
	if (!is_positive(getenv("LISTEN_FDS"), &n))
		return 0;
	return n < SOCKETS_MAX ? (int)n : SOCKETS_MAX;
}

void systemd_take_sockets(void)
{
	int n = handed_down();
	mem_auto_str names = mem_strdup(getenv("LISTEN_FDNAMES"));
	char *rest = names;

	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	for (int fd = FIRST_SOCKET; fd < FIRST_SOCKET + n; fd++) {
		const char *name = rest ? strsep(&rest, ":") : NULL;

		if (fcntl(fd, F_GETFD) >= 0)
			listener_inherit(name && *name ? name : "unknown", fd);
	}
}
