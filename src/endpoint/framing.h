/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How messages look on the local side: message → record and bytes → messages.
 * A framing is a value that an endpoint is given; it does not know which one
 * it has. Pure: no I/O.
 */
#ifndef WSB_ENDPOINT_FRAMING_H
#define WSB_ENDPOINT_FRAMING_H

#include "base/error.h"
#include "base/lines.h"
#include "base/msg.h"
#include "conf/bridge_conf.h"

struct framing_ops;

struct framing {
	const struct framing_ops *ops;
	const struct endpoint_conf *conf; /* outlives it */
	size_t max_message;
};

/* What framing_measure found out about a message, for framing_encode. */
struct framing_plan {
	size_t size;   /* bytes of the record, never 0 */
	size_t marked; /* bytes of the message that do not go out as they are */
	bool replaced; /* one of them is lost for the reader */
};

/* Bytes of one client → messages. It keeps an unfinished record and nothing else. */
struct framing_reader {
	const struct framing *framing; /* outlives it */
	struct lines lines;
	struct buf work; /* the message, where it is not the record itself */
};

enum framing_result {
	FRAMING_MESSAGE, /* *msg, valid until the next call and no longer than the input */
	FRAMING_MORE,	 /* the input is used up */
	FRAMING_BAD,	 /* a record was refused, *err says why; the next one is read afresh */
};

struct framing_ops {
	bool (*measure)(const struct framing *f, struct msg m, struct framing_plan *plan);
	void (*encode)(const struct framing *f, struct msg m, const struct framing_plan *plan,
		       uint8_t *out);
	enum framing_result (*next)(struct framing_reader *r, struct span *input, struct msg *msg,
				    struct error *err);
	enum framing_result (*finish)(struct framing_reader *r, struct msg *msg, struct error *err);
};

extern const struct framing_ops framing_lines;

void framing_init(struct framing *f, const struct endpoint_conf *conf, size_t max_message);

/* False: this framing cannot carry the message. */
bool framing_measure(const struct framing *f, struct msg m, struct framing_plan *plan);

/* Writes plan->size bytes, for the plan that was measured for this very message. */
void framing_encode(const struct framing *f, struct msg m, const struct framing_plan *plan,
		    uint8_t *out);

void framing_reader_init(struct framing_reader *r, const struct framing *f);
void framing_reader_deinit(struct framing_reader *r); /* twice is fine */

/* Takes the next record off *input. Call until FRAMING_MORE. */
enum framing_result framing_next(struct framing_reader *r, struct span *input, struct msg *msg,
				 struct error *err);

/* At the end of input: what there still is, once. Never reads on afterwards. */
enum framing_result framing_finish(struct framing_reader *r, struct msg *msg, struct error *err);

size_t framing_pending(const struct framing_reader *r); /* bytes of the unfinished record */

#endif
