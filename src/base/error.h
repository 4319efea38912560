/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one error value, from the failing system call to the exit status of the
 * command line. It lives on the caller's stack; a failing function fills it
 * and returns false; each layer on the way up may put its context in front.
 * A finished sentence: `bridge "feed": dial example.net:443: refused`.
 */
#ifndef WSB_BASE_ERROR_H
#define WSB_BASE_ERROR_H

#include <stdbool.h>

enum err {
	ERR_NONE = 0,
#define X(name, rpc, kind, status, sentence) ERR_##name,
#include "base/errors.def"
#undef X
};

/* The part of an attempt in which it failed; error.data.stage. */
enum stage {
	STAGE_NONE,
	STAGE_RESOLVE,
	STAGE_CONNECT,
	STAGE_PROXY,
	STAGE_TLS,
	STAGE_HANDSHAKE,
	STAGE_OPEN,
};

struct error {
	enum err code;
	enum stage stage;
	int os;		 /* errno, 0 = none */
	int status;	 /* HTTP status of a refused handshake, 0 = none */
	int close_code;	 /* RFC 6455, 7.4; 0 = none */
	char option[96]; /* dotted path of the option at fault, "" = none */
	char text[400];	 /* a sentence, valid UTF-8, without secrets, cut at the end if too long */
};

#define ERROR_INIT ((struct error){ 0 })

/*
 * Sets code and text and clears the rest. Always returns false, so that a
 * failing function can end with `return error_set(err, …)`.
 */
bool error_set(struct error *err, enum err code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* As error_set, with errno `os` kept and its description behind: "open /x: Permission denied". */
bool error_set_os(struct error *err, enum err code, int os, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* As error_set with ERR_INVALID_OPTION, for the option with the dotted path `option`. */
bool error_set_option(struct error *err, const char *option, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Puts "CONTEXT: " in front of the text. Returns false, as above. */
bool error_context(struct error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * An error that an object keeps: on the heap, so that it costs a pointer as long as all is well.
 * Takes the place of an older one. free(3).
 */
void error_keep(struct error **kept, const struct error *err);

/* Table look-ups; any value of the enum is valid. */
const char *error_kind(enum err code);	   /* "not_open"; ERR_NONE: "none" */
int error_rpc_code(enum err code);	   /* -32004; ERR_NONE: 0 */
int error_exit_status(enum err code);	   /* 5; ERR_NONE: 0 */
const char *error_sentence(enum err code); /* the default sentence */
const char *stage_name(enum stage stage);  /* "resolve"; STAGE_NONE: NULL */

/* May a second try succeed without a change by somebody? */
bool error_is_retryable(const struct error *err);
/* Is trying again a question at all? False: `retryable` does not apply. */
bool error_is_about_upstream(const struct error *err);

/* The code with this number or kind, ERR_INTERNAL if there is none (for the client side). */
enum err error_from_rpc_code(int rpc_code);
enum err error_from_kind(const char *kind);

#endif
