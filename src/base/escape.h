/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text from a peer, made safe for a log or a terminal: control characters,
 * DEL, C1 controls, line and paragraph separators, bidirectional overrides and
 * bytes that are no UTF-8 become \xNN, byte by byte; a backslash becomes \\.
 * What is too long ends in "...", never inside a character or an escape.
 */
#ifndef WSB_BASE_ESCAPE_H
#define WSB_BASE_ESCAPE_H

#include "base/span.h"

/* Writes at most size bytes with the final NUL; size >= 8. Returns out. */
char *escape_text(char *out, size_t size, struct span s);

/* The same, but a backslash stays: for text whose parts have been through escape_text. */
char *escape_control(char *out, size_t size, struct span s);

#endif
