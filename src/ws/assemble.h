/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Data frames → whole messages, or whole fragments: order of opcodes, size,
 * UTF-8. A message in one frame that lies whole in the input is handed out
 * where it lies; others grow a contiguous buffer by the bytes that have arrived.
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
	struct buf bytes; /* what is not handed out yet; its cap is the largest message */
	struct utf8 utf8; /* between two messages always at a character boundary */
	size_t fragments; /* frames of the message so far, 0 = none has begun */
	size_t size;	  /* of the message, as far as its headers, or inflate, have told */
	enum msg_type type;
	bool fin;	 /* the current frame is the last one */
	bool compressed; /* the message is: its bytes come by assemble_room, not by assemble_feed */
	bool validate_utf8;
	/*
	 * To be set after init: each fragment is a message with `more`, but for the last. A text
	 * that is cut inside a character is handed out up to it, and the rest with what follows.
	 * One with nothing to hand out is passed over, unless it is the last.
	 */
	bool deliver;
	bool handed;	/* `bytes` is the message handed out last */
	uint8_t n_tail; /* bytes of a character that the last fragment did not finish */
	uint8_t tail[3];
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

/*
 * Of a compressed message, between begin and its last piece: room to write to, for at most `most`
 * bytes. NULL with *room > 0: there is no memory; with 0: the message is as long as it may be.
 */
uint8_t *assemble_room(struct assemble *a, size_t most, size_t *room);
/* n bytes were written there. False: *err as in assemble_begin. */
bool assemble_took(struct assemble *a, size_t n, struct error *err);
/* All bytes of the frame are there; as assemble_feed. */
enum assemble_result assemble_end(struct assemble *a, struct msg *msg, struct error *err);

bool assemble_refuse_size(const struct assemble *a, struct error *err);
bool assemble_refuse_memory(struct error *err);

/* The message handed out last, if any, is no longer needed. */
void assemble_release(struct assemble *a);
size_t assemble_partial(const struct assemble *a); /* bytes that are not handed out yet */

#endif
