/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See ws_conn.h: both sides of the opening handshake (RFC 6455, 4) with permessage-deflate
 * (RFC 7692). No more is checked than a load tool needs; the daemon's tests look closer.
 */
#include "bench/ws_conn.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "bench/load.h"

#define HEAD_MAX 32768
#define VALUE_MAX 1024

/* Reads up to the blank line and ends the head there as a string; NULL at the end of input. */
static const char *read_head(struct ws_conn *c)
{
	unsigned char *end = NULL;
	const char *head;

	for (size_t need = 1; !end; need = c->len - c->pos + 1) {
		if (need > HEAD_MAX || !ws_conn_fill(c, need))
			return NULL;
		end = memmem(c->buf + c->pos, c->len - c->pos, "\r\n\r\n", 4);
	}
	end[2] = '\0';
	head = (const char *)c->buf + c->pos;
	c->pos = (size_t)(end + 4 - c->buf);
	return head;
}

static bool read_header(const char *head, const char *name, char value[VALUE_MAX])
{
	size_t length = strlen(name);
	const char *line = head;

	while ((line = strstr(line, "\r\n"))) {
		line += 2;
		if (strncasecmp(line, name, length) != 0 || line[length] != ':')
			continue;
		line += length + 1;
		line += strspn(line, " \t");
		snprintf(value, VALUE_MAX, "%.*s", (int)strcspn(line, "\r\n"), line);
		return true;
	}
	return false;
}

/* The answer to a first offer of permessage-deflate; empty if there is none. */
static void agree(struct ws_conn *c, const char *head, char *answer, size_t size)
{
	static const char bits_name[] = "server_max_window_bits=";
	char offer[VALUE_MAX], bits_text[64] = "";
	const char *bits;

	answer[0] = '\0';
	if (!read_header(head, "Sec-WebSocket-Extensions", offer) ||
	    strncmp(offer, "permessage-deflate", 18) != 0)
		return;
	offer[strcspn(offer, ",")] = '\0';
	c->deflate = true;
	c->window_bits = 15;
	bits = strstr(offer, bits_name);
	if (bits) {
		bits += sizeof bits_name - 1;
		bits += *bits == '"';
		c->window_bits = (int)strtol(bits, NULL, 10);
		snprintf(bits_text, sizeof bits_text, "; %s%d", bits_name, c->window_bits);
	}
	c->no_takeover = strstr(offer, "server_no_context_takeover") != NULL;
	snprintf(answer, size,
		 "Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover%s%s\r\n",
		 bits_text, c->no_takeover ? "; server_no_context_takeover" : "");
}

bool ws_conn_accept(struct ws_conn *c, bool deflate)
{
	char key[VALUE_MAX], protocol[VALUE_MAX], text[2 * VALUE_MAX + 64], extension[VALUE_MAX];
	unsigned char digest[SHA_DIGEST_LENGTH], accept[64];
	const char *head = read_head(c);
	int length;

	if (!head)
		return false;
	if (!read_header(head, "Sec-WebSocket-Key", key))
		load_die("no Sec-WebSocket-Key in the request");
	length = snprintf(text, sizeof text, "%s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
	SHA1((unsigned char *)text, (size_t)length, digest);
	EVP_EncodeBlock(accept, digest, sizeof digest);
	extension[0] = '\0';
	if (deflate)
		agree(c, head, extension, sizeof extension);
	key[0] = '\0';
	if (read_header(head, "Sec-WebSocket-Protocol", protocol))
		snprintf(key, sizeof key, "Sec-WebSocket-Protocol: %.*s\r\n",
			 (int)strcspn(protocol, ", "), protocol);
	length = snprintf(text, sizeof text,
			  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
			  "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n%s%s\r\n",
			  accept, key, extension);
	if (length < 0 || (size_t)length >= sizeof text)
		load_die("the answer to the handshake is too long");
	return ws_conn_write(c, text, (size_t)length);
}

bool ws_conn_request(struct ws_conn *c, bool deflate)
{
	char text[512], extension[VALUE_MAX];
	const char *head;
	int length;

	/* Nobody judges the key here: it need not be random. */
	length = snprintf(text, sizeof text,
			  "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
			  "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
			  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n",
			  deflate ? "Sec-WebSocket-Extensions: permessage-deflate\r\n" : "");
	if (!ws_conn_write(c, text, (size_t)length))
		return false;
	head = read_head(c);
	if (!head || strncmp(head, "HTTP/1.1 101 ", 13) != 0)
		return false;
	c->deflate = read_header(head, "Sec-WebSocket-Extensions", extension);
	c->window_bits = 15;
	return c->deflate == deflate;
}
