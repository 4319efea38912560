/* SPDX-License-Identifier: Apache-2.0 */
/* The report of `probe` (tool/probe_view.h) for people. */
#ifndef WSB_CLI_PRINT_PROBE_H
#define WSB_CLI_PRINT_PROBE_H

#include "cli/print.h"

void print_probe(struct printer *p, const json_t *report);

#endif
