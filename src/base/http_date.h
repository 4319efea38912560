/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dates and delays as HTTP writes them (RFC 9110, 5.6.7 and 10.2.3). Pure: the
 * wall clock's time is an argument.
 */
#ifndef WSB_BASE_HTTP_DATE_H
#define WSB_BASE_HTTP_DATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"

/* All three forms of RFC 9110, 5.6.7. Seconds since 1970. False: no such date. */
bool http_date_parse(struct span text, int64_t *seconds);

/*
 * The value of Retry-After, seconds or a date: how many seconds from `now`
 * (since 1970); 0 for a date in the past. False: it is neither.
 */
bool http_retry_after(struct span value, int64_t now, int64_t *seconds);

#endif
