/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything that is counted, as OpenMetrics text (version 1.0): one table of
 * families, for the daemon and for each bridge. What `status` shows under
 * another name is the same number.
 */
#ifndef WSB_CONTROL_METRICS_H
#define WSB_CONTROL_METRICS_H

#include "control/call.h"

#define METRICS_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"

char *metrics_text(const struct call_env *env); /* NULL: memory is short. Caller frees */

#endif
