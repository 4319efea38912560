/* SPDX-License-Identifier: Apache-2.0 */
/* See tls_front.h: ciphertext is copied between the client and the tls_peer's own connection. */
#include "support/tls_front.h"

#include <assert.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

static void hang_up(struct tls_front *f)
{
	if (f->outer < 0)
		return;
	watch_deinit(&f->outer_watch);
	watch_deinit(&f->inner_watch);
	close(f->outer);
	close(f->inner);
	tls_peer_deinit(&f->peer);
	f->outer = f->inner = -1;
}

static void copy(struct tls_front *f, int from, int to)
{
	uint8_t block[16384];
	ssize_t n = recv(from, block, sizeof(block), 0);

	if (n > 0 && send(to, block, (size_t)n, MSG_NOSIGNAL) == n)
		return;
	hang_up(f);
}

static void on_outer(void *arg, unsigned events)
{
	struct tls_front *f = arg;

	(void)events;
	copy(f, f->outer, f->inner);
}

static void on_inner(void *arg, unsigned events)
{
	struct tls_front *f = arg;

	(void)events;
	copy(f, f->inner, f->outer);
}

static struct sockaddr_in local(uint16_t port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons(port),
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static void on_accept(void *arg, unsigned events)
{
	struct tls_front *f = arg;
	struct sockaddr_in sa = local(f->behind);
	int behind = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)events;
	hang_up(f);
	f->outer = accept4(f->listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	assert(f->outer >= 0 && connect(behind, (struct sockaddr *)&sa, sizeof(sa)) == 0);
	f->accepted++;
	f->inner = tls_peer_init(&f->peer, f->loop, &f->conf);
	tls_peer_relay(&f->peer, behind);
	watch_init(&f->outer_watch, f->loop, f->outer, on_outer, f);
	watch_init(&f->inner_watch, f->loop, f->inner, on_inner, f);
	watch_set(&f->outer_watch, WATCH_READ);
	watch_set(&f->inner_watch, WATCH_READ);
}

void tls_front_init(struct tls_front *f, struct loop *l, const struct tls_peer_conf *conf,
		    uint16_t behind)
{
	struct sockaddr_in sa = local(0);
	socklen_t n = sizeof(sa);

	*f = (struct tls_front){ .loop = l, .conf = *conf, .behind = behind, .outer = -1 };
	f->listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert(bind(f->listening, (struct sockaddr *)&sa, n) == 0 && listen(f->listening, 4) == 0);
	assert(getsockname(f->listening, (struct sockaddr *)&sa, &n) == 0);
	f->port = ntohs(sa.sin_port);
	watch_init(&f->accepting, l, f->listening, on_accept, f);
	watch_set(&f->accepting, WATCH_READ);
}

void tls_front_deinit(struct tls_front *f)
{
	hang_up(f);
	watch_deinit(&f->accepting);
	close(f->listening);
}
