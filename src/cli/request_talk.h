/* SPDX-License-Identifier: Apache-2.0 */
/* Command lines → requests, for the commands that wait for what a bridge does or gets. */
#ifndef WSB_CLI_REQUEST_TALK_H
#define WSB_CLI_REQUEST_TALK_H

#include "cli/request.h"

bool request_wait(const struct args *a, struct call_request *r, struct error *err);
bool request_ping(const struct args *a, struct call_request *r, struct error *err);
bool request_recv(const struct args *a, struct call_request *r, struct error *err);
bool request_ask(const struct args *a, struct call_request *r, struct error *err);
/* Of `monitor`: one bridge, or all with NULL. */
bool request_subscribe(const char *name, const struct args *a, struct call_request *r,
		       struct error *err);

/*
 * What people type for a match: "/POINTER", "/POINTER=VALUE", "~REGEX", a match as a JSON
 * object, or a piece of the message. NULL: *err. New reference.
 */
json_t *request_match(const char *text, struct error *err);

#endif
