/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a bridge is connected, as text for the detail view. The caller frees; NULL = nothing
 * to tell.
 */
#ifndef WSB_CLI_PRINT_TRANSPORT_H
#define WSB_CLI_PRINT_TRANSPORT_H

#include "cli/print.h"

char *text_tls(const json_t *bridge);	      /* "TLSv1.3, TLS_AES_256_GCM_SHA384, ktls both" */
char *text_certificate(const json_t *bridge); /* "CN=a.example, from CN=CA, for DNS:a.example" */
char *text_expiry(const struct printer *p, const json_t *bridge); /* "2027-01-31, in 70 days" */
char *text_compression(const json_t *bridge); /* "permessage-deflate, in to 34%, out to 50%" */
char *text_timings(const json_t *bridge);     /* "resolve 1.2ms, connect 8ms, tls 21ms" */

#endif
