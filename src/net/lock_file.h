/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may touch a name in the file system: the process that holds NAME.lock.
 * The lock file is never removed, for then two could hold it.
 */
#ifndef WSB_NET_LOCK_FILE_H
#define WSB_NET_LOCK_FILE_H

#include "base/error.h"

/* The descriptor that holds the lock of `name`, or -1: *err is ERR_ENDPOINT, err->os EADDRINUSE
 * if another process has it. */
int lock_file_take(const char *name, struct error *err);

#endif
