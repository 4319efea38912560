/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is it JSON? The same question as json_cut_valid answers, for texts that begin with a bracket:
 * 64 bytes at a time, one bit for each. Only json_cut_valid.c asks here; the rest of this is what
 * json_index.c shares with the rules (json_rules.h) and with the vector code that asks them
 * (vec_json.h). Pure; no allocation.
 */
#ifndef WSB_BASE_JSON_INDEX_H
#define WSB_BASE_JSON_INDEX_H

#include "base/json_cut.h"

/* Does this machine have vectors for it? */
bool json_index_is_there(void);

/* The first byte is a bracket that opens; *one_line as in json_cut_valid_line. */
bool json_index_valid(struct span text, unsigned max_depth, bool *one_line);

#define JSON_BLOCK 64
#define JSON_KINDS 63 /* of brackets in a word; above them is a 1 */
#define JSON_KINDS_FULL (UINT64_C(1) << JSON_KINDS)

/* What is needed now and then. */
struct json_index {
	const uint8_t *end;
	bool is_utf8;	/* to the end */
	uint64_t odd;	/* not 0: controls, or what is not ASCII */
	uint64_t limit; /* a word of kinds that has no room for one more, or must not have it */
	unsigned max_depth, n_deeper;
	uint64_t deeper[JSON_CUT_DEPTH_MAX / JSON_KINDS + 1]; /* words that were full */
	uint8_t last[JSON_BLOCK];
};

/* An empty word instead of the one that has reached the limit; 0: it is too deep. */
uint64_t json_index_deeper(struct json_index *x, uint64_t kinds);
/* The word before; there is one. */
uint64_t json_index_shallower(struct json_index *x);

/* Each bit a place of the block at p. False: what begins there is bad. */
bool json_index_escapes(const struct json_index *x, const uint8_t *p, uint64_t escaped);
bool json_index_words(const struct json_index *x, const uint8_t *p, uint64_t starts);
bool json_index_exponents(const struct json_index *x, const uint8_t *p, uint64_t starts);

/* The text from p on as UTF-8; all in front of p is ASCII, if it was not asked for before. */
bool json_index_utf8(struct json_index *x, const uint8_t *p);

/* p is in a string: where the first block begins that may have its end; the end: nowhere, or what
 * is in the string is bad. */
const uint8_t *json_index_skip(struct json_index *x, const uint8_t *p);

/* The last bytes of the text, with white space behind them: a block, where the text now ends. */
const uint8_t *json_index_last(struct json_index *x, const uint8_t *p);

/* Is there nothing but white space from p on? */
bool json_index_ends(struct json_index *x, const uint8_t *p);

#endif
