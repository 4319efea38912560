/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is received, on a terminal where a line is being edited: it goes above
 * that line, which is drawn again below. Owned by connect_term.c, and touched
 * by its thread only.
 */
#ifndef WSB_TOOL_CONNECT_SCREEN_H
#define WSB_TOOL_CONNECT_SCREEN_H

#include <sys/ioctl.h>

#include "base/buf.h"

#define CONNECT_PROMPT "> "

struct editline;

struct connect_screen {
	struct editline *editor; /* NULL: nothing is being edited */
	struct winsize size;
	struct buf line; /* what was received of one that is not complete */
};

void connect_screen_init(struct connect_screen *s);
void connect_screen_deinit(struct connect_screen *s);

/* The size of the window may have changed. */
void connect_screen_look(struct connect_screen *s);

/* Reads some from the descriptor and shows the lines of it. False: nothing more will come. */
bool connect_screen_read(struct connect_screen *s, int fd);

/* The line being edited is over and gone. */
void connect_screen_end_editing(struct connect_screen *s);

#endif
