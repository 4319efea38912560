/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a context is made from: each option at work, each way it can be wrong with
 * its sentence, client certificates, the key log, files that change.
 */
#include "tls_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <sys/stat.h>
#include <sys/wait.h>

static void check_refused(const struct tls_params *params, const char *option, const char *sentence)
{
	struct error err = ERROR_INIT;

	assert_null(tls_ctx_new(params, &err));
	assert_string_equal(err.text, sentence);
	assert_string_equal(err.option, option);
	assert_int_equal(err.code, ERR_TLS);
	assert_int_equal(err.stage, STAGE_TLS);
	assert_int_equal(ERR_peek_error(), 0);
}

/* The sentence with the path of a file of the rig in it. */
static const char *about(const char *fmt, const char *file)
{
	static char text[300];
	char *at = strstr(fmt, "%");

	snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - fmt), fmt, rig_path(file), at + 1);
	return text;
}

static void write_text(const char *name, const char *text)
{
	FILE *f = fopen(rig_path(name), "we");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
	fclose(f);
}

static void test_files_at_fault(void **state)
{
	struct tls_params p;

	(void)state;
	write_text("garbage", "not a certificate\n");
	p = rig_params();
	p.ca_file = rig_path("none");
	check_refused(&p, "tls.ca_file",
		      about("tls.ca_file \"%\": No such file or directory", "none"));
	p.ca_file = rig_path("garbage");
	check_refused(&p, "tls.ca_file",
		      about("tls.ca_file \"%\": no certificate or crl found", "garbage"));
	p = rig_params();
	p.ca_dir = rig_path("none");
	check_refused(&p, "tls.ca_dir",
		      about("tls.ca_dir \"%\": No such file or directory", "none"));
	p.ca_dir = rig_path("ca.crt");
	check_refused(&p, "tls.ca_dir", about("tls.ca_dir \"%\": Not a directory", "ca.crt"));
	p = rig_params();
	p.keylog_file = "/";
	check_refused(&p, "tls.keylog_file", "tls.keylog_file \"/\": Is a directory");
}

static void test_client_certificate_at_fault(void **state)
{
	struct tls_params p = rig_params();

	(void)state;
	p.cert = rig_path("none");
	check_refused(&p, "tls.cert", about("tls.cert \"%\": No such file or directory", "none"));
	p.cert = rig_path("garbage");
	check_refused(&p, "tls.cert", about("tls.cert \"%\": no start line", "garbage"));
	p.cert = rig_path("client.crt"); /* no key in it */
	check_refused(&p, "tls.cert", about("tls.cert \"%\": no private key in it", "client.crt"));
	p.key = rig_path("good.key");
	check_refused(&p, "tls.key", about("tls.key \"%\": key values mismatch", "good.key"));
	p.key = rig_path("none");
	check_refused(&p, "tls.key", about("tls.key \"%\": No such file or directory", "none"));
	p.cert = NULL;
	p.key = rig_path("client.key");
	check_refused(&p, "tls.key", about("tls.key \"%\": a key without tls.cert", "client.key"));
}

static void test_algorithms_at_fault(void **state)
{
	static const char *const pins[] = { "", "AAAA",
					    "*AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" };
	struct tls_params p = rig_params();

	(void)state;
	p.ciphers = "NO-SUCH-CIPHER";
	check_refused(&p, "tls.ciphers", "tls.ciphers \"NO-SUCH-CIPHER\": no cipher match");
	p = rig_params();
	p.ciphersuites = "NO_SUCH_SUITE";
	check_refused(&p, "tls.ciphersuites",
		      "tls.ciphersuites \"NO_SUCH_SUITE\": no cipher match");
	p = rig_params();
	p.groups = "P-256:nonsense";
	check_refused(&p, "tls.groups",
		      "tls.groups \"P-256:nonsense\": not a list of known groups");
	p = rig_params();
	p.min_version = 13;
	p.max_version = 12;
	check_refused(&p, "tls.max_version", "tls.max_version \"1.2\": below tls.min_version");
	for (size_t i = 0; i < sizeof(pins) / sizeof(pins[0]); i++) {
		char sentence[200];

		p = rig_params();
		p.pins = &pins[i];
		p.n_pins = 1;
		snprintf(sentence, sizeof(sentence),
			 "tls.pin_sha256 \"%s\": not the Base64 of a SHA-256 digest", pins[i]);
		check_refused(&p, "tls.pin_sha256", sentence);
	}
}

/* sentence NULL: it works, and version and cipher are these. */
static void check_agreement(const struct tls_peer_conf *peer, const struct tls_params *params,
			    const char *version, const char *cipher, const char *sentence)
{
	struct tls_rig r;

	rig_init(&r, peer, params);
	rig_shake(&r, "a.example");
	assert_string_equal(r.err.text, sentence ? sentence : "");
	if (!sentence) {
		assert_string_equal(tls_stream_info(r.stream)->version, version);
		if (cipher)
			assert_string_equal(tls_stream_info(r.stream)->cipher, cipher);
	} else {
		assert_int_equal(r.err.code, ERR_TLS);
		assert_int_equal(r.peer.app_in, 0);
	}
	rig_deinit(&r);
}

static void test_versions(void **state)
{
	static const char *const alert =
		"TLS handshake: the server sent the alert \"protocol version\" (70)";
	struct tls_peer_conf only_12 = { .cert = "good", .max_version = TLS1_2_VERSION };
	struct tls_peer_conf only_13 = { .cert = "good", .min_version = TLS1_3_VERSION };
	struct tls_peer_conf old = { .cert = "good",
				     .min_version = TLS1_VERSION,
				     .max_version = TLS1_1_VERSION,
				     .ciphers = "ALL:@SECLEVEL=0" };
	struct tls_params p = rig_params();

	(void)state;
	check_agreement(&only_12, &p, "TLSv1.2", NULL, NULL);
	check_agreement(&only_13, &p, "TLSv1.3", NULL, NULL);
	check_agreement(&old, &p, NULL, NULL, alert);
	p.ciphers = "ALL:@SECLEVEL=0"; /* does not open the door to old versions */
	check_agreement(&old, &p, NULL, NULL, alert);
	p = rig_params();
	p.min_version = 13;
	check_agreement(&only_12, &p, NULL, NULL, alert);
	p = rig_params();
	p.max_version = 12;
	check_agreement(&only_13, &p, NULL, NULL, alert);
	check_agreement(NULL, &p, "TLSv1.2", NULL, NULL);
}

static void test_ciphers_and_groups(void **state)
{
	static const char *const alert =
		"TLS handshake: the server sent the alert \"handshake failure\" (40)";
	struct tls_peer_conf peer = { .cert = "good" };
	struct tls_params p = rig_params();

	(void)state;
	p.ciphersuites = "TLS_CHACHA20_POLY1305_SHA256";
	check_agreement(&peer, &p, "TLSv1.3", "TLS_CHACHA20_POLY1305_SHA256", NULL);
	p.ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256";
	p.max_version = 12;
	check_agreement(&peer, &p, "TLSv1.2", "ECDHE-ECDSA-AES128-GCM-SHA256", NULL);
	p.ciphers = "ECDHE-RSA-AES128-GCM-SHA256"; /* its certificate is ECDSA */
	check_agreement(&peer, &p, NULL, NULL, alert);
	p = rig_params();
	p.groups = "P-384";
	peer.groups = "X25519:P-384";
	check_agreement(&peer, &p, "TLSv1.3", NULL, NULL);
	peer.groups = "X25519";
	check_agreement(&peer, &p, NULL, NULL, alert);
}

static void check_identity(struct tls_params *p, int version, const char *sentence)
{
	struct tls_peer_conf peer = {
		.cert = "good", .client_ca = "ca", .min_version = version, .max_version = version
	};
	struct tls_rig r;

	rig_init(&r, &peer, p);
	rig_shake(&r, "a.example");
	if (!sentence) {
		rig_send(&r, 10);
		rig_wait_app_in(&r, 10);
	} else if (version == TLS1_3_VERSION) { /* RFC 8446, 4.4.2.4: we are through before it is */
		rig_wait_end(&r);
		assert_int_equal(r.err.stage, STAGE_NONE);
	}
	assert_string_equal(r.err.text, sentence ? sentence : "");
	assert_int_equal(r.err.code, sentence ? ERR_TLS : ERR_NONE);
	rig_deinit(&r);
}

static void test_client_certificate(void **state)
{
	struct tls_params p = rig_params();

	(void)state;
	check_identity(&p, TLS1_2_VERSION,
		       "TLS handshake: the server sent the alert \"handshake failure\" (40)");
	check_identity(&p, TLS1_3_VERSION,
		       "TLS: the server requires a client certificate (tls.cert)");
	p.cert = rig_path("self.crt");
	p.key = rig_path("self.key");
	check_identity(&p, TLS1_3_VERSION, "TLS: the server sent the alert \"unknown CA\" (48)");
	p.cert = rig_path("client.crt");
	p.key = rig_path("client.key");
	check_identity(&p, TLS1_2_VERSION, NULL);
	check_identity(&p, TLS1_3_VERSION, NULL);
	p.key_password = "not needed";
	check_identity(&p, TLS1_3_VERSION, NULL);
}

static void append_file(FILE *to, const char *name)
{
	FILE *f = fopen(rig_path(name), "re");
	int c;

	assert_non_null(f);
	while ((c = getc(f)) != EOF)
		putc(c, to);
	fclose(f);
}

static void test_encrypted_key(void **state)
{
	struct tls_params p = rig_params();
	char longest[2000];
	FILE *f;

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	p.cert = rig_path("locked.crt");
	p.key = rig_path("locked.key");
	p.key_password = "correct horse";
	check_identity(&p, TLS1_3_VERSION, NULL);
	f = fopen(rig_path("both.pem"), "we");
	append_file(f, "locked.key");
	append_file(f, "locked.crt");
	fclose(f);
	p.cert = rig_path("both.pem");
	p.key = NULL;
	check_identity(&p, TLS1_2_VERSION, NULL);
	p.key_password = "wrong";
	check_refused(&p, "tls.cert",
		      about("tls.cert \"%\": the password does not decrypt the key", "both.pem"));
	p.key = rig_path("locked.key");
	for (const char *const *wrong = (const char *const[]){ "", "wrong", longest, NULL }; *wrong;
	     wrong++) {
		p.key_password = *wrong;
		check_refused(&p, "tls.key",
			      about("tls.key \"%\": the password does not decrypt the key",
				    "locked.key"));
	}
	p.key_password = NULL;
	check_refused(&p, "tls.key",
		      about("tls.key \"%\": the key is encrypted, and there is no password",
			    "locked.key"));
}

/* With the right password at stdin and no terminal: whoever asks gets it. */
static int load_without_password(void)
{
	struct tls_params p = rig_params();
	struct error err = ERROR_INIT;
	int fds[2];
	char c;

	setsid();
	if (pipe2(fds, O_NONBLOCK | O_CLOEXEC) < 0 || write(fds[1], "correct horse\n", 14) != 14 ||
	    dup3(fds[0], STDIN_FILENO, 0) < 0)
		return 3;
	p.cert = rig_path("locked.crt");
	p.key = rig_path("locked.key");
	if (tls_ctx_new(&p, &err))
		return 1;
	p = rig_params();
	p.ca_file = rig_path("locked.key"); /* neither for an encrypted key where none belongs */
	if (tls_ctx_new(&p, &err))
		return 2;
	return read(STDIN_FILENO, &c, 1) == 1 && c == 'c' ? 0 : 4;
}

static void test_nobody_is_asked_for_a_password(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(load_without_password());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void test_key_log(void **state)
{
	struct tls_params p = rig_params();
	char text[4096];
	struct stat st;
	FILE *f;

	(void)state;
	write_text("keys", "# kept\n");
	p.keylog_file = rig_path("keys");
	check_agreement(NULL, &p, "TLSv1.3", NULL, NULL);
	p.max_version = 12;
	check_agreement(NULL, &p, "TLSv1.2", NULL, NULL);
	f = fopen(rig_path("keys"), "re");
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	assert_ptr_equal(strstr(text, "# kept\n"), text);
	assert_non_null(strstr(text, "\nCLIENT_TRAFFIC_SECRET_0 "));
	assert_non_null(strstr(text, "\nSERVER_TRAFFIC_SECRET_0 "));
	assert_non_null(strstr(text, "\nCLIENT_RANDOM "));
	p.keylog_file = rig_path("new_keys");
	check_agreement(NULL, &p, "TLSv1.2", NULL, NULL);
	assert_int_equal(stat(rig_path("new_keys"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void replace(const char *name, const char *with)
{
	FILE *f = fopen(rig_path("new"), "we");

	append_file(f, with);
	fclose(f);
	assert_int_equal(rename(rig_path("new"), rig_path(name)), 0);
}

static void check_outdated_by(const struct tls_params *p, const char *name, const char *with)
{
	struct error err = ERROR_INIT;
	struct tls_ctx *c = tls_ctx_new(p, &err);

	assert_non_null(c);
	assert_true(tls_ctx_is_current(c));
	if (with)
		replace(name, with);
	else
		unlink(rig_path(name));
	assert_false(tls_ctx_is_current(c));
	tls_ctx_unref(c);
}

static void test_files_that_change(void **state)
{
	struct tls_params p = rig_params();

	(void)state;
	replace("my.ca", "ca.crt");
	replace("my.crt", "client.crt");
	replace("my.key", "client.key");
	p.ca_file = rig_path("my.ca");
	p.cert = rig_path("my.crt");
	p.key = rig_path("my.key");
	check_outdated_by(&p, "my.ca", "ca.crt"); /* the same bytes, another file */
	check_outdated_by(&p, "my.crt", "client.crt");
	check_outdated_by(&p, "my.key", "client.key");
	check_outdated_by(&p, "my.key", NULL);
	p = rig_params();
	p.ca_file = NULL;
	p.ca_dir = rig_dir;
	check_outdated_by(&p, "fresh", "ca.crt"); /* a new name in a directory */
	setenv("SSL_CERT_FILE", rig_path("store"), 1);
	p.ca_dir = NULL;
	check_outdated_by(&p, "store", "ca.crt"); /* was not there before */
	check_outdated_by(&p, "store", "other.crt");
	unsetenv("SSL_CERT_FILE");
}

/* A connection keeps the context it began with. */
static void test_references(void **state)
{
	struct tls_rig r;

	(void)state;
	rig_init(&r, NULL, NULL);
	assert_ptr_equal(tls_ctx_ref(r.ctx), r.ctx);
	tls_ctx_unref(r.ctx);
	rig_start(&r, "a.example");
	tls_ctx_unref(r.ctx);
	r.ctx = NULL;
	rig_wait_end_of_handshake(&r);
	rig_send(&r, 10);
	rig_wait_app_in(&r, 10);
	tls_ctx_unref(NULL);
	rig_deinit(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files_at_fault),
		cmocka_unit_test(test_client_certificate_at_fault),
		cmocka_unit_test(test_algorithms_at_fault),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_ciphers_and_groups),
		cmocka_unit_test(test_client_certificate),
		cmocka_unit_test(test_encrypted_key),
		cmocka_unit_test(test_nobody_is_asked_for_a_password),
		cmocka_unit_test(test_key_log),
		cmocka_unit_test(test_files_that_change),
		cmocka_unit_test(test_references),
	};

	return cmocka_run_group_tests(tests, rig_begin, rig_end);
}
