/* SPDX-License-Identifier: Apache-2.0 */
/* Bridges for people: many as a table, one in detail. */
#ifndef WSB_CLI_PRINT_STATUS_H
#define WSB_CLI_PRINT_STATUS_H

#include "cli/print.h"

void print_bridges(struct printer *p, const json_t *bridges); /* a list, as `status` answers it */
void print_bridge(struct printer *p, const json_t *bridge);   /* one of them */

enum table_mark mark_of_state(const char *state);

/* Why it is not open, and when the next attempt is; NULL: nothing to say. Caller frees. */
char *text_trouble(const json_t *bridge);

#endif
