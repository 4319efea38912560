/* SPDX-License-Identifier: Apache-2.0 */
/* The UTF-8 sequences of the Autobahn suite's cases 6.5 to 6.23. */
#ifndef WSB_UNIT_WS_AUTOBAHN_UTF8_H
#define WSB_UNIT_WS_AUTOBAHN_UTF8_H

#include <stdbool.h>
#include <stddef.h>

struct utf8_case {
	const char *number;
	const char *text;
	size_t n;
	bool valid;
};

extern const struct utf8_case utf8_cases[];
extern const size_t n_utf8_cases;

#endif
