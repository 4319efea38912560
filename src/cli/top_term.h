/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The terminal of `wsbridge top`: what is drawn goes out, keys come in. All that there is of
 * curses. Whatever ends the process but SIGKILL, the terminal is then as it was before. One at a
 * time.
 */
#ifndef WSB_CLI_TOP_TERM_H
#define WSB_CLI_TOP_TERM_H

#include "base/error.h"
#include "cli/top_canvas.h"

struct top_term;

/* NULL: *err says why, and what to use instead. */
struct top_term *top_term_new(struct error *err);
void top_term_free(struct top_term *t); /* NULL is fine */

/* A blank canvas as large as the terminal is now. */
void top_term_canvas(const struct top_term *t, struct top_canvas *c);
void top_term_show(struct top_term *t, const struct top_canvas *c);
void top_term_redraw(struct top_term *t); /* the next time, all of it */

int top_term_key(struct top_term *t); /* a character or an enum top_key; never waits */

/*
 * Until there is a key, fd (-1: none) is readable, a signal comes or the time is over; true: fd
 * is readable. Signals are let in here only.
 */
bool top_term_wait(struct top_term *t, int fd, double seconds);

bool top_term_ended(const struct top_term *t); /* by a signal, or the terminal is gone */

#endif
