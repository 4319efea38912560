/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a secret comes from: given as a string, or read anew at every attempt
 * (link/) from a file, the environment, a credential or a command. Shown
 * nowhere, wiped when released. Nothing is read here.
 */
#ifndef WSB_CONF_CONF_SECRET_H
#define WSB_CONF_CONF_SECRET_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"

struct schema_report;

enum secret_kind {
	SECRET_NONE, /* not configured */
	SECRET_TEXT,
	SECRET_FILE,
	SECRET_ENV,
	SECRET_CREDENTIAL,
	SECRET_COMMAND,
};

struct secret_conf {
	enum secret_kind kind;
	char *text;  /* the secret itself, an absolute path, or a name; NULL for a command */
	char **argv; /* SECRET_COMMAND: argv[0] is an absolute path; NULL at the end */
};

/*
 * From JSON: a string, which `check` judges (may be NULL), or an object with
 * one of "file", "env", "credential", "command", judged by its shape only.
 * `expected` is for an error about anything else. False: reported, *s untouched.
 */
struct secret_grammar {
	const char *expected;
	bool (*check)(const char *text, struct error *err);
};
bool secret_conf_read(struct secret_conf *s, const json_t *v, const struct secret_grammar *grammar,
		      const char *path, struct schema_report *r);

bool secret_conf_equal(const struct secret_conf *a, const struct secret_conf *b);
void secret_conf_deinit(struct secret_conf *s); /* wipes; twice is fine */

json_t *secret_conf_json_schema(void); /* new reference */

#endif
