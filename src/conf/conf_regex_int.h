/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Regular expressions of matches. Not for other folders.
 */
#ifndef WSB_CONF_CONF_REGEX_INT_H
#define WSB_CONF_CONF_REGEX_INT_H

#include <stdbool.h>

#include "base/error.h"
#include "base/span.h"

struct conf_regex;

bool conf_regex_check(const char *text, struct error *err);
struct conf_regex *conf_regex_new(const char *text); /* of a text that has been checked */
void conf_regex_free(struct conf_regex *regex);	     /* NULL is fine */
bool conf_regex_is(const struct conf_regex *regex, struct span payload);

#endif
