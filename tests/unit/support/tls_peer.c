/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OpenSSL's server side between two memory BIOs: see tls_peer.h. It shares the
 * thread, and so the error queue, with what is tested: it never leaves anything
 * in it.
 */
#include "support/tls_peer.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

#define BLOCK ((size_t)65536)
#define WIRE_HIGH ((size_t)256 * 1024)

uint8_t tls_pattern(size_t at)
{
	return (uint8_t)((at * 2654435761u) >> 11);
}

static void fail(struct tls_peer *p)
{
	if (!p->failed)
		p->error = ERR_peek_last_error();
	p->failed = true;
}

static void write_wire(struct tls_peer *p)
{
	size_t n = p->wire_n;
	ssize_t sent;

	if (n > p->wire_limit - p->wire_out)
		n = p->wire_limit - p->wire_out;
	if (n == 0 || p->fd < 0)
		return;
	sent = send(p->fd, p->wire, n, MSG_NOSIGNAL);
	if (sent <= 0)
		return;
	p->wire_out += (size_t)sent;
	p->wire_n -= (size_t)sent;
	memmove(p->wire, p->wire + sent, p->wire_n);
}

/* From OpenSSL to the wire, under its limit. */
static void flush_wire(struct tls_peer *p)
{
	char *data;
	long n = BIO_get_mem_data(SSL_get_wbio(p->ssl), &data);

	if (n > 0) {
		p->wire = mem_grow(p->wire, p->wire_n + (size_t)n, 1);
		memcpy(p->wire + p->wire_n, data, (size_t)n);
		p->wire_n += (size_t)n;
		(void)BIO_reset(SSL_get_wbio(p->ssl));
	}
	write_wire(p);
}

static void send_pattern(struct tls_peer *p)
{
	uint8_t block[BLOCK];
	size_t n;

	while (p->to_send > 0 && p->wire_n < WIRE_HIGH && !p->failed) {
		size_t want = p->to_send < sizeof(block) ? p->to_send : sizeof(block);

		for (size_t i = 0; i < want; i++)
			block[i] = tls_pattern(p->app_out + i);
		if (SSL_write_ex(p->ssl, block, want, &n) != 1) {
			fail(p);
			break;
		}
		p->app_out += n;
		p->to_send -= n;
		flush_wire(p);
	}
	if (p->finish && p->to_send == 0 && !p->failed) {
		p->finish = false;
		SSL_shutdown(p->ssl);
	}
	flush_wire(p);
}

static void read_app(struct tls_peer *p)
{
	uint8_t block[BLOCK];
	size_t n;

	while (SSL_read_ex(p->ssl, block, sizeof(block), &n) == 1) {
		if (p->relay >= 0) {
			assert(send(p->relay, block, n, MSG_NOSIGNAL) == (ssize_t)n);
			continue;
		}
		for (size_t i = 0; i < n; i++)
			p->wrong += block[i] != tls_pattern(p->app_in + i);
		p->app_in += n;
	}
	switch (SSL_get_error(p->ssl, 0)) {
	case SSL_ERROR_ZERO_RETURN:
		p->got_close_notify = true;
		if (p->echo_fin)
			p->finish = true;
		break;
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		break;
	default:
		fail(p);
	}
}

/* 0.5-RTT data of TLS 1.3: right behind our Finished (RFC 8446, 2.3). */
static void greet_early(struct tls_peer *p)
{
	uint8_t block[BLOCK];
	size_t n;

	if (SSL_read_early_data(p->ssl, block, sizeof(block), &n) == SSL_READ_EARLY_DATA_ERROR)
		return;
	p->early = false;
	for (size_t i = 0; i < p->greet; i++)
		block[i] = tls_pattern(i);
	if (SSL_write_early_data(p->ssl, block, p->greet, &n) == 1)
		p->app_out += n;
	p->greet = 0;
}

static void shake(struct tls_peer *p)
{
	int rc;

	if (p->early)
		greet_early(p);
	rc = SSL_do_handshake(p->ssl);
	if (rc == 1) {
		p->shaken = true;
		p->to_send += p->greet;
		return;
	}
	rc = SSL_get_error(p->ssl, rc);
	if (rc != SSL_ERROR_WANT_READ && rc != SSL_ERROR_WANT_WRITE)
		fail(p);
}

void tls_peer_pump(struct tls_peer *p)
{
	unsigned wanted = 0;

	ERR_clear_error();
	if (!p->failed && !p->shaken)
		shake(p);
	if (!p->failed && p->shaken) {
		read_app(p);
		send_pattern(p);
	}
	flush_wire(p);
	ERR_clear_error();
	if (p->fd < 0)
		return;
	if (!p->got_eof && !p->slow_read)
		wanted |= WATCH_READ;
	if ((p->wire_n || (p->shaken && !p->failed && p->to_send)) && p->wire_out < p->wire_limit)
		wanted |= WATCH_WRITE;
	watch_set(&p->watch, wanted);
}

static void read_wire(struct tls_peer *p, size_t most)
{
	uint8_t block[BLOCK];
	ssize_t n = recv(p->fd, block, most < sizeof(block) ? most : sizeof(block), 0);

	if (n > 0) {
		p->wire_in += (size_t)n;
		BIO_write(SSL_get_rbio(p->ssl), block, (int)n);
	} else if (n == 0 || errno != EAGAIN) {
		p->got_eof = true;
	}
}

static void on_ready(void *arg, unsigned events)
{
	struct tls_peer *p = arg;

	if ((events & WATCH_READ) && !p->slow_read)
		read_wire(p, BLOCK);
	tls_peer_pump(p);
}

static void on_tick(void *arg)
{
	struct tls_peer *p = arg;

	if (p->slow_read && p->fd >= 0 && !p->got_eof) {
		read_wire(p, p->slow_read);
		tls_peer_pump(p);
	}
	timer_arm(&p->tick, 1000);
}

/* RFC 7301, 3.1: two bytes of length, then the list. It is noted, and no answer is given. */
static int on_hello(SSL *ssl, int *alert, void *arg)
{
	struct tls_peer *p = SSL_get_app_data(ssl);
	const unsigned char *list;
	size_t n;

	(void)alert;
	(void)arg;
	if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_application_layer_protocol_negotiation,
				      &list, &n) == 1 &&
	    n > 2)
		snprintf(p->alpn_offer, sizeof(p->alpn_offer), "%.*s", (int)n - 2,
			 (const char *)list + 2);
	return SSL_CLIENT_HELLO_SUCCESS;
}

static int on_sni(SSL *ssl, int *alert, void *arg)
{
	struct tls_peer *p = SSL_get_app_data(ssl);
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

	(void)alert;
	(void)arg;
	snprintf(p->sni, sizeof(p->sni), "%s", name ? name : "");
	return SSL_TLSEXT_ERR_OK;
}

static int on_ticket(SSL *ssl, void *arg)
{
	struct tls_peer *p = SSL_get_app_data(ssl);
	char filler[4096] = "";

	(void)arg;
	assert(p->ticket_size <= sizeof(filler));
	return SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), filler, p->ticket_size);
}

static void on_info(const SSL *ssl, int where, int value)
{
	struct tls_peer *p = SSL_get_app_data(ssl);

	(void)value;
	if (where == SSL_CB_ACCEPT_LOOP && SSL_get_state(ssl) == TLS_ST_SR_CLNT_HELLO)
		p->hellos++;
}

static void make_context(struct tls_peer *p, const struct tls_peer_conf *conf)
{
	char path[200];

	p->ctx = SSL_CTX_new(TLS_server_method());
	assert(p->ctx);
	if (conf->ciphers)
		assert(SSL_CTX_set_cipher_list(p->ctx, conf->ciphers) == 1);
	if (conf->groups)
		assert(SSL_CTX_ctrl(p->ctx, SSL_CTRL_SET_GROUPS_LIST, 0,
				    (void *)(uintptr_t)conf->groups) == 1);
	if (conf->cert) {
		snprintf(path, sizeof(path), "%s/%s.crt", conf->dir, conf->cert);
		assert(SSL_CTX_use_certificate_chain_file(p->ctx, path) == 1);
		snprintf(path, sizeof(path), "%s/%s.key", conf->dir, conf->cert);
		assert(SSL_CTX_use_PrivateKey_file(p->ctx, path, SSL_FILETYPE_PEM) == 1);
	}
	if (conf->client_ca) {
		snprintf(path, sizeof(path), "%s/%s.crt", conf->dir, conf->client_ca);
		assert(SSL_CTX_load_verify_file(p->ctx, path) == 1);
		SSL_CTX_set_verify(p->ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
		SSL_CTX_set_session_id_context(p->ctx, (const unsigned char *)"test", 4);
	}
	SSL_CTX_set_min_proto_version(p->ctx, conf->min_version);
	SSL_CTX_set_max_proto_version(p->ctx, conf->max_version);
	SSL_CTX_set_num_tickets(p->ctx, conf->tickets);
	if (conf->ticket_size)
		SSL_CTX_set_session_ticket_cb(p->ctx, on_ticket, NULL, NULL);
	SSL_CTX_set_client_hello_cb(p->ctx, on_hello, NULL);
	SSL_CTX_set_tlsext_servername_callback(p->ctx, on_sni);
	SSL_CTX_set_info_callback(p->ctx, on_info);
	if (conf->fragment)
		SSL_CTX_set_max_send_fragment(p->ctx, conf->fragment);
}

/* Both ends of one TCP connection; ours is p->fd. */
static int connect_tcp(struct tls_peer *p)
{
	struct sockaddr_in sa = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(sa);
	int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int small = 65536;

	setsockopt(client, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	assert(bind(listening, (struct sockaddr *)&sa, n) == 0 && listen(listening, 1) == 0);
	assert(getsockname(listening, (struct sockaddr *)&sa, &n) == 0);
	assert(connect(client, (struct sockaddr *)&sa, n) == 0);
	p->fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	assert(p->fd >= 0 && fcntl(client, F_SETFL, O_NONBLOCK) == 0);
	close(listening);
	return client;
}

int tls_peer_init(struct tls_peer *p, struct loop *l, const struct tls_peer_conf *conf)
{
	int client;

	*p = (struct tls_peer){ .loop = l, .wire_limit = SIZE_MAX, .relay = -1 };
	p->greet = conf->greet;
	p->ticket_size = conf->ticket_size;
	client = connect_tcp(p);
	make_context(p, conf);
	p->ssl = SSL_new(p->ctx);
	assert(p->ssl);
	SSL_set_app_data(p->ssl, p);
	SSL_set_bio(p->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
	SSL_set_accept_state(p->ssl);
	watch_init(&p->watch, l, p->fd, on_ready, p);
	watch_set(&p->watch, WATCH_READ);
	timer_init(&p->tick, l, on_tick, p);
	timer_arm(&p->tick, 1000);
	ERR_clear_error();
	return client;
}

static void close_tcp(struct tls_peer *p)
{
	watch_deinit(&p->watch);
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
}

void tls_peer_deinit(struct tls_peer *p)
{
	close_tcp(p);
	watch_deinit(&p->relaying);
	if (p->relay >= 0)
		close(p->relay);
	timer_deinit(&p->tick);
	SSL_free(p->ssl);
	SSL_CTX_free(p->ctx);
	free(p->wire);
	ERR_clear_error();
}

void tls_peer_send(struct tls_peer *p, size_t n)
{
	p->to_send += n;
	tls_peer_pump(p);
}

void tls_peer_close_notify(struct tls_peer *p)
{
	p->finish = true;
	tls_peer_pump(p);
}

void tls_peer_fin(struct tls_peer *p)
{
	shutdown(p->fd, SHUT_WR);
}

void tls_peer_drop(struct tls_peer *p)
{
	close_tcp(p);
}

void tls_peer_reset(struct tls_peer *p)
{
	struct linger at_once = { .l_onoff = 1 };

	setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close_tcp(p);
}

void tls_peer_raw(struct tls_peer *p, struct span bytes)
{
	assert(send(p->fd, bytes.p, bytes.n, MSG_NOSIGNAL) == (ssize_t)bytes.n);
}

void tls_peer_key_update(struct tls_peer *p)
{
	assert(SSL_key_update(p->ssl, SSL_KEY_UPDATE_REQUESTED) == 1);
	SSL_do_handshake(p->ssl);
	tls_peer_pump(p);
}

void tls_peer_ticket(struct tls_peer *p)
{
	assert(SSL_new_session_ticket(p->ssl) == 1);
	SSL_do_handshake(p->ssl);
	tls_peer_pump(p);
}

void tls_peer_renegotiate(struct tls_peer *p)
{
	assert(SSL_renegotiate(p->ssl) == 1);
	SSL_do_handshake(p->ssl);
	tls_peer_pump(p);
}

/* One block for each turn in which the client has kept up. */
static void on_relay(void *arg, unsigned events)
{
	struct tls_peer *p = arg;
	uint8_t block[BLOCK];
	size_t n = 0;
	ssize_t got;

	(void)events;
	if (p->wire_n >= WIRE_HIGH)
		return;
	got = recv(p->relay, block, sizeof(block), 0);
	if (got > 0)
		assert(SSL_write_ex(p->ssl, block, (size_t)got, &n) == 1 && n == (size_t)got);
	else
		watch_set(&p->relaying, 0);
	tls_peer_pump(p);
}

void tls_peer_relay(struct tls_peer *p, int fd)
{
	p->relay = fd;
	watch_init(&p->relaying, p->loop, fd, on_relay, p);
	watch_set(&p->relaying, WATCH_READ);
}
