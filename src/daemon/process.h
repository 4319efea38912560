/* SPDX-License-Identifier: Apache-2.0 */
/* What the process itself needs before it serves. */
#ifndef WSB_DAEMON_PROCESS_H
#define WSB_DAEMON_PROCESS_H

struct args;
struct loop;
struct main_conf;

void process_init(void); /* inherited sockets, umask, SIGPIPE, the log; before anything is opened */
void process_set_log(const struct main_conf *conf, const struct args *args);

/* SIGTERM and SIGINT, SIGHUP. */
void process_on_signals(struct loop *l, void (*end)(void *arg), void (*hup)(void *arg), void *arg);

/*
 * Makes the directory that `path` lies in if only its last part is missing:
 * the rest is the administrator's, or systemd's.
 */
void process_make_parent(const char *path);

#endif
