/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every limit of the protocol core that is not an option. Those of the
 * response head stand in base/http_head.h; the size of a message and of the
 * output queue come with struct ws_params.
 */
#ifndef WSB_WS_LIMITS_H
#define WSB_WS_LIMITS_H

#define WS_FRAME_HEADER_MAX 14	/* 2 + 8 for the length + 4 for the key (RFC 6455, 5.2) */
#define WS_CONTROL_MAX 125	/* payload of a control frame (RFC 6455, 5.5) */
#define WS_CLOSE_REASON_MAX 123 /* the same without the code */
#define WS_FRAGMENTS_MAX 131072 /* frames of one message, empty ones too */
#define WS_INTERIM_MAX 5	/* 1xx responses before the final one */
#define WS_REQUEST_MAX 1048576	/* our own upgrade request */

#define WS_FRAME_SIZE 16384    /* of a message in several frames */
#define WS_ONE_FRAME_MAX 65536 /* a message up to this is one frame if nothing waits */

#define WS_INFLATE_STEP 16384 /* bytes of a compressed message that are made at a time */

#define WS_PONGS_MAX 16 /* automatic Pongs in the output at a time */

/* What may stand in the output above max_output: those Pongs and our Close. */
#define WS_CONTROL_FRAME_MAX (2 + 4 + WS_CONTROL_MAX)
#define WS_OUTPUT_RESERVE ((WS_PONGS_MAX + 1) * WS_CONTROL_FRAME_MAX)

#endif
