/* SPDX-License-Identifier: Apache-2.0 */
/* What the daemon answered to a command, as a sentence for people. */
#ifndef WSB_CLI_PRINT_RESULTS_H
#define WSB_CLI_PRINT_RESULTS_H

#include "cli/print.h"

void print_opened(struct printer *p, const json_t *result); /* open, close, reconnect */
void print_reloaded(struct printer *p, const json_t *result);
void print_shut_down(struct printer *p, const json_t *result);
void print_log_level(struct printer *p, const json_t *result);
void print_traces(struct printer *p, const json_t *result);
void print_metrics(struct printer *p, const json_t *result); /* the text as it is */
void print_version(struct printer *p, const json_t *result);
void print_json(struct printer *p, const json_t *result); /* rpc: as it is, indented */

#endif
