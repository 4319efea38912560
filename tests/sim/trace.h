/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happened, line by line: each goes into the hash of the run and into a
 * ring whose lines are printed with a failure; all of them with -v. The same
 * seed gives the same lines, so nothing of the wall clock goes in.
 */
#ifndef SIM_TRACE_H
#define SIM_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

struct sim;

void trace_begin(struct sim *s);
void trace(struct sim *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void trace_bytes(struct sim *s, struct span bytes); /* into the hash only */

/* The seed has failed: says why and what came before, and ends the process. */
void trace_fail(struct sim *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), noreturn));
void trace_ring(void); /* what came before; also from a signal handler, for what it is worth */

#define TRACE_FAILED 3 /* exit status */

#endif
