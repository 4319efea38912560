/* SPDX-License-Identifier: Apache-2.0 */
/* Which close codes a client may send: for those who check what a user asks for. */
#ifndef WSB_BASE_CLOSE_CODE_H
#define WSB_BASE_CLOSE_CODE_H

#include <stdbool.h>
#include <stdint.h>

#define CLOSE_CODES_TEXT "1000...1003, 1007...1011 or 3000...4999"
#define CLOSE_REASON_MAX 123 /* RFC 6455, 5.5: 125 bytes less the code */

/* RFC 6455, 7.4.1 and 7.4.2; 1012 to 1014 from the registry are a server's to say. */
static inline bool close_code_is_for_clients(int64_t code)
{
	return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1011) ||
	       (code >= 3000 && code <= 4999);
}

#endif
