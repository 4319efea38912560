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
#include "endpoint/chunk.h"
#include "endpoint/record.h"

struct framing_ops;

struct framing {
	const struct framing_ops *ops;
	const struct endpoint_rules *rules; /* outlive it */
	size_t max_message;
};

/* What framing_measure found out about a message, for framing_encode. */
struct framing_plan {
	size_t size;   /* bytes of the record, never 0 but for raw */
	size_t marked; /* bytes of the message that do not go out as they are */
	bool replaced; /* one of them is lost for the reader */
	bool as_value; /* json: the text goes in as a value */
	bool one_line; /* and has no line break in it, for sure */
};

/* Bytes of one client → messages. It keeps an unfinished record and nothing else. */
struct framing_reader {
	const struct framing *framing; /* outlives it */
	struct lines lines;
	struct buf
		work; /* the message, or a part of it, where it is not in the input or in `lines` */
	size_t handed; /* bytes of work that were handed out last */
	uint64_t skip; /* bytes of a refused record that are still to come */
	bool broken;
};

enum framing_result {
	FRAMING_ORDER, /* *o, valid until the next call; its data no longer than the input */
	FRAMING_MORE,  /* the input is used up */
	FRAMING_BAD,   /* a record was refused, *err says why; the next one is read afresh. o->id is
			  the record's, if it had one */
	FRAMING_BROKEN, /* as BAD, but the place of the next record is lost: the client must go */
};

struct framing_ops {
	void (*begin)(struct framing_reader *r); /* sets the limits of r */
	bool (*measure)(const struct framing *f, const struct record *r, struct framing_plan *plan);
	void (*encode)(const struct framing *f, const struct record *r,
		       const struct framing_plan *plan, uint8_t *out);
	/* See framing_encode_plain; NULL = there is no such way. */
	size_t (*encode_plain)(const struct framing *f, const struct msg *msgs, size_t n,
			       struct chunk *c);
	enum framing_result (*next)(struct framing_reader *r, struct span *input, struct order *o,
				    struct error *err);
	enum framing_result (*finish)(struct framing_reader *r, struct order *o, struct error *err);
	/* See framing_next_run; NULL = there is no such way. */
	size_t (*next_run)(struct framing_reader *r, struct span *input, struct msg *msgs,
			   size_t max);
	/* NULL: messages have no number in this framing, so it has no gap records either. */
	bool (*seq_of)(struct span record, uint64_t *seq);
};

extern const struct framing_ops framing_lines, framing_json, framing_length, framing_raw;

/* On a seqpacket socket a packet is a record: no delimiter, no length. */
void framing_init(struct framing *f, const struct endpoint_rules *rules, size_t max_message);

/* False: this framing cannot carry the record, or was told not to. */
bool framing_measure(const struct framing *f, const struct record *r, struct framing_plan *plan);

/* Writes plan->size bytes, for the plan that was measured for this very record. */
void framing_encode(const struct framing *f, const struct record *r,
		    const struct framing_plan *plan, uint8_t *out);

/*
 * Appends the records of as many of these messages, from the first, as can be made without much
 * looking and have room in c; the next one is to be measured. Whole ones, but for a single one.
 */
size_t framing_encode_plain(const struct framing *f, const struct msg *msgs, size_t n,
			    struct chunk *c);

/* The seq of an encoded record that is a message. False: it is none, or has none. */
bool framing_seq_of(const struct framing *f, struct span record, uint64_t *seq);

void framing_reader_init(struct framing_reader *r, const struct framing *f);
void framing_reader_deinit(struct framing_reader *r); /* twice is fine */

/* Takes the next record off *input; of a seqpacket socket, one packet at a time. Call until
 * FRAMING_MORE. */
enum framing_result framing_next(struct framing_reader *r, struct span *input, struct order *o,
				 struct error *err);

/*
 * The same, fast, for records that are messages and lie whole in *input: up to `max` of them,
 * whose data lies there, in order. Those that are not wanted after all may be read again: nothing
 * is remembered of them. 0: framing_next has to look.
 */
size_t framing_next_run(struct framing_reader *r, struct span *input, struct msg *msgs, size_t max);

/* At the end of input: what there still is, once. Never reads on afterwards. */
enum framing_result framing_finish(struct framing_reader *r, struct order *o, struct error *err);

size_t framing_pending(const struct framing_reader *r); /* bytes of the unfinished record */

#endif
