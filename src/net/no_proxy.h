/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is a host on a list of those to be reached without a proxy? As curl reads
 * no_proxy: a name stands for itself and for all names below it, with or
 * without a leading dot; case and one trailing dot do not matter; an address
 * matches an equal one, however it is written, or a CIDR block; "*" is all.
 */
#ifndef WSB_NET_NO_PROXY_H
#define WSB_NET_NO_PROXY_H

#include <stdbool.h>
#include <stdint.h>

/*
 * list: entries between commas or blanks. Beyond curl: an entry may end in a
 * port ("host:8443", "[::1]:8443") and holds for that port only then, "*" may
 * stand among others, and "/0" is a whole family. What is not understood
 * matches nothing. host: a name or a literal without brackets.
 */
bool no_proxy_matches(const char *list, const char *host, uint16_t port);

#endif
