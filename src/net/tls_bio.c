/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OpenSSL's view of a stream: a BIO that takes and gives through two
 * functions, without a descriptor and without a buffer. "Nothing there" is a
 * retry to OpenSSL; the end of input is never one of its facts, so a missing
 * close_notify cannot pass for an end (telling them apart is tls_stream's).
 */
#include <assert.h>

#include "net/tls_int.h"

static int bio_read(BIO *bio, char *out, int n)
{
	struct tls_pipe *p = BIO_get_data(bio);
	int got = p->take(p, out, n);

	BIO_clear_retry_flags(bio);
	if (got > 0)
		return got;
	BIO_set_retry_read(bio);
	return -1;
}

static int bio_write(BIO *bio, const char *in, int n)
{
	struct tls_pipe *p = BIO_get_data(bio);
	int given = p->give(p, in, n);

	BIO_clear_retry_flags(bio);
	if (given > 0)
		return given;
	BIO_set_retry_write(bio);
	return -1;
}

static long bio_ctrl(BIO *bio, int cmd, long num, void *ptr)
{
	(void)bio;
	(void)num;
	(void)ptr;
	return cmd == BIO_CTRL_FLUSH;
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

BIO *tls_bio_new(struct tls_pipe *pipe)
{
	BIO *bio = BIO_new(method());

	assert(bio);
	BIO_set_data(bio, pipe);
	BIO_set_init(bio, 1);
	return bio;
}
