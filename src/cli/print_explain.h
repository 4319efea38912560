/* SPDX-License-Identifier: Apache-2.0 */
/* What happened to a bridge lately, for people. */
#ifndef WSB_CLI_PRINT_EXPLAIN_H
#define WSB_CLI_PRINT_EXPLAIN_H

#include "cli/print.h"

void print_explained(struct printer *p, const json_t *result);

#endif
