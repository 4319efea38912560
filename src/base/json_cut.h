/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON text by its bytes (RFC 8259), so that a payload is passed on as it was
 * typed: a JSON library would round its numbers and merge its keys. It makes
 * no values. Only json_cut_valid judges; give the others text that it, or a
 * parser, has accepted. Text that is no JSON gives useless spans, never a read
 * outside of it.
 */
#ifndef WSB_BASE_JSON_CUT_H
#define WSB_BASE_JSON_CUT_H

#include "base/span.h"

struct span json_cut_trim(struct span s); /* without white space around it (RFC 8259, 2) */

#define JSON_CUT_DEPTH_MAX 1024

/*
 * One value and nothing else but white space, strictly by the grammar, at most
 * max_depth brackets deep (no more than JSON_CUT_DEPTH_MAX), strings in UTF-8.
 * Two members may have the same key, and a string half a surrogate pair: the
 * grammar has them. One pass, no allocation.
 */
bool json_cut_valid(struct span text, unsigned max_depth);

/* The same. *one_line: there is no line break in it, for sure; false says nothing. */
bool json_cut_valid_line(struct span text, unsigned max_depth, bool *one_line);

/*
 * As json_cut_valid, and in the same pass each member of the object that the text is, in order:
 * the key with its quotes and the value, which are good JSON. What is behind may still turn out
 * not to be, so nothing of it counts before the result is known.
 */
typedef void json_cut_member_fn(void *arg, struct span key, struct span value);
bool json_cut_valid_members(struct span text, unsigned max_depth, json_cut_member_fn *on_member,
			    void *arg);

/* Bytes of the value that s begins with; 0: a bracket or a quote is not closed, or s is empty. */
size_t json_cut_value(struct span s);

/* The value of a member, whatever way its key is escaped. False: there is none. */
bool json_cut_member(struct span object, const char *name, struct span *value);

/* The elements of a list: for (rest = json_cut_inside(list); json_cut_next(&rest, &value);) */
struct span json_cut_inside(struct span list_or_object);
bool json_cut_next(struct span *rest, struct span *value);

/* The members of an object, in the same way; the key with its quotes. */
bool json_cut_next_member(struct span *rest, struct span *key, struct span *value);

/*
 * The text of a string that stands in quotes, escapes undone, as UTF-8; *n
 * bytes, fewer than text.n. out has room for them, or is NULL: they are only
 * counted. False: it is no string, or half a surrogate pair.
 */
bool json_cut_unquote(uint8_t *out, size_t *n, struct span text);
bool json_cut_string_is(struct span text, const char *s); /* the same text, however it is escaped */

/* Text (UTF-8) as a JSON string with its quotes. Quotes, backslash and what is below U+0020 are
 * escaped, and nothing else. */
size_t json_cut_quoted_size(struct span text);
size_t json_cut_quote(uint8_t *out, struct span text); /* returns the bytes written */

/* The same, without quotes around it, for a text that is written in pieces. */
size_t json_cut_escaped_size(struct span text);
size_t json_cut_escape(uint8_t *out, struct span text);

/* Copies without insignificant white space; returns the bytes written, at most value.n. */
size_t json_cut_compact(uint8_t *out, struct span value);

bool json_cut_too_deep(struct span text, unsigned max);

#endif
