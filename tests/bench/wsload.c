/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A WebSocket server that is never the bottleneck: it floods a client, swallows what it sends,
 * echoes, or just holds connections. One connection is served with plain blocking calls, more in a
 * process each. Each prints one line of JSON.
 */
#include "bench/wsload.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench/load_args.h"

struct wsload wsload = { .size = 64,
			 .batch = 256 << 10,
			 .conns = 1,
			 .rounds = 1,
			 .hold = 3600,
			 .timeout = 120,
			 .listen = "127.0.0.1:0" };

static const struct load_arg args[] = {
	{ "blast", LOAD_COUNT, &wsload.blast, "N: send N text messages, then Close 1000" },
	{ "sink", LOAD_COUNT, &wsload.sink, "N: receive N messages, then Close 1000" },
	{ "echo", LOAD_FLAG, &wsload.echo, "send back what comes until the client closes" },
	{ "idle", LOAD_COUNT, &wsload.idle, "N: hold N connections, see --hold" },
	{ "size", LOAD_COUNT, &wsload.size, "S: bytes of a message (64)" },
	{ "text", LOAD_KIND, &wsload.text, "ascii (default), utf8 or json" },
	{ "batch", LOAD_COUNT, &wsload.batch, "S: bytes of one write (256k)" },
	{ "deflate", LOAD_FLAG, &wsload.deflate,
	  "agree to permessage-deflate; who does not offer it is refused" },
	{ "wait-go", LOAD_FLAG, &wsload.wait_go, "--blast after a message \"go\" or \"go N\"" },
	{ "ack", LOAD_FLAG, &wsload.ack, "--sink: answer \"ack\" after N messages" },
	{ "rounds", LOAD_COUNT, &wsload.rounds, "R: --blast, --sink: so often (1; 0: for ever)" },
	{ "raw", LOAD_FLAG, &wsload.raw, "no WebSocket: lines" },
	{ "conns", LOAD_COUNT, &wsload.conns, "N: serve N connections at once (1)" },
	{ "hold", LOAD_SECONDS, &wsload.hold, "SEC: how long --idle holds (3600)" },
	{ "timeout", LOAD_SECONDS, &wsload.timeout, "SEC: give up then (120; 0: never)" },
	{ "listen", LOAD_STRING, &wsload.listen, "ADDRESS:PORT (127.0.0.1:0)" },
	{ "port-file", LOAD_STRING, &wsload.port_file, "FILE: gets the port" },
	{ "ready-file", LOAD_STRING, &wsload.ready_file, "FILE: made when the client is there" },
	{ "cert", LOAD_STRING, &wsload.cert, "FILE: wss:// with this certificate" },
	{ "key", LOAD_STRING, &wsload.key, "FILE: its key" },
	{ 0 },
};

void wsload_print(const struct ws_conn *c, const char *mode, uint64_t messages, uint64_t start,
		  double cpu)
{
	printf("{\"tool\":\"wsload\",\"mode\":\"%s\",\"messages\":%llu,\"elapsed_s\":%.6f,"
	       "\"cpu_s\":%.6f,\"tls\":\"%s\",\"deflate\":%s",
	       mode, (unsigned long long)messages, (double)(load_now() - start) * 1e-9, cpu,
	       c->ssl ? SSL_get_cipher_name(c->ssl) : "", c->deflate ? "true" : "false");
}

static SSL_CTX *make_tls(void)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	if (!ctx || SSL_CTX_use_certificate_chain_file(ctx, wsload.cert) != 1 ||
	    SSL_CTX_use_PrivateKey_file(ctx, wsload.key, SSL_FILETYPE_PEM) != 1) {
		ERR_print_errors_fp(stderr);
		load_die("cannot set up TLS");
	}
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	return ctx;
}

static int start_listening(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	const char *colon = strrchr(wsload.listen, ':');
	socklen_t size = sizeof address;
	char text[INET_ADDRSTRLEN];
	int fd, one = 1;

	if (!colon || (size_t)(colon - wsload.listen) >= sizeof text)
		load_die("--listen: ADDRESS:PORT");
	snprintf(text, sizeof text, "%.*s", (int)(colon - wsload.listen), wsload.listen);
	address.sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
	if (inet_pton(AF_INET, text, &address.sin_addr) != 1)
		load_die("--listen: %s is no IPv4 address", text);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) != 0 || listen(fd, 4096) != 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &size) != 0)
		load_die_errno(wsload.listen);
	snprintf(text, sizeof text, "%u\n", ntohs(address.sin_port));
	if (wsload.port_file)
		load_write_file(wsload.port_file, text);
	return fd;
}

/* Up to the point where frames flow. */
static bool open_conn(struct ws_conn *c, int listener, SSL_CTX *tls)
{
	int one = 1;

	*c = (struct ws_conn){ .fd = -1 };
	do
		c->fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	while (c->fd < 0 && errno == EINTR);
	if (c->fd < 0)
		load_die_errno("accept");
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (tls) {
		c->ssl = SSL_new(tls);
		SSL_set_fd(c->ssl, c->fd);
		if (SSL_accept(c->ssl) != 1) {
			ERR_print_errors_fp(stderr);
			return false;
		}
	}
	if (wsload.raw)
		return true;
	if (!ws_conn_accept(c, wsload.deflate))
		return false;
	if (wsload.deflate && !c->deflate)
		load_die("permessage-deflate is not negotiated: the client does not offer it");
	return true;
}

static bool serve(struct ws_conn *c)
{
	bool ok = wsload.blast ? wsload_blast(c) : wsload.sink ? wsload_sink(c) : wsload_echo(c);

	fflush(stdout);
	ws_conn_close(c);
	return ok;
}

/* What is open stays so until the process ends. */
static void hold(int listener, SSL_CTX *tls)
{
	struct timespec pause = { .tv_sec = (time_t)wsload.hold };
	struct rlimit files;
	struct ws_conn c;

	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	for (uint64_t i = 0; i < wsload.idle; i++) {
		if (!open_conn(&c, listener, tls))
			load_die("the handshake of connection %llu failed", (unsigned long long)i);
		free(c.buf);
	}
	if (wsload.ready_file)
		load_write_file(wsload.ready_file, "ready\n");
	nanosleep(&pause, NULL);
}

static bool serve_many(int listener, SSL_CTX *tls)
{
	struct ws_conn c;
	bool ok = true;
	int status;

	for (uint64_t i = 0; i < wsload.conns; i++) {
		pid_t pid;

		if (!open_conn(&c, listener, tls))
			load_die("the handshake of connection %llu failed", (unsigned long long)i);
		pid = fork();
		if (pid < 0)
			load_die_errno("fork");
		if (pid == 0) {
			load_watchdog(wsload.timeout); /* timers are not inherited */
			_exit(serve(&c) ? 0 : 1);
		}
		close(c.fd);
		free(c.buf);
	}
	while (wait(&status) > 0)
		ok = ok && WIFEXITED(status) && WEXITSTATUS(status) == 0;
	return ok;
}

int main(int argc, char **argv)
{
	SSL_CTX *tls = NULL;
	struct ws_conn c;
	int listener;
	bool ok = true;

	if (load_args(argc, argv, args, "wsload --blast N | --sink N | --echo | --idle N") !=
		    argc ||
	    (wsload.blast > 0) + (wsload.sink > 0) + (wsload.idle > 0) + wsload.echo != 1)
		load_die("--help shows what it wants");
	if (wsload.size < (wsload.text == LOAD_JSON ? SIZE_MIN_JSON : SIZE_MIN))
		load_die("--size is too small for what a message holds");
	if (!wsload.cert != !wsload.key || (wsload.raw && wsload.deflate))
		load_die("--cert goes with --key, --raw not with --deflate");
	load_watchdog(wsload.timeout);
	tls = wsload.cert ? make_tls() : NULL;
	listener = start_listening();
	if (wsload.idle) {
		hold(listener, tls);
	} else if (wsload.conns > 1) {
		ok = serve_many(listener, tls);
	} else {
		if (!open_conn(&c, listener, tls))
			load_die("the handshake failed");
		ok = serve(&c);
	}
	SSL_CTX_free(tls);
	return ok ? 0 : 1;
}
