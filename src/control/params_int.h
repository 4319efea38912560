/* SPDX-License-Identifier: Apache-2.0 */
/* What the rows of the parameters and their reader share. */
#ifndef WSB_CONTROL_PARAMS_INT_H
#define WSB_CONTROL_PARAMS_INT_H

#include "control/params.h"

/* Kinds of rows that a shorthand text is made for in its own way. */
extern const struct schema_custom params_wait_ops, params_value_ops;

/* names: NULL at its end, or itself NULL. */
bool params_has_name(const char *const *names, const char *name);

#endif
