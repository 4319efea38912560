/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files behind main_conf.h share. Not for other folders.
 */
#ifndef WSB_CONF_MAIN_INT_H
#define WSB_CONF_MAIN_INT_H

#include "conf/main_conf.h"

/* One place at most, and no rights without a file. */
void main_conf_check_metrics(const struct main_conf *c, const json_t *root,
			     struct schema_report *report);

/* No two sockets of all may lie on one path. The bridges are in the order of the file. */
void main_conf_check_paths(const struct main_conf *c, const json_t *root,
			   struct schema_report *report);

#endif
