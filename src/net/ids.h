/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Users and groups as people write them: by name or by number. Asks the
 * system's databases, which may take a moment: for when something is made, not
 * for each event.
 */
#ifndef WSB_NET_IDS_H
#define WSB_NET_IDS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

/* NULL: *id is -1, which chown(2) takes for "as it is". False: *err is ERR_ENDPOINT. */
bool ids_user(const char *text, uid_t *id, struct error *err);
bool ids_group(const char *text, gid_t *id, struct error *err);

#endif
