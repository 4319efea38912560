/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configuration files → one snapshot, everything or nothing. JSON with // and
 * block comments. FILE first, then FILE's neighbours in `wsbridge.d/` that end
 * in .json, in name order, merged object by object (the later value wins).
 * Every error is reported with file, line, column and dotted path.
 */
#ifndef WSB_CONF_CONF_FILE_H
#define WSB_CONF_CONF_FILE_H

#include "conf/main_conf.h"

/*
 * One sentence, without a line feed:
 * `FILE:LINE:COLUMN: bridges.feed.ping.intervall: unknown key; did you mean "interval"?`
 */
typedef void (*conf_error_cb)(void *arg, const char *sentence);

/*
 * NULL if there was an error; all of them went to on_error, file by file in
 * the order of their places. The result is the caller's.
 */
struct main_conf *conf_file_load(const char *path, conf_error_cb on_error, void *arg);

/*
 * The default file: for a non-root user $XDG_CONFIG_HOME/wsbridge/wsbridge.json
 * (or ~/.config) if it exists, else SYSCONFDIR/wsbridge/wsbridge.json. Caller frees.
 */
char *conf_file_default(const char *sysconfdir);

/*
 * The default control socket: for a non-root user that has one
 * $XDG_RUNTIME_DIR/wsbridge/control.sock, else below runstatedir. Caller frees.
 */
char *conf_control_default(const char *runstatedir);

#endif
