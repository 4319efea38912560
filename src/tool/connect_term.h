/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The terminal as a person has it: a line editor with history below, and what
 * is received above it. To the loop it looks like two pumps: lines come out of
 * one socket, and what goes into the other is shown.
 */
#ifndef WSB_TOOL_CONNECT_TERM_H
#define WSB_TOOL_CONNECT_TERM_H

#include <stdbool.h>

struct connect_term;

/* Standard input and output are a terminal that can do it. */
bool connect_term_possible(void);

/*
 * Of both the loop's side, non-blocking, the caller's. What is shown are whole lines, without
 * control characters. The end of input at *shown: all of it is on the screen.
 */
struct connect_term *connect_term_new(int *typed, int *shown);

/* The process was stopped (SIGTSTP), and goes on: the terminal and the line are made anew. */
void connect_term_go_on(struct connect_term *t);

/* When the loop's sides are closed: the screen is left in order. NULL is fine. */
void connect_term_free(struct connect_term *t);

#endif
