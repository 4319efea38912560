/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configuration files for tests: written to a folder of their own, loaded, and
 * what the loader complains about kept as one text. Single quotes in the given
 * text become double quotes, so that JSON stays legible in C.
 */
#ifndef WSB_TESTS_CONF_CONFIG_FILE_H
#define WSB_TESTS_CONF_CONFIG_FILE_H

#include <stddef.h>

#include "conf/main_conf.h"

struct config {
	char dir[32];		/* of the test */
	char *errors;		/* one sentence a line, the folder's name cut off */
	struct main_conf *conf; /* the last load's result */
};

void config_init(struct config *c);
void config_deinit(struct config *c); /* removes the folder and what was written there */

void config_write(struct config *c, const char *name,
		  const char *text); /* name may be "wsbridge.d/x" */
void config_write_bytes(struct config *c, const char *name, const void *p, size_t n);
void config_load(struct config *c, const char *name);

/* A broken text and every sentence about it, one a line, each with the file named FILE. */
struct broken {
	const char *text, *errors;
};
void config_check_broken(const struct broken *rows, size_t n);

json_t *config_json(const char *text); /* of a text with single quotes */

#endif
