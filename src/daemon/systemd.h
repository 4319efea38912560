/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The service manager's side of the daemon: the notification protocol of
 * sd_notify(3), one datagram to $NOTIFY_SOCKET, and the sockets it hands down.
 * Where there is no service manager, every call does nothing.
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

/*
 * Takes over the sockets that were handed down (sd_listen_fds(3)), for
 * listener_new to find by name, and clears the variables that tell of them.
 * Once, before any other descriptor is opened or a process started.
 */
void systemd_take_sockets(void);

#endif
