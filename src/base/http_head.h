/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/1.1 head → status (or method and target) and header fields (RFC 9112).
 * Incremental, and looks for the end of a line only in new bytes: a head that
 * drips in byte by byte costs the same as a whole one. Shared by the WebSocket
 * upgrade, by CONNECT and, for requests, by the echo server.
 * Limits: first line 4 KiB, header line 8 KiB (both with their CRLF), 100
 * lines, 32 KiB in all. Strict: CRLF only, no folding, token names, no control
 * characters in values. Fields that come twice are the caller's business.
 */
#ifndef WSB_BASE_HTTP_HEAD_H
#define WSB_BASE_HTTP_HEAD_H

#include "base/buf.h"
#include "base/error.h"

#define HTTP_FIRST_LINE_MAX 4096
#define HTTP_LINE_MAX 8192
#define HTTP_LINES_MAX 100
#define HTTP_HEAD_MAX 32768

enum http_head_result { HTTP_HEAD_MORE, HTTP_HEAD_DONE, HTTP_HEAD_BAD };

struct http_field {
	struct span name, value; /* value without surrounding white space */
};

struct http_head {
	struct buf bytes;  /* the head as received */
	size_t line_start; /* of the line that is being read */
	bool is_request;
	int status;	/* 100...999, once the status line is in; 0 in a request */
	unsigned minor; /* HTTP/1.minor */
	size_t n_lines; /* header lines so far */
	uint16_t method_len, target, target_len; /* of a request; the method is at 0 */
	struct http_field_at {
		uint16_t name, name_len, value, value_len; /* offsets into bytes */
	} * fields;
	size_t fields_size;
};

void http_head_init(struct http_head *h);	  /* for a response */
void http_head_init_request(struct http_head *h); /* for a request: "GET /path HTTP/1.1" */
void http_head_deinit(struct http_head *h);

/*
 * Takes bytes off *input up to and including the empty line; what follows
 * stays. BAD: *err is ERR_PROTOCOL and says what is wrong (ERR_INTERNAL if
 * memory is short); h is useless then but for deinit.
 */
enum http_head_result http_head_feed(struct http_head *h, struct span *input, struct error *err);

/* Once more, from bytes that another one had taken: as far as that was. */
void http_head_again(struct http_head *h, struct span bytes);

/* Of a request, once the request line is in; valid as long as h. */
struct span http_head_method(const struct http_head *h);
struct span http_head_target(const struct http_head *h); /* visible ASCII only, not empty */

/* The i-th field in order of arrival, i < n_lines. Valid as long as h. */
struct http_field http_head_field(const struct http_head *h, size_t i);

/*
 * The next field with this name (case-insensitive) from index *i on; *i is
 * set behind it. False if there is none.
 */
bool http_head_find(const struct http_head *h, const char *name, size_t *i, struct span *value);

/* Is `token` in the comma-separated list `value`, case-insensitive (RFC 9110, 5.6.1)? */
bool http_list_has_token(struct span value, const char *token);

bool http_is_token(struct span s);	 /* RFC 9110, 5.6.2; not empty */
bool http_is_field_value(struct span s); /* no control characters but HTAB; may be empty */

#endif
