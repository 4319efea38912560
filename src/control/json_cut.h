/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds values in JSON text by their bytes, so that a payload is passed on as
 * it was typed: a JSON library would round its numbers and merge its keys. It
 * is no parser: give it text that a parser has accepted. Text that is no JSON
 * gives useless spans, never a read outside of it.
 */
#ifndef WSB_CONTROL_JSON_CUT_H
#define WSB_CONTROL_JSON_CUT_H

#include "base/span.h"

struct span json_cut_trim(struct span s); /* without white space around it (RFC 8259, 2) */

/* Bytes of the value that s begins with; 0: a bracket or a quote is not closed, or s is empty. */
size_t json_cut_value(struct span s);

/* The value of a member, whatever way its key is escaped. False: there is none. */
bool json_cut_member(struct span object, const char *name, struct span *value);

/* The elements of a list: for (rest = json_cut_inside(list); json_cut_next(&rest, &value);) */
struct span json_cut_inside(struct span list);
bool json_cut_next(struct span *rest, struct span *value);

/* Copies without insignificant white space; returns the bytes written, at most value.n. */
size_t json_cut_compact(uint8_t *out, struct span value);

bool json_cut_too_deep(struct span text, unsigned max);

#endif
