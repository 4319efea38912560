/* SPDX-License-Identifier: Apache-2.0 */
/* What rpc.c and rpc_shorthand.c share. */
#ifndef WSB_CONTROL_RPC_INT_H
#define WSB_CONTROL_RPC_INT_H

#include "control/rpc.h"

/* Fills method and words, or err. The line is not empty. */
void rpc_shorthand(struct rpc_request *rq, struct span line);

#endif
