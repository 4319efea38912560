/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One step of on_open, for the option type that holds the list of them. Not
 * for other folders.
 */
#ifndef WSB_CONF_CONF_STEP_INT_H
#define WSB_CONF_CONF_STEP_INT_H

#include "conf/bridge_int.h"

extern const struct schema conf_step_schema; /* compares and releases a step, too */

extern const struct schema_custom conf_step_secrets_type, conf_step_captures_type;

bool conf_step_add_secret(struct conf_step *s, const char *name, const json_t *v, const char *path,
			  struct schema_report *r);

/* Fills *s, which is to be released in any case. Names in the message are not looked at. */
bool conf_step_read(struct conf_step *s, const json_t *v, const char *path,
		    struct schema_report *r);

#endif
