/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `wsbridge probe`: one session, without a daemon, until it is open or has
 * failed, and what there is to tell of it. It never tries again.
 */
#ifndef WSB_TOOL_PROBE_H
#define WSB_TOOL_PROBE_H

#include <jansson.h>

#include "base/error.h"
#include "conf/bridge_conf.h"

/*
 * Goes to conf's first URL and closes with 1000 when that was open. SIGINT and SIGTERM end it, a
 * second one at once. The report is a new reference, as probe_view has it; *err is ERR_NONE or
 * says why it did not come to be open.
 */
json_t *probe_run(struct bridge_conf *conf, struct error *err);

#endif
