/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `wsbridge echo`: a WebSocket server for trying things out. What it does for
 * one client stands in echo_conn.h.
 */
#ifndef WSB_TOOL_ECHO_H
#define WSB_TOOL_ECHO_H

#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"

#define ECHO_LISTEN "127.0.0.1:9001"

/*
 * Serves at the address (as tcp_listener_new has it) until SIGINT or SIGTERM, then closes with
 * 1001. `listening on ws://ADDRESS/` goes to out once it does. False: *err says why it could not.
 */
bool echo_run(const char *address, FILE *out, struct error *err);

#endif
