/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The secrets of one attempt, read anew from where the configuration says they
 * are: so a rotated token is used by the next attempt. Commands run beside the
 * loop. The values are wiped with the object; no error text holds any of them.
 * Owned by a session.
 */
#ifndef WSB_LINK_SECRETS_H
#define WSB_LINK_SECRETS_H

#include "base/error.h"
#include "conf/bridge_conf.h"

struct loop;
struct secrets;

struct secret_values {
	char **headers; /* one for each configured header line */
	char **steps;	/* of all steps of on_open, in their order */
	char *cookie, *auth, *key_password, *proxy_password; /* NULL = none configured */
};

/*
 * Exactly one call, never from inside secrets_read: err NULL, or ERR_INVALID_OPTION naming
 * the option.
 */
typedef void (*secrets_cb)(void *arg, const struct error *err);

struct secrets *secrets_read(struct loop *l, const struct bridge_conf *conf, secrets_cb cb,
			     void *arg);
const struct secret_values *secrets_values(const struct secrets *s); /* complete after the call */
void secrets_free(struct secrets *s); /* also before the call; NULL is fine */

#endif
