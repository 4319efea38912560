/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of json_cut.h share. */
#ifndef WSB_BASE_JSON_CUT_INT_H
#define WSB_BASE_JSON_CUT_INT_H

#include "base/span.h"

static inline bool json_is_space(uint8_t c)
{
	return c <= ' ' && (c == ' ' || c == '\t' || c == '\n' || c == '\r');
}

#endif
