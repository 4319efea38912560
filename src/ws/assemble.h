/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Data frames → whole messages: order of opcodes, fragments, size, UTF-8.
 * A message in one frame that lies whole in the input is handed out where it
 * lies; others grow a contiguous buffer by the bytes that have arrived.
 *
 *   begin(header) → feed(piece) … feed(last piece, frame_end) → MESSAGE → release()
 */
#ifndef WSB_WS_ASSEMBLE_H
#define WSB_WS_ASSEMBLE_H

#include "base/buf.h"
#include "base/error.h"
#include "base/msg.h"
#include "base/utf8.h"
#include "ws/frame.h"

enum assemble_result { ASSEMBLE_MORE, ASSEMBLE_MESSAGE, ASSEMBLE_BAD };

struct assemble {
	struct buf bytes; /* of the message so far; its cap is the largest message */
	struct utf8 utf8; /* between two messages always at a character boundary */
	size_t fragments; /* frames of the message so far, 0 = none has begun */
	enum msg_type type;
	bool fin; /* the current frame is the last one */
	bool validate_utf8;
	bool handed; /* `bytes` is the message handed out last */
};

void assemble_init(struct assemble *a, size_t max_message, bool validate_utf8);
void assemble_deinit(struct assemble *a); /* twice is fine */

/* A data frame begins. False: *err says why, with the close_code to answer; a is useless then. */
bool assemble_begin(struct assemble *a, const struct frame_header *h, struct error *err);

/*
 * A piece of its payload, the last one if frame_end. MESSAGE: *msg points
 * into piece or into a, valid until assemble_release, which has to
 * come before the next frame.
 */
enum assemble_result assemble_feed(struct assemble *a, struct span piece, bool frame_end,
				   struct msg *msg, struct error *err);

/* The message handed out last, if any, is no longer needed. */
void assemble_release(struct assemble *a);
size_t assemble_partial(const struct assemble *a); /* bytes of the unfinished message */

#endif
