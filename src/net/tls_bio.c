/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OpenSSL's view of a stream: a BIO that takes and gives through two
 * functions, without a buffer. "Nothing there" is a retry to OpenSSL; the end
 * of input is never one of its facts, so a missing close_notify cannot pass for
 * an end (telling them apart is tls_stream's). For TLS in the kernel OpenSSL's
 * own socket BIO lies below: it is asked for that, and has what OpenSSL then
 * writes and reads still, the records that are not data.
 */
#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <time.h>

#include "net/tls_int.h"

static int bio_read(BIO *bio, char *out, int n)
{
	struct tls_pipe *p = BIO_get_data(bio);
	BIO *kernel = BIO_next(bio);
	int got = kernel && BIO_get_ktls_recv(kernel) ? BIO_read(kernel, out, n) :
							p->take(p, out, n);

	BIO_clear_retry_flags(bio);
	if (got > 0)
		return got;
	BIO_set_retry_read(bio);
	return -1;
}

/* OpenSSL writes without MSG_NOSIGNAL, and not every program that we are in ignores SIGPIPE. */
static int write_quietly(BIO *kernel, const char *in, int n)
{
	static const struct timespec now = { 0 };

	sigset_t pipe, before;
	int given, os;

	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe, &before);
	given = BIO_write(kernel, in, n);
	os = errno;
	if (given < 0 && os == EPIPE && !sigismember(&before, SIGPIPE))
		sigtimedwait(&pipe, NULL, &now);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = os;
	return given;
}

static int bio_write(BIO *bio, const char *in, int n)
{
	struct tls_pipe *p = BIO_get_data(bio);
	BIO *kernel = BIO_next(bio);
	int given = kernel && BIO_get_ktls_send(kernel) ? write_quietly(kernel, in, n) :
							  p->give(p, in, n);

	BIO_clear_retry_flags(bio);
	if (given > 0)
		return given;
	BIO_set_retry_write(bio);
	return -1;
}

/* What was encrypted and waits would be encrypted once more: then the kernel may not begin. */
static long bio_ctrl(BIO *bio, int cmd, long num, void *ptr)
{
	struct tls_pipe *p = BIO_get_data(bio);
	BIO *kernel = BIO_next(bio);

	if (cmd == BIO_CTRL_FLUSH)
		return 1;
	return kernel && p && p->is_empty(p) ? BIO_ctrl(kernel, cmd, num, ptr) : 0;
}

/* One per process; OpenSSL wants it to outlive every BIO. */
static const BIO_METHOD *method(void)
{
	static BIO_METHOD *m;

	if (m)
		return m;
	m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "wsbridge stream");
	assert(m);
	BIO_meth_set_read(m, bio_read);
	BIO_meth_set_write(m, bio_write);
	BIO_meth_set_ctrl(m, bio_ctrl);
	return m;
}

BIO *tls_bio_new(struct tls_pipe *pipe, int kernel)
{
	BIO *bio = BIO_new(method());

	assert(bio);
	BIO_set_data(bio, pipe);
	BIO_set_init(bio, 1);
	if (kernel >= 0)
		BIO_push(bio, BIO_new_socket(kernel, BIO_NOCLOSE));
	return bio;
}
