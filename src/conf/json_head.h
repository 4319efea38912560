/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a peer has sent → JSON that may be shown: text that need not be UTF-8,
 * and the header lines of an HTTP head without what is as good as a password.
 * Pure; new references.
 */
#ifndef WSB_CONF_JSON_HEAD_H
#define WSB_CONF_JSON_HEAD_H

#include <jansson.h>

#include "base/http_head.h"

#define JSON_HEAD_HIDDEN "***" /* stands for a value that is not shown */

json_t *json_shown_text(struct span s); /* a string, escaped if it is not UTF-8 */

/* Is the value of this header line a cookie, a token or the like? */
bool json_head_hides(struct http_field field);

/*
 * {name: value}, names in lower case, a list where a name comes twice; NULL is
 * {}. The values of cookies, tokens and the like are "***".
 */
json_t *json_shown_head(const struct http_head *head);

#endif
