/* SPDX-License-Identifier: Apache-2.0 */
/* What the process itself needs before it serves. */
#ifndef WSB_DAEMON_PROCESS_H
#define WSB_DAEMON_PROCESS_H

#include <stddef.h>

struct args;
struct loop;
struct main_conf;

/* Inherited sockets, umask, SIGPIPE, the log, as many descriptors as may be; before all else. */
void process_init(void);
/* Says so in the log where there may be too few descriptors for so many bridges. */
void process_check_descriptors(size_t bridges);
void process_set_log(const struct main_conf *conf, const struct args *args);

/* SIGTERM and SIGINT, SIGHUP. */
void process_on_signals(struct loop *l, void (*end)(void *arg), void (*hup)(void *arg), void *arg);
/* Before the loop goes, and with it its handlers: an orderly end is none by a signal. */
void process_block_signals(void);

/*
 * Makes the directory that `path` lies in if only its last part is missing:
 * the rest is the administrator's, or systemd's.
 */
void process_make_parent(const char *path);

#endif
