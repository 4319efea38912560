/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options → one SSL_CTX. Everything that verification rests on is set here;
 * what belongs to one connection (its name) is in tls_verify.c. Sessions are
 * not cached: a server may send thousands of tickets.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/mem.h"
#include "net/tls_int.h"

#define VERIFY_DEPTH 8

static bool option_error(struct error *err, const char *option, const char *value)
{
	mem_auto_str what = mem_printf("%s \"%s\"", option, value);

	tls_error(err, what);
	snprintf(err->option, sizeof(err->option), "%s", option);
	return false;
}

static bool refuse(struct error *err, const char *option, const char *value, const char *why)
{
	error_set_option(err, option, "%s \"%s\": %s", option, value, why);
	err->code = ERR_TLS;
	err->stage = STAGE_TLS;
	ERR_clear_error();
	return false;
}

static struct tls_file snapshot(const char *path)
{
	struct tls_file f = { 0 };
	struct stat st;

	if (stat(path, &st) == 0)
		f = (struct tls_file){ NULL, st.st_dev, st.st_ino, st.st_size, st.st_ctim };
	return f;
}

/* Before the file is read: what is put in its place meanwhile makes us outdated, not deceived. */
static void note_file(struct tls_ctx *c, const char *path)
{
	assert(c->n_files < TLS_FILES_MAX);
	c->files[c->n_files] = snapshot(path);
	c->files[c->n_files++].path = mem_strdup(path);
}

static bool is_same(const struct tls_file *f)
{
	struct tls_file now = snapshot(f->path);

	return now.dev == f->dev && now.ino == f->ino && now.size == f->size &&
	       now.changed.tv_sec == f->changed.tv_sec && now.changed.tv_nsec == f->changed.tv_nsec;
}

bool tls_ctx_is_current(const struct tls_ctx *c)
{
	for (size_t i = 0; i < c->n_files; i++)
		if (!is_same(&c->files[i]))
			return false;
	return true;
}

static bool set_system_store(struct tls_ctx *c, struct error *err)
{
	const char *file = getenv(X509_get_default_cert_file_env());
	const char *dir = getenv(X509_get_default_cert_dir_env());

	note_file(c, file ? file : X509_get_default_cert_file());
	note_file(c, dir ? dir : X509_get_default_cert_dir());
	if (SSL_CTX_set_default_verify_paths(c->ctx) != 1)
		return tls_error(err, "the system's certificate store");
	return true;
}

/* OpenSSL looks into the directory when it verifies, and says nothing now if there is none. */
static bool set_ca_dir(struct tls_ctx *c, const char *path, struct error *err)
{
	struct stat st;

	note_file(c, path);
	if (stat(path, &st) < 0)
		return refuse(err, "tls.ca_dir", path, strerrordesc_np(errno));
	if (!S_ISDIR(st.st_mode))
		return refuse(err, "tls.ca_dir", path, strerrordesc_np(ENOTDIR));
	if (SSL_CTX_load_verify_dir(c->ctx, path) != 1)
		return option_error(err, "tls.ca_dir", path);
	return true;
}

/* OpenSSL would wait for a FIFO's writer, and all bridges with it. */
static bool check_regular(const char *option, const char *path, struct error *err)
{
	struct stat st;

	if (stat(path, &st) < 0 || S_ISREG(st.st_mode))
		return true; /* what is not there has OpenSSL's own sentence */
	return refuse(err, option, path, "not a regular file");
}

static bool set_ca_file(struct tls_ctx *c, const char *path, struct error *err)
{
	if (!check_regular("tls.ca_file", path, err))
		return false;
	note_file(c, path);
	if (SSL_CTX_load_verify_file(c->ctx, path) != 1)
		return option_error(err, "tls.ca_file", path);
	return true;
}

static bool set_trust(struct tls_ctx *c, const struct tls_params *p, struct error *err)
{
	SSL_CTX_set_verify(c->ctx, p->verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
	SSL_CTX_set_verify_depth(c->ctx, VERIFY_DEPTH);
	if (!p->ca_file && !p->ca_dir)
		return set_system_store(c, err);
	/* What the user names is trusted as it is, also an intermediate or a server's own. */
	X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(c->ctx), X509_V_FLAG_PARTIAL_CHAIN);
	return (!p->ca_file || set_ca_file(c, p->ca_file, err)) &&
	       (!p->ca_dir || set_ca_dir(c, p->ca_dir, err));
}

struct password {
	const char *text; /* NULL = none */
	bool asked;
};

/* Always in place: without it OpenSSL asks on the terminal. */
static int on_password(char *out, int size, int writing, void *arg)
{
	struct password *password = arg;
	size_t n = password && password->text ? strlen(password->text) : 0;

	(void)writing;
	if (password)
		password->asked = true;
	if (!password || !password->text || n > (size_t)size)
		return -1;
	memcpy(out, password->text, n);
	return (int)n;
}

static bool set_key(struct tls_ctx *c, const struct tls_params *p, struct error *err)
{
	const char *key = p->key ? p->key : p->cert, *option = p->key ? "tls.key" : "tls.cert";
	struct password password = { .text = p->key_password };
	int rc;

	SSL_CTX_set_default_passwd_cb_userdata(c->ctx, &password);
	rc = SSL_CTX_use_PrivateKey_file(c->ctx, key, SSL_FILETYPE_PEM);
	SSL_CTX_set_default_passwd_cb_userdata(c->ctx, NULL);
	if (rc == 1)
		return true;
	if (password.asked && !p->key_password)
		return refuse(err, option, key, "the key is encrypted, and there is no password");
	if (password.asked)
		return refuse(err, option, key, "the password does not decrypt the key");
	if (ERR_GET_LIB(ERR_peek_error()) == ERR_LIB_OSSL_DECODER)
		return refuse(err, option, key, "no private key in it");
	return option_error(err, option, key);
}

static bool set_identity(struct tls_ctx *c, const struct tls_params *p, struct error *err)
{
	if (!p->cert && p->key)
		return refuse(err, "tls.key", p->key, "a key without tls.cert");
	if (!p->cert)
		return true;
	if (!check_regular("tls.cert", p->cert, err) ||
	    (p->key && !check_regular("tls.key", p->key, err)))
		return false;
	note_file(c, p->cert);
	if (p->key)
		note_file(c, p->key);
	if (SSL_CTX_use_certificate_chain_file(c->ctx, p->cert) != 1)
		return option_error(err, "tls.cert", p->cert);
	return set_key(c, p, err);
}

static int wire_version(int version)
{
	assert(version == 0 || version == 12 || version == 13);
	return version == 12 ? TLS1_2_VERSION : version == 13 ? TLS1_3_VERSION : 0;
}

static bool set_algorithms(struct tls_ctx *c, const struct tls_params *p, struct error *err)
{
	static const unsigned char alpn[] = "\x08http/1.1";

	int min = wire_version(p->min_version ? p->min_version : 12);
	int max = wire_version(p->max_version);

	if (max && max < min)
		return refuse(err, "tls.max_version", "1.2", "below tls.min_version");
	if (SSL_CTX_set_min_proto_version(c->ctx, min) != 1 ||
	    SSL_CTX_set_max_proto_version(c->ctx, max) != 1)
		return tls_error(err, "tls.min_version, tls.max_version");
	if (p->ciphers && SSL_CTX_set_cipher_list(c->ctx, p->ciphers) != 1)
		return option_error(err, "tls.ciphers", p->ciphers);
	if (p->ciphersuites && SSL_CTX_set_ciphersuites(c->ctx, p->ciphersuites) != 1)
		return option_error(err, "tls.ciphersuites", p->ciphersuites);
	if (p->groups &&
	    SSL_CTX_ctrl(c->ctx, SSL_CTRL_SET_GROUPS_LIST, 0, (void *)(uintptr_t)p->groups) != 1)
		return refuse(err, "tls.groups", p->groups, "not a list of known groups");
	if (SSL_CTX_set_alpn_protos(c->ctx, alpn, sizeof(alpn) - 1) != 0)
		return tls_error(err, "ALPN");
	return true;
}

static bool set_pins(struct tls_ctx *c, const struct tls_params *p, struct error *err)
{
	c->pins = mem_array(p->n_pins, sizeof(*c->pins));
	for (size_t i = 0; i < p->n_pins; i++) {
		struct span text = span_str(p->pins[i]);
		uint8_t raw[BASE64_DECODED_MAX(44)];
		size_t n = 0;

		if (text.n != 44 || !base64_decode(raw, &n, text) || n != TLS_PIN_SIZE)
			return refuse(err, "tls.pin_sha256", p->pins[i],
				      "not the Base64 of a SHA-256 digest");
		memcpy(c->pins[c->n_pins++], raw, TLS_PIN_SIZE);
	}
	return true;
}

static int keylog_index(void)
{
	static int index = -1;

	if (index < 0)
		index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	return index;
}

/* NSS key log format; one line, one write. That it cannot be written is not worth a connection. */
static void on_keylog(const SSL *ssl, const char *line)
{
	const struct tls_ctx *c = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), keylog_index());
	struct iovec iov[] = {
		{ .iov_base = (void *)(uintptr_t)line, .iov_len = strlen(line) },
		{ .iov_base = (void *)(uintptr_t) "\n", .iov_len = 1 },
	};

	(void)!writev(c->keylog, iov, 2);
}

static bool set_keylog(struct tls_ctx *c, const struct tls_params *p, struct error *err)
{
	if (!p->keylog_file)
		return true;
	c->keylog = open(p->keylog_file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK,
			 0600);
	if (c->keylog < 0)
		return refuse(err, "tls.keylog_file", p->keylog_file, strerrordesc_np(errno));
	SSL_CTX_set_ex_data(c->ctx, keylog_index(), c);
	SSL_CTX_set_keylog_callback(c->ctx, on_keylog);
	return true;
}

struct tls_ctx *tls_ctx_new(const struct tls_params *params, struct error *err)
{
	struct tls_ctx *c = mem_zalloc(sizeof(*c));

	ERR_clear_error();
	c->refs = 1;
	c->keylog = -1;
	c->ktls = params->ktls;
	c->verify = params->verify;
	c->verify_hostname = params->verify && params->verify_hostname;
	c->ctx = SSL_CTX_new(TLS_client_method());
	assert(c->ctx);
	SSL_CTX_set_options(c->ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_mode(c->ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
					 SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
					 SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_cache_mode(c->ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_default_passwd_cb(c->ctx, on_password);
	if (set_trust(c, params, err) && set_identity(c, params, err) &&
	    set_algorithms(c, params, err) && set_pins(c, params, err) &&
	    set_keylog(c, params, err)) {
		ERR_clear_error(); /* success leaves entries, too */
		return c;
	}
	tls_ctx_unref(c);
	return NULL;
}

struct tls_ctx *tls_ctx_ref(struct tls_ctx *c)
{
	c->refs++;
	return c;
}

void tls_ctx_unref(struct tls_ctx *c)
{
	if (!c || --c->refs)
		return;
	SSL_CTX_free(c->ctx);
	for (size_t i = 0; i < c->n_files; i++)
		free(c->files[i].path);
	if (c->keylog >= 0)
		close(c->keylog);
	free(c->pins);
	free(c);
}
