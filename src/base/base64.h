/* SPDX-License-Identifier: Apache-2.0 */
/* Base64 (RFC 4648, section 4): strict, with padding, no white space. */
#ifndef WSB_BASE_BASE64_H
#define WSB_BASE_BASE64_H

#include "base/span.h"

#define BASE64_ENCODED_SIZE(n) (((n) + 2) / 3 * 4)
#define BASE64_DECODED_MAX(n) ((n) / 4 * 3)

void base64_encode(char *out, struct span in); /* writes BASE64_ENCODED_SIZE(in.n) bytes, no NUL */

/*
 * Writes at most BASE64_DECODED_MAX(in.n) bytes, elsewhere than at in.p, and
 * their number to *n. False: not Base64 (a bad length or character, or bits
 * behind the end that are not zero); out is undefined then.
 */
bool base64_decode(uint8_t *out, size_t *n, struct span in);

#endif
