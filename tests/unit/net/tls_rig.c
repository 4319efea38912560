/* SPDX-License-Identifier: Apache-2.0 */
/* See tls_rig.h. */
#include "tls_rig.h"

#include <openssl/err.h>

char rig_dir[32];

static const struct tls_cert_spec certs[] = {
	{ .name = "ca", .cn = "Test Authority", .is_ca = true },
	{ .name = "other", .cn = "Other Authority", .is_ca = true },
	{ .name = "middle", .cn = "Test Intermediate", .issuer = "ca", .is_ca = true },
	{ .name = "rsa", .cn = "rsa", .sans = "DNS:a.example", .issuer = "ca", .is_rsa = true },
	{ .name = "good",
	  .cn = "ecdsa",
	  .sans = "DNS:a.example,IP:127.0.0.1,IP:::1",
	  .issuer = "ca" },
	{ .name = "expired",
	  .cn = "a.example",
	  .sans = "DNS:a.example",
	  .issuer = "ca",
	  .from_days = -9,
	  .to_days = -2 },
	{ .name = "future",
	  .cn = "a.example",
	  .sans = "DNS:a.example",
	  .issuer = "ca",
	  .from_days = 2,
	  .to_days = 9 },
	{ .name = "self", .cn = "a.example", .sans = "DNS:a.example" },
	{ .name = "unknown", .cn = "a.example", .sans = "DNS:a.example", .issuer = "other" },
	{ .name = "chained", .cn = "a.example", .sans = "DNS:a.example", .issuer = "middle" },
	{ .name = "cn_only", .cn = "a.example", .issuer = "ca" },
	{ .name = "wild", .cn = "wild", .sans = "DNS:*.wild.example", .issuer = "ca" },
	{ .name = "partial", .cn = "partial", .sans = "DNS:w*.wild.example", .issuer = "ca" },
	{ .name = "dns_ip", .cn = "dns_ip", .sans = "DNS:127.0.0.1", .issuer = "ca" },
	{ .name = "purpose",
	  .cn = "purpose",
	  .sans = "DNS:a.example",
	  .issuer = "ca",
	  .is_client = true },
	{ .name = "client", .cn = "client", .issuer = "ca", .is_client = true },
	{ .name = "locked",
	  .cn = "locked",
	  .issuer = "ca",
	  .is_client = true,
	  .password = "correct horse" },
};

int rig_begin(void **state)
{
	(void)state;
	snprintf(rig_dir, sizeof(rig_dir), "/tmp/wsbridge-tls-XXXXXX");
	assert_non_null(mkdtemp(rig_dir));
	for (size_t i = 0; i < sizeof(certs) / sizeof(certs[0]); i++)
		tls_cert_make(rig_dir, &certs[i]);
	return 0;
}

int rig_end(void **state)
{
	(void)state;
	tls_certs_remove(rig_dir);
	return 0;
}

/* Each path is kept, so that several may be used at a time. */
char *rig_path(const char *name)
{
	static char paths[64][80];
	char path[80];
	size_t i = 0;

	snprintf(path, sizeof(path), "%s/%s", rig_dir, name);
	while (i < 63 && paths[i][0] && strcmp(paths[i], path) != 0)
		i++;
	assert_int_not_equal(i, 63);
	memcpy(paths[i], path, sizeof(path));
	return paths[i];
}

struct tls_params rig_params(void)
{
	return (struct tls_params){ .verify = true,
				    .verify_hostname = true,
				    .ca_file = rig_path("ca.crt"),
				    .ktls = RIG_KTLS };
}

static void on_resume(void *arg)
{
	struct tls_rig *r = arg;

	if (r->stream)
		stream_resume(r->stream);
}

void rig_init(struct tls_rig *r, const struct tls_peer_conf *peer, const struct tls_params *params)
{
	static const struct tls_peer_conf plain = { .cert = "good" };
	struct tls_peer_conf conf = peer ? *peer : plain;
	struct tls_params all = params ? *params : rig_params();
	struct error err = ERROR_INIT;
	int fd;

	*r = (struct tls_rig){ .loop = loop_new(), .free_on = RIG_NEVER };
	conf.dir = rig_dir;
	fd = tls_peer_init(&r->peer, r->loop, &conf);
	r->ctx = tls_ctx_new(&all, &err);
	assert_string_equal(err.text, "");
	assert_non_null(r->ctx);
	assert_int_equal(ERR_peek_error(), 0);
	timer_init(&r->resume, r->loop, on_resume, r);
	r->stream = fd_stream_new(r->loop, fd); /* until rig_start takes it */
}

void rig_free(struct tls_rig *r)
{
	stream_free(r->stream);
	r->stream = NULL;
	assert_int_equal(ERR_peek_error(), 0);
}

void rig_deinit(struct tls_rig *r)
{
	tls_cancel(r->handshake);
	rig_free(r);
	loop_drain(r->loop);
	assert_int_equal(ERR_peek_error(), 0);
	timer_deinit(&r->resume);
	tls_peer_deinit(&r->peer);
	tls_ctx_unref(r->ctx);
	loop_free(r->loop);
}

/* In three iovecs, one of them empty, so that putting them together is tried. */
static size_t offer(struct tls_rig *r, uint8_t *data, size_t n)
{
	size_t third = n / 3;
	struct iovec iov[] = {
		{ .iov_base = data, .iov_len = third },
		{ .iov_base = NULL, .iov_len = 0 },
		{ .iov_base = data + third, .iov_len = third },
		{ .iov_base = data + 2 * third, .iov_len = n - 2 * third },
	};
	struct iovec one = { .iov_base = data, .iov_len = n };

	return r->piece ? stream_offer(r->stream, iov, 4) : stream_offer(r->stream, &one, 1);
}

static void send_more(struct tls_rig *r)
{
	static uint8_t block[100000];

	while (r->to_send && r->stream) {
		size_t n = r->piece ? r->piece : sizeof(block), taken;

		if (n > r->to_send)
			n = r->to_send;
		for (size_t i = 0; i < n; i++)
			block[i] = tls_pattern(r->sent + i);
		taken = offer(r, block, n);
		memset(block, 0xdd, n); /* ours again: it must not be needed any more */
		r->sent += taken;
		r->to_send -= taken;
		if (taken < n)
			break;
	}
	assert_int_equal(ERR_peek_error(), 0);
}

void rig_send(struct tls_rig *r, size_t n)
{
	r->to_send += n;
	send_more(r);
}

static void check_data(struct tls_rig *r, struct span data)
{
	r->data_events++;
	assert_true(data.n > 0);
	for (size_t i = 0; i < data.n; i++)
		r->wrong += data.p[i] != tls_pattern(r->got + i);
	r->got += data.n;
	if (r->pause_each || r->pause_resume)
		stream_pause(r->stream);
	if (r->pause_resume)
		stream_resume(r->stream);
	if (r->pause_each)
		timer_arm(&r->resume, 100);
}

static void on_stream(void *arg, enum stream_event event, struct span data, const struct error *err)
{
	struct tls_rig *r = arg;

	assert_int_equal(ERR_peek_error(), 0);
	assert_non_null(r->stream);
	assert_int_equal(r->failed_events, 0);
	switch (event) {
	case STREAM_DATA:
		assert_int_equal(r->eof_events, 0);
		check_data(r, data);
		break;
	case STREAM_WRITABLE:
		r->writable_events++;
		send_more(r);
		break;
	case STREAM_EOF:
		r->eof_events++;
		break;
	case STREAM_FAILED:
		r->failed_events++;
		r->err = *err;
		break;
	}
	if (r->free_on == (int)event)
		rig_free(r);
}

void rig_attach(struct tls_rig *r)
{
	stream_attach(r->stream, on_stream, r);
}

static void on_shaken(void *arg, struct stream *stream, const struct error *err)
{
	struct tls_rig *r = arg;

	assert_int_equal(ERR_peek_error(), 0);
	assert_true(!stream != !err);
	r->told++;
	r->handshake = NULL;
	r->stream = stream;
	if (err)
		r->err = *err;
	if (stream && r->free_in_handshake)
		rig_free(r);
	else if (stream && !r->keep_detached)
		rig_attach(r);
}

void rig_start(struct tls_rig *r, const char *server_name)
{
	struct tls_start start = { .server_name = server_name, .cb = on_shaken, .arg = r };
	struct stream *lower = r->stream;

	r->stream = NULL;
	r->handshake = tls_start(r->loop, lower, r->ctx, &start);
	assert_int_equal(r->told, 0);
}

void rig_wait(struct tls_rig *r, bool (*holds)(void *arg), void *arg)
{
	assert_true(turn_until(r->loop, holds, arg, PATIENCE));
}

static bool is_told(void *arg)
{
	return ((struct tls_rig *)arg)->told > 0;
}

void rig_wait_end_of_handshake(struct tls_rig *r)
{
	rig_wait(r, is_told, r);
	assert_int_equal(r->told, 1);
}

void rig_shake(struct tls_rig *r, const char *server_name)
{
	rig_start(r, server_name);
	rig_wait_end_of_handshake(r);
}

static bool is_open(void *arg)
{
	struct tls_rig *r = arg;

	return r->told && r->peer.shaken;
}

void rig_open(struct tls_rig *r)
{
	rig_shake(r, "a.example");
	assert_string_equal(r->err.text, "");
	rig_wait(r, is_open, r);
}

struct amount {
	const size_t *now;
	size_t wanted;
};

static bool is_enough(void *arg)
{
	struct amount *a = arg;

	return *a->now >= a->wanted;
}

void rig_wait_got(struct tls_rig *r, size_t n)
{
	rig_wait(r, is_enough, &(struct amount){ &r->got, n });
	assert_int_equal(r->got, n);
	assert_int_equal(r->wrong, 0);
}

void rig_wait_got_some(struct tls_rig *r)
{
	rig_wait(r, is_enough, &(struct amount){ &r->got, 1 });
}

void rig_wait_app_in(struct tls_rig *r, size_t n)
{
	rig_wait(r, is_enough, &(struct amount){ &r->peer.app_in, n });
	assert_int_equal(r->peer.app_in, n);
	assert_int_equal(r->peer.wrong, 0);
}

static bool is_ended(void *arg)
{
	struct tls_rig *r = arg;

	return r->eof_events || r->failed_events;
}

void rig_wait_end(struct tls_rig *r)
{
	rig_wait(r, is_ended, r);
}

static bool is_gone(void *arg)
{
	return ((struct tls_rig *)arg)->stream == NULL;
}

void rig_wait_gone(struct tls_rig *r)
{
	rig_wait(r, is_gone, r);
}

static bool never(void *arg)
{
	(void)arg;
	return false;
}

void rig_turn_for(struct tls_rig *r, int64_t us)
{
	assert_false(turn_until(r->loop, never, NULL, us));
}
