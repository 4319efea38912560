/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The grammar of single strings: what may go into the handshake, and where a
 * socket may lie. Refused, never repaired. Nothing is looked up in the file
 * system. The trap: a sentence must not quote the text, it may be a secret.
 */
#include <limits.h>
#include <string.h>

#include "base/http_head.h"
#include "base/mem.h"
#include "conf/bridge_int.h"

#define FIELD_MAX 8192	     /* what common servers take as one line */
#define PASSWORD_MAX 1024    /* what OpenSSL reads for a key (PEM_BUFSIZE) */
#define PING_PAYLOAD_MAX 125 /* RFC 6455, 5.5 */

static bool fail(struct error *err, const char *sentence)
{
	return error_set(err, ERR_INVALID_OPTION, "%s", sentence);
}

static bool no_controls(const char *text, struct error *err)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7F)
			return fail(err, "must not contain control characters");
	return true;
}

/* What a header value of ours looks like (RFC 9110, 5.5), and not empty. */
bool conf_check_field(const char *text, struct error *err)
{
	size_t n = strlen(text);

	if (n == 0)
		return fail(err, "must not be empty");
	if (n > FIELD_MAX)
		return error_set(err, ERR_INVALID_OPTION, "has %zu bytes, more than %d", n,
				 FIELD_MAX);
	if (!http_is_field_value(span_of(text, n)))
		return fail(err, "must not contain CR, LF or other control characters");
	if (strchr(" \t", text[0]) || strchr(" \t", text[n - 1]))
		return fail(err, "must not begin or end with white space");
	return true;
}

static bool check_one_word(const char *text, struct error *err)
{
	if (!conf_check_field(text, err))
		return false;
	if (strpbrk(text, " \t"))
		return fail(err, "must not contain white space");
	return true;
}

bool conf_check_host(const char *text, struct error *err)
{
	if (!check_one_word(text, err))
		return false;
	if (strpbrk(text, "/?#@\\,"))
		return fail(err, "must be HOST or HOST:PORT, without scheme and path");
	return true;
}

bool conf_check_origin(const char *text, struct error *err)
{
	return check_one_word(text, err);
}

bool conf_check_token(const char *text, struct error *err)
{
	return check_one_word(text, err);
}

bool conf_check_subprotocol(const char *text, struct error *err)
{
	if (!http_is_token(span_str(text)))
		return fail(err, "must be a token: letters, digits and !#$%&'*+-.^_`|~");
	return true;
}

bool conf_check_payload(const char *text, struct error *err)
{
	size_t n = strlen(text);

	if (n > PING_PAYLOAD_MAX)
		return error_set(err, ERR_INVALID_OPTION,
				 "has %zu bytes, a ping carries at most %d", n, PING_PAYLOAD_MAX);
	return true;
}

bool conf_check_path(const char *text, struct error *err)
{
	size_t n = strlen(text);

	if (text[0] != '/')
		return fail(err, "must be an absolute path");
	if (n >= PATH_MAX)
		return error_set(err, ERR_INVALID_OPTION, "the path has %zu bytes, more than %d", n,
				 PATH_MAX - 1);
	return no_controls(text, err);
}

bool conf_check_password(const char *text, struct error *err)
{
	size_t n = strlen(text);

	if (n > PASSWORD_MAX)
		return error_set(err, ERR_INVALID_OPTION, "has %zu bytes, more than %d", n,
				 PASSWORD_MAX);
	return no_controls(text, err); /* RFC 7617, 2 */
}

bool conf_check_user(const char *text, struct error *err)
{
	if (*text == '\0')
		return fail(err, "must not be empty");
	if (strchr(text, ':')) /* RFC 7617, 2: it ends the user name */
		return fail(err, "must not contain a colon");
	return conf_check_password(text, err);
}

bool conf_check_socket_path(const char *text, struct error *err)
{
	size_t n = strlen(text);

	if (text[0] == '@')
		return fail(err, "abstract sockets are not supported by this version");
	if (strncmp(text, "systemd:", 8) == 0)
		return fail(err,
			    "sockets inherited from systemd are not supported by this version");
	if (text[0] != '/')
		return fail(err, "must be an absolute path");
	if (n > CONF_SOCKET_PATH_MAX)
		return error_set(err, ERR_INVALID_OPTION,
				 "the path has %zu bytes, a socket's may have at most %d", n,
				 CONF_SOCKET_PATH_MAX);
	if (text[n - 1] == '/')
		return fail(err, "must name a socket, not a folder");
	return no_controls(text, err);
}

char *conf_plain_path(const char *path)
{
	char *plain = mem_alloc(strlen(path) + 2), *out = plain;

	for (;;) {
		size_t n;

		path += strspn(path, "/");
		n = strcspn(path, "/");
		if (n == 0)
			break;
		if (n > 1 || *path != '.') {
			*out++ = '/';
			memcpy(out, path, n);
			out += n;
		}
		path += n;
	}
	*out = '\0';
	return plain;
}
