/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A WebSocket message as a borrowed view: the only thing that crosses the
 * bridge. Who wants to keep one copies the bytes.
 */
#ifndef WSB_BASE_MSG_H
#define WSB_BASE_MSG_H

#include <stdbool.h>

#include "base/span.h"

enum msg_type { MSG_TEXT, MSG_BINARY };

struct msg {
	enum msg_type type;
	struct span data;
	bool more; /* a fragment, and others of the same message follow (RFC 6455, 5.4) */
};

#endif
