/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The notification protocol of sd_notify(3): one datagram to $NOTIFY_SOCKET.
 * Where no service manager asks for it, every call does nothing.
 */
#ifndef WSB_DAEMON_SYSTEMD_H
#define WSB_DAEMON_SYSTEMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void systemd_notify(const char *state); /* lines of KEY=VALUE; never blocks */
void systemd_ready(size_t n_bridges);	/* READY=1 and STATUS=; after a reload, too */
void systemd_reloading(void);
void systemd_stopping(void);
int64_t systemd_watchdog(
	void); /* microseconds between two signs of life that are asked for, 0 = none */
bool systemd_journal_is_stderr(void); /* $JOURNAL_STREAM names our standard error */

#endif
