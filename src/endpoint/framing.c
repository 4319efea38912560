/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of framings and the way to the one that was chosen. What a framing
 * does is in its own file (framing_lines.c). Structs belong to whoever embeds
 * them. The trap: a framing refers to its configuration and does not keep it
 * alive.
 */
#include "endpoint/framing.h"

#include <assert.h>

static const struct framing_ops *const table[] = {
	[FRAMING_LINES] = &framing_lines,
	[FRAMING_JSON] = &framing_json,
	[FRAMING_LENGTH] = &framing_length,
	[FRAMING_RAW] = &framing_raw,
};

void framing_init(struct framing *f, const struct endpoint_rules *rules, size_t max_message)
{
	size_t i = (size_t)rules->framing;

	assert(i < sizeof(table) / sizeof(table[0]));
	*f = (struct framing){ .ops = table[i], .rules = rules, .max_message = max_message };
}

bool framing_measure(const struct framing *f, const struct record *r, struct framing_plan *plan)
{
	return f->ops->measure(f, r, plan);
}

void framing_encode(const struct framing *f, const struct record *r,
		    const struct framing_plan *plan, uint8_t *out)
{
	f->ops->encode(f, r, plan, out);
}

size_t framing_encode_plain(const struct framing *f, const struct msg *msgs, size_t n,
			    struct chunk *c)
{
	return f->ops->encode_plain ? f->ops->encode_plain(f, msgs, n, c) : 0;
}

bool framing_seq_of(const struct framing *f, struct span record, uint64_t *seq)
{
	return f->ops->seq_of && f->ops->seq_of(record, seq);
}

void framing_reader_init(struct framing_reader *r, const struct framing *f)
{
	*r = (struct framing_reader){ .framing = f };
	f->ops->begin(r);
}

void framing_reader_deinit(struct framing_reader *r)
{
	lines_deinit(&r->lines);
	buf_deinit(&r->work);
	r->handed = 0;
}

enum framing_result framing_next(struct framing_reader *r, struct span *input, struct order *o,
				 struct error *err)
{
	*o = (struct order){ .type = ORDER_MESSAGE };
	return r->framing->ops->next(r, input, o, err);
}

size_t framing_next_run(struct framing_reader *r, struct span *input, struct msg *msgs, size_t max)
{
	return r->framing->ops->next_run ? r->framing->ops->next_run(r, input, msgs, max) : 0;
}

enum framing_result framing_finish(struct framing_reader *r, struct order *o, struct error *err)
{
	*o = (struct order){ .type = ORDER_MESSAGE };
	return r->framing->ops->finish(r, o, err);
}

size_t framing_pending(const struct framing_reader *r)
{
	return lines_pending(&r->lines) + r->work.len - r->handed;
}
