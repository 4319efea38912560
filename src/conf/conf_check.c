/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The grammar of single strings: what may go into the handshake, and where a
 * socket may lie. Refused, never repaired. Nothing is looked up in the file
 * system. The trap: a sentence must not quote the text, it may be a secret.
 */
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/http_head.h"
#include "base/mem.h"
#include "conf/bridge_int.h"

#define FIELD_MAX 8192			      /* what common servers take as one line */
#define PASSWORD_MAX 1024		      /* what OpenSSL reads for a key (PEM_BUFSIZE) */
#define ACCOUNT_MAX 255			      /* LOGIN_NAME_MAX without its NUL */
#define FIFO_PATH_MAX ((size_t)PATH_MAX - 16) /* beside it stand files with longer names */
#define INHERITED "systemd:"
#define INHERITED_MAX 255    /* FDNAME_MAX of systemd */
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

/* A path that a socket or FIFO of ours is made at. */
static bool check_own_path(const char *text, size_t max, const char *what, struct error *err)
{
	size_t n = strlen(text);

	if (text[0] != '/')
		return fail(err, "must be an absolute path");
	if (n > max)
		return error_set(err, ERR_INVALID_OPTION,
				 "the path has %zu bytes, a %s's may have at most %zu", n, what,
				 max);
	if (text[n - 1] == '/')
		return error_set(err, ERR_INVALID_OPTION, "must name a %s, not a folder", what);
	return no_controls(text, err);
}

bool conf_check_fifo(const char *text, struct error *err)
{
	return check_own_path(text, FIFO_PATH_MAX, "FIFO", err);
}

/* unix(7): any bytes may follow, but these are to be written down by people. */
static bool check_abstract(const char *name, struct error *err)
{
	size_t n = strlen(name);

	if (n == 0 || n > CONF_SOCKET_PATH_MAX)
		return error_set(err, ERR_INVALID_OPTION,
				 "behind \"@\" a name of 1 to %d bytes must follow",
				 CONF_SOCKET_PATH_MAX);
	return no_controls(name, err);
}

/* What systemd takes as FileDescriptorName= (systemd.socket(5)). */
static bool check_inherited(const char *name, struct error *err)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < n; i++)
		if (name[i] < ' ' || name[i] > '~' || name[i] == ':')
			n = 0;
	if (n == 0 || n > INHERITED_MAX)
		return error_set(err, ERR_INVALID_OPTION,
				 "behind \"systemd:\" a name of 1 to %d ASCII characters without a "
				 "colon must follow",
				 INHERITED_MAX);
	return true;
}

bool conf_check_socket(const char *text, struct error *err)
{
	if (text[0] == '@')
		return check_abstract(text + 1, err);
	if (strncmp(text, INHERITED, strlen(INHERITED)) == 0)
		return check_inherited(text + strlen(INHERITED), err);
	return check_own_path(text, CONF_SOCKET_PATH_MAX, "socket", err);
}

bool conf_check_account(const char *text, struct error *err)
{
	size_t n = strlen(text);

	if (n == 0 || n > ACCOUNT_MAX)
		return error_set(err, ERR_INVALID_OPTION, "must be a name or a number");
	if (strpbrk(text, ":/, \t"))
		return fail(err, "must be a name or a number, without \":\", \"/\" and blanks");
	if (strspn(text, "0123456789") == n && (n > 10 || strtoull(text, NULL, 10) >= UINT32_MAX))
		return error_set(err, ERR_INVALID_OPTION, "as a number it must be below %u",
				 UINT32_MAX);
	return no_controls(text, err);
}

char *conf_plain_place(const char *place)
{
	return *place == '/' ? conf_plain_path(place) : mem_strdup(place);
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
