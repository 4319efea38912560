/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages and events for people. On a terminal, control characters in what
 * came from a server are made visible; elsewhere a message is written as it is.
 */
#ifndef WSB_CLI_PRINT_TALK_H
#define WSB_CLI_PRINT_TALK_H

#include "cli/print.h"

void print_rtt(struct printer *p, const json_t *result);      /* ping */
void print_received(struct printer *p, const json_t *result); /* request, each one of recv */
void print_event(struct printer *p, const json_t *params);    /* monitor: one line */

#endif
