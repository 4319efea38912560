/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A TCP listener over a watch. It serves one address, the first that can be
 * bound. Owned by the tool that runs. The trap is the one of every listener:
 * out of descriptors, a level-triggered watch would spin, so it pauses.
 */
#include "tool/tcp_listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/escape.h"
#include "base/mem.h"
#include "net/loop.h"

#define BACKLOG 128
#define ACCEPTS_PER_TURN 32
#define PAUSE INT64_C(250000)
#define SHOWN 120

struct tcp_listener {
	struct watch watch;
	struct timer pause; /* out of descriptors */
	int fd;
	bool started;
	tcp_listener_cb cb;
	void *arg;
};

static bool is_port(const char *text)
{
	size_t n = strspn(text, "0123456789");

	return n > 0 && n < 6 && text[n] == '\0' && strtol(text, NULL, 10) <= UINT16_MAX;
}

bool tcp_address_parse(const char *address, char **host, char **port, struct error *err)
{
	const char *colon = strrchr(address, ':');
	size_t n = colon ? (size_t)(colon - address) : 0;
	char shown[SHOWN];

	escape_text(shown, sizeof(shown), span_str(address));
	if (!is_port(colon ? colon + 1 : address))
		return error_set(err, ERR_INVALID_OPTION,
				 "\"%s\": expected ADDRESS:PORT with a port of 0 to 65535", shown);
	if (colon && n == 0)
		return error_set(err, ERR_INVALID_OPTION,
				 "\"%s\": the address is missing (all of them: 0.0.0.0 or [::])",
				 shown);
	if (n >= 2 && address[0] == '[' && address[n - 1] == ']') {
		address++;
		n -= 2;
	} else if (memchr(address, ':', n)) {
		return error_set(err, ERR_INVALID_OPTION,
				 "\"%s\": put an IPv6 address in brackets: [::1]:9001", shown);
	}
	*host = colon ? mem_strndup(address, n) : mem_strdup("127.0.0.1");
	*port = mem_strdup(colon ? colon + 1 : address);
	return true;
}

static int bind_one(const struct addrinfo *ai)
{
	int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
	int on = 1, os;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	os = errno;
	close(fd);
	errno = os;
	return -1;
}

static int bind_address(const char *address, struct error *err)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV };
	struct addrinfo *list = NULL;
	mem_auto_str host = NULL;
	mem_auto_str port = NULL;
	int fd = -1, rc;

	if (!tcp_address_parse(address, &host, &port, err))
		return -1;
	rc = getaddrinfo(host, port, &hints, &list);
	if (rc != 0) {
		error_set(err, ERR_ENDPOINT, "listen on %s: %s", address, gai_strerror(rc));
		return -1;
	}
	for (const struct addrinfo *ai = list; ai && fd < 0; ai = ai->ai_next)
		fd = bind_one(ai);
	if (fd < 0)
		error_set_os(err, ERR_ENDPOINT, errno, "listen on %s", address);
	freeaddrinfo(list);
	return fd;
}

static void on_pause_over(void *arg)
{
	struct tcp_listener *ln = arg;

	if (ln->started)
		watch_set(&ln->watch, WATCH_READ);
}

static void on_ready(void *arg, unsigned events)
{
	struct tcp_listener *ln = arg;
	int on = 1;

	(void)events;
	for (int i = 0; i < ACCEPTS_PER_TURN && ln->started; i++) {
		int fd = accept4(ln->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0 &&
		    (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)) {
			watch_set(&ln->watch, 0);
			timer_arm(&ln->pause, PAUSE);
		}
		if (fd < 0)
			return;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		ln->cb(ln->arg, fd);
	}
}

struct tcp_listener *tcp_listener_new(struct loop *l, const char *address, struct error *err)
{
	struct tcp_listener *ln;
	int fd = bind_address(address, err);

	if (fd < 0)
		return NULL;
	ln = mem_zalloc(sizeof(*ln));
	ln->fd = fd;
	watch_init(&ln->watch, l, fd, on_ready, ln);
	timer_init(&ln->pause, l, on_pause_over, ln);
	return ln;
}

void tcp_listener_start(struct tcp_listener *ln, tcp_listener_cb cb, void *arg)
{
	ln->cb = cb;
	ln->arg = arg;
	ln->started = true;
	watch_set(&ln->watch, WATCH_READ);
}

void tcp_listener_pause(struct tcp_listener *ln)
{
	ln->started = false;
	watch_set(&ln->watch, 0);
}

void tcp_listener_free(struct tcp_listener *ln)
{
	if (!ln)
		return;
	timer_deinit(&ln->pause);
	watch_deinit(&ln->watch);
	close(ln->fd);
	free(ln);
}

char *tcp_listener_address(const struct tcp_listener *ln)
{
	struct sockaddr_storage addr = { 0 };
	socklen_t len = sizeof(addr);
	char host[NI_MAXHOST] = "?", port[NI_MAXSERV] = "?";
	bool v6;

	getsockname(ln->fd, (struct sockaddr *)&addr, &len);
	getnameinfo((struct sockaddr *)&addr, len, host, sizeof(host), port, sizeof(port),
		    NI_NUMERICHOST | NI_NUMERICSERV);
	v6 = addr.ss_family == AF_INET6;
	return mem_printf("%s%s%s:%s", v6 ? "[" : "", host, v6 ? "]" : "", port);
}
