/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The grammar of single strings for the way to a server: names, addresses,
 * what TLS is told. Nothing is looked up anywhere. The trap: an empty server
 * name, or one with a leading dot, would turn a check of the name into none.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/mem.h"
#include "conf/bridge_int.h"

#define HOST_MAX 253
#define DEVICE_MAX 15 /* IFNAMSIZ with its NUL is 16 */
#define DIGEST_SIZE 32
#define ALGORITHMS_MAX 4096

static const char host_chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "abcdefghijklmnopqrstuvwxyz0123456789-._";

static bool fail(struct error *err, const char *sentence)
{
	return error_set(err, ERR_INVALID_OPTION, "%s", sentence);
}

/* 4, 6, or 0 if it is no address of the n bytes. */
static int address_family(const char *text, size_t n)
{
	char copy[INET6_ADDRSTRLEN];
	uint8_t bytes[16];

	if (n >= sizeof(copy))
		return 0;
	memcpy(copy, text, n);
	copy[n] = '\0';
	if (inet_pton(AF_INET, copy, bytes) == 1)
		return 4;
	return inet_pton(AF_INET6, copy, bytes) == 1 ? 6 : 0;
}

static bool is_host_name(const char *text, size_t n)
{
	return n > 0 && n <= HOST_MAX && strspn(text, host_chars) >= n;
}

/* "" or digits up to `most`. */
static bool is_number(const char *text, unsigned least, unsigned most)
{
	unsigned v = 0;

	if (*text == '\0')
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		v = v * 10 + (unsigned)(*text - '0');
		if (v > most)
			return false;
	}
	return v >= least;
}

bool conf_check_server_name(const char *text, struct error *err)
{
	size_t n = strlen(text);

	if (n == 0)
		return fail(err, "must not be empty");
	if (*text == '.')
		return fail(err, "must not begin with a dot");
	if (n > HOST_MAX)
		return error_set(err, ERR_INVALID_OPTION, "has %zu bytes, more than %d", n,
				 HOST_MAX);
	if (!is_host_name(text, n) && !address_family(text, n))
		return fail(err, "must be a host name, or an address without brackets");
	return true;
}

bool conf_check_algorithms(const char *text, struct error *err)
{
	size_t n = strlen(text);

	if (n == 0)
		return fail(err, "must not be empty");
	if (n > ALGORITHMS_MAX)
		return error_set(err, ERR_INVALID_OPTION, "has %zu bytes, more than %d", n,
				 ALGORITHMS_MAX);
	for (; *text; text++)
		if (*text <= ' ' || *text >= 0x7F)
			return fail(err, "must be names of OpenSSL with colons between them");
	return true;
}

bool conf_check_pin(const char *text, struct error *err)
{
	uint8_t digest[BASE64_DECODED_MAX(BASE64_ENCODED_SIZE(DIGEST_SIZE))];
	size_t n = strlen(text), size = 0;

	if (n != BASE64_ENCODED_SIZE(DIGEST_SIZE) ||
	    !base64_decode(digest, &size, span_of(text, n)) || size != DIGEST_SIZE)
		return fail(err, "must be a SHA-256 digest in 44 characters of Base64");
	return true;
}

static bool check_block(const char *text, const char *slash, struct error *err)
{
	int family = address_family(text, (size_t)(slash - text));

	if (!family)
		return fail(err, "what stands before the \"/\" is not an IPv4 or IPv6 address");
	if (!is_number(slash + 1, 0, family == 4 ? 32 : 128))
		return error_set(err, ERR_INVALID_OPTION,
				 "behind the \"/\" a number of bits from 0 to %d must stand",
				 family == 4 ? 32 : 128);
	return true;
}

/* A name or address with or without a port, of n bytes up to the port's colon. */
static bool check_place(const char *text, size_t n, struct error *err)
{
	size_t dot = *text == '.';

	if (*text == '[') {
		if (n < 2 || text[n - 1] != ']' || address_family(text + 1, n - 2) != 6)
			return fail(err, "what stands in the brackets is not an IPv6 address");
	} else if (!is_host_name(text + dot, n - dot)) {
		return fail(err, "must be a host, .SUFFIX, an address, a CIDR block or \"*\"");
	}
	if (text[n] && !is_number(text + n + 1, 1, 65535))
		return fail(err, "the port is not a number from 1 to 65535");
	return true;
}

bool conf_check_no_proxy(const char *text, struct error *err)
{
	const char *slash = strchr(text, '/'), *end;

	if (strcmp(text, "*") == 0 || address_family(text, strlen(text)))
		return true;
	if (*text == '*')
		return fail(err, "a \"*\" stands alone; all names below one are .NAME");
	if (slash)
		return check_block(text, slash, err);
	end = *text == '[' ? strchr(text, ']') : text;
	end = strchrnul(end ? end : text, ':');
	return check_place(text, (size_t)(end - text), err);
}

int conf_address_family(const char *text)
{
	const char *scope = strchr(text, '%');
	int family = address_family(text, scope ? (size_t)(scope - text) : strlen(text));

	if (!scope)
		return family;
	return family == 6 && conf_check_device(scope + 1, &(struct error){ 0 }) ? 6 : 0;
}

bool conf_check_address(const char *text, struct error *err)
{
	if (!conf_address_family(text))
		return fail(err, "must be an IPv4 or IPv6 address, without brackets and port");
	return true;
}

static bool is_port(const char *text)
{
	size_t n = strspn(text, "0123456789");
	long port = n > 0 && n < 6 && text[n] == '\0' ? strtol(text, NULL, 10) : 0;

	return port > 0 && port <= 65535;
}

/* What is served there is for this machine only, for nobody is asked who he is. */
bool conf_check_loopback(const char *text, struct error *err)
{
	const char *colon = strrchr(text, ':');
	mem_auto_str host = colon ? mem_strndup(text, (size_t)(colon - text)) : mem_strdup("");

	if (colon && is_port(colon + 1) &&
	    (strcmp(host, "[::1]") == 0 ||
	     (strncmp(host, "127.", 4) == 0 && conf_address_family(host) == 4)))
		return true;
	return fail(err, "must be a loopback address and a port, such as \"127.0.0.1:9469\" or "
			 "\"[::1]:9469\"");
}

/* What the kernel takes as the name of an interface, and visible. */
bool conf_check_device(const char *text, struct error *err)
{
	size_t n = strlen(text);

	if (n == 0 || n > DEVICE_MAX)
		return error_set(err, ERR_INVALID_OPTION,
				 "the name of an interface has 1 to %d bytes", DEVICE_MAX);
	for (; *text; text++)
		if ((unsigned char)*text <= ' ' || *text == 0x7F || strchr("/:%", *text))
			return fail(err, "is not the name of an interface");
	return true;
}
