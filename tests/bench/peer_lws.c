/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bridge on libwebsockets, as one would write it who knows the library: messages that come with
 * one read are written to the client at once, lines that come with one read become messages as long
 * as the socket takes them, the next lines are read when those have gone. UTF-8 is checked, as it
 * is by the bridge that this one is measured beside. Not an example of how to use libwebsockets:
 * what a bridge needs besides speed is not here.
 */
#include <libwebsockets.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/load.h"
#include "bench/load_args.h"

#define READ_SIZE ((size_t)64 << 10)
#define LINES_SIZE ((size_t)4 << 20) /* the longest line */

static uint64_t clients = 1;
static bool tls, deflate;
static double timeout = 120;

static const struct load_arg args[] = {
	{ "clients", LOAD_COUNT, &clients, "K: each gets everything (1)" },
	{ "tls", LOAD_FLAG, &tls, "wss, without a look at the certificate" },
	{ "deflate", LOAD_FLAG, &deflate, "offer permessage-deflate" },
	{ "timeout", LOAD_SECONDS, &timeout, "SEC: give up then (120; 0: never)" },
	{ 0 },
};

static struct {
	struct lws *ws;
	struct lws **local; /* one for each client, with its descriptor */
	int *fds;
	bool ended;
	unsigned char *in; /* for the clients */
	size_t in_used, in_cap;
	unsigned char *lines; /* of the clients; before lines[0] is room for a header */
	size_t sent, used;
} b;

static void flush_in(void)
{
	for (uint64_t i = 0; i < clients && b.in_used > 0; i++)
		if (b.fds[i] >= 0 && !load_write_all(b.fds[i], b.in, b.in_used))
			b.ended = true;
	b.in_used = 0;
}

static void add_in(const void *data, size_t size, bool last)
{
	if (b.in_cap - b.in_used < size + 1) {
		b.in_cap = b.in_cap * 2 + size + READ_SIZE;
		b.in = load_realloc(b.in, b.in_cap);
	}
	memcpy(b.in + b.in_used, data, size);
	b.in_used += size;
	if (last)
		b.in[b.in_used++] = '\n';
}

/* Lines become messages until there is no whole one left or the socket is full. */
static int send_lines(struct lws *wsi)
{
	unsigned char *at = b.lines + b.sent, *end;

	while ((end = memchr(at, '\n', b.used - b.sent))) {
		size_t size = (size_t)(end - at);

		if (lws_send_pipe_choked(wsi)) {
			lws_callback_on_writable(wsi);
			return 0;
		}
		if (lws_write(wsi, at, size, LWS_WRITE_TEXT) < (int)size)
			return -1;
		b.sent += size + 1;
		at = end + 1;
	}
	memmove(b.lines, at, b.used - b.sent);
	b.used -= b.sent;
	b.sent = 0;
	for (uint64_t i = 0; i < clients; i++)
		if (b.local[i])
			lws_rx_flow_control(b.local[i], 1);
	return 0;
}

static int on_local(struct lws *wsi, uint64_t client)
{
	ssize_t got = read(b.fds[client], b.lines + b.used, LINES_SIZE - b.used);

	if (got <= 0) {
		b.local[client] = NULL;
		b.fds[client] = -1;
		b.ended = clients == 1;
		return -1;
	}
	b.used += (size_t)got;
	if (memchr(b.lines + b.used - got, '\n', (size_t)got)) {
		lws_rx_flow_control(wsi, 0);
		lws_callback_on_writable(b.ws);
	}
	return 0;
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *data,
		    size_t size)
{
	(void)user;
	if (reason == LWS_CALLBACK_CLIENT_RECEIVE) {
		bool last = lws_is_final_fragment(wsi) && lws_remaining_packet_payload(wsi) == 0;

		add_in(data, size, last);
		if (b.in_used >= READ_SIZE)
			flush_in();
	} else if (reason == LWS_CALLBACK_CLIENT_WRITEABLE) {
		return send_lines(wsi);
	} else if (reason == LWS_CALLBACK_RAW_RX_FILE) {
		for (uint64_t i = 0; i < clients; i++)
			if (b.local[i] == wsi)
				return on_local(wsi, i);
	} else if (reason == LWS_CALLBACK_CLIENT_CLOSED ||
		   reason == LWS_CALLBACK_CLIENT_CONNECTION_ERROR) {
		b.ended = true;
	}
	return 0;
}

static const struct lws_protocols protocols[] = {
	{ .name = "bridge", .callback = on_event, .rx_buffer_size = READ_SIZE },
	{ 0 },
};

#if !defined(LWS_WITHOUT_EXTENSIONS)
static const struct lws_extension extensions[] = {
	{ .name = "permessage-deflate",
	  .callback = lws_extension_callback_pm_deflate,
	  .client_offer = "permessage-deflate" },
	{ 0 },
};
#endif

static struct lws_context *make_context(void)
{
	struct lws_context_creation_info info = { .port = CONTEXT_PORT_NO_LISTEN,
						  .protocols = protocols,
						  .pt_serv_buf_size = (unsigned)READ_SIZE };

	info.options = LWS_SERVER_OPTION_VALIDATE_UTF8 |
		       (tls ? LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT : 0);
#if !defined(LWS_WITHOUT_EXTENSIONS)
	if (deflate)
		info.extensions = extensions;
#endif
	lws_set_log_level(LLL_ERR, NULL);
	return lws_create_context(&info);
}

static void connect_server(struct lws_context *context, const char *spec)
{
	struct lws_client_connect_info info = { .context = context, .path = "/" };
	const char *colon = strrchr(spec, ':');
	char *host = strndup(spec, colon ? (size_t)(colon - spec) : 0);

	info.address = info.host = info.origin = host;
	info.port = (int)strtol(colon ? colon + 1 : "0", NULL, 10);
	info.pwsi = &b.ws;
	if (tls)
		info.ssl_connection = LCCSCF_USE_SSL | LCCSCF_ALLOW_SELFSIGNED |
				      LCCSCF_SKIP_SERVER_CERT_HOSTNAME_CHECK;
	if (!lws_client_connect_via_info(&info))
		load_die("cannot connect to %s", spec);
	free(host);
}

static void accept_clients(struct lws_context *context, const char *path)
{
	int listener = load_unix_listen(path, 1024);

	b.local = load_alloc(clients * sizeof(struct lws *));
	b.fds = load_alloc(clients * sizeof *b.fds);
	for (uint64_t i = 0; i < clients; i++) {
		lws_sock_file_fd_type fd = { .filefd = accept(listener, NULL, NULL) };

		b.fds[i] = fd.filefd;
		b.local[i] = lws_adopt_descriptor_vhost(lws_get_vhost_by_name(context, "default"),
							LWS_ADOPT_RAW_FILE_DESC, fd, "bridge",
							NULL);
		if (!b.local[i])
			load_die("a client cannot be adopted");
	}
}

int main(int argc, char **argv)
{
	int first = load_args(argc, argv, args, "peer_lws [OPTION...] ADDRESS:PORT PATH");
	struct lws_context *context;

	if (argc - first != 2 || clients < 1)
		load_die("--help shows what it wants");
	load_watchdog(timeout);
	context = make_context();
	if (!context)
		load_die("cannot make a context");
	b.lines = (unsigned char *)load_alloc(LWS_PRE + LINES_SIZE) + LWS_PRE;
	accept_clients(context, argv[first + 1]);
	connect_server(context, argv[first]);
	while (!b.ended && lws_service(context, 0) >= 0)
		flush_in();
	flush_in();
	lws_context_destroy(context);
	return 0;
}
