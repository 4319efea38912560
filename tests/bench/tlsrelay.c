/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a wss bridge cannot do without: OpenSSL, and the plain bytes to a Unix socket and back with
 * 64 KiB buffers. With --idle it holds connections only, for the memory that OpenSSL itself takes.
 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/load.h"
#include "bench/load_args.h"

#define BUFFER_SIZE 65536

static uint64_t idle;
static const char *ready_file;
static double timeout = 120;

static const struct load_arg args[] = {
	{ "idle", LOAD_COUNT, &idle, "N: hold N connections until killed" },
	{ "ready-file", LOAD_STRING, &ready_file, "FILE: made when they are there" },
	{ "timeout", LOAD_SECONDS, &timeout, "SEC: give up then (120; 0: never)" },
	{ 0 },
};

static SSL *connect_tls(SSL_CTX *ctx, const char *spec)
{
	SSL *ssl = SSL_new(ctx);

	if (!ssl || SSL_set_fd(ssl, load_tcp_connect(spec)) != 1 || SSL_connect(ssl) != 1) {
		ERR_print_errors_fp(stderr);
		load_die("the TLS handshake failed");
	}
	return ssl;
}

/* Connections without a WebSocket handshake: a server with --raw is what they want. */
static void hold(SSL_CTX *ctx, const char *spec)
{
	struct rlimit files;

	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	for (uint64_t i = 0; i < idle; i++) {
		SSL *ssl = connect_tls(ctx, spec);
		unsigned char byte;

		/* The tickets for a next time are read, as every client does. */
		if (fcntl(SSL_get_fd(ssl), F_SETFL, O_NONBLOCK) != 0 || SSL_read(ssl, &byte, 1) > 0)
			load_die("an idle server sent data");
	}
	if (ready_file)
		load_write_file(ready_file, "ready\n");
	poll(NULL, 0, -1);
}

/* Reads until there is no more or the buffer is full; false at the end. */
static bool read_records(SSL *ssl, unsigned char *buf, size_t *size)
{
	int got = 1;

	*size = 0;
	while (*size < BUFFER_SIZE) {
		got = SSL_read(ssl, buf + *size, (int)(BUFFER_SIZE - *size));
		if (got <= 0)
			break;
		*size += (size_t)got;
	}
	return got > 0 || SSL_get_error(ssl, got) == SSL_ERROR_WANT_READ;
}

/* SSL_write in the non-blocking mode of the descriptor. */
static bool write_tls(SSL *ssl, const unsigned char *data, int size)
{
	for (;;) {
		struct pollfd wait = { .fd = SSL_get_fd(ssl), .events = POLLOUT };
		int n = SSL_write(ssl, data, size);

		if (n > 0)
			return true;
		if (SSL_get_error(ssl, n) != SSL_ERROR_WANT_WRITE)
			return false;
		poll(&wait, 1, -1);
	}
}

static void relay(SSL *ssl, int local)
{
	struct pollfd fds[2] = { { .fd = SSL_get_fd(ssl), .events = POLLIN },
				 { .fd = local, .events = POLLIN } };
	unsigned char *buf = load_alloc(BUFFER_SIZE);
	size_t size;
	bool open;

	for (;;) {
		open = read_records(ssl, buf, &size);
		if (!load_write_all(local, buf, size) || !open)
			break;
		if (size == BUFFER_SIZE)
			continue;
		if (poll(fds, 2, -1) < 0)
			load_die_errno("poll");
		if (fds[1].revents & (POLLIN | POLLHUP)) {
			ssize_t got = read(local, buf, BUFFER_SIZE);

			if (got <= 0)
				fds[1].fd = -1;
			else if (!write_tls(ssl, buf, (int)got))
				break;
		}
	}
	free(buf);
}

int main(int argc, char **argv)
{
	int first = load_args(argc, argv, args, "tlsrelay [OPTION...] ADDRESS:PORT [PATH]");
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	int listener, local;
	SSL *ssl;

	if (argc - first != (idle ? 1 : 2) || !ctx)
		load_die("--help shows what it wants");
	load_watchdog(timeout);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	if (idle) {
		hold(ctx, argv[first]);
		return 0;
	}
	ssl = connect_tls(ctx, argv[first]);
	listener = load_unix_listen(argv[first + 1], 1);
	local = accept(listener, NULL, NULL);
	if (local < 0 || fcntl(SSL_get_fd(ssl), F_SETFL, O_NONBLOCK) != 0)
		load_die_errno("accept");
	relay(ssl, local);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	return 0;
}
