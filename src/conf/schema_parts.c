/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parts of stores, and how equal ones become one: ten thousand bridges with
 * the same defaults hold these once. Only the parts that were used last are
 * looked through, so that many different ones cost little. A pool belongs to
 * who reads the stores. The trap: what is shared is not to be written to, and
 * nothing here can see to that.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "conf/schema_int.h"

static void put(void *store, const struct schema_part *kind, const struct schema_refs *part)
{
	memcpy(schema_slot(store, kind->pointer), &part, sizeof(part));
}

void schema_parts_make(const struct schema *s, void *store)
{
	for (size_t i = 0; i < s->n_parts; i++) {
		struct schema_refs *part = mem_zalloc(s->parts[i].size);

		part->n = 1;
		put(store, &s->parts[i], part);
	}
}

static void leave(struct schema_pool *pool, const struct schema_refs *part)
{
	size_t i = 0;

	while (pool->last[i].part != part)
		i++;
	pool->n--;
	memmove(&pool->last[i], &pool->last[i + 1], (pool->n - i) * sizeof(pool->last[0]));
}

static void unref(const struct schema *s, const struct schema_part *kind, struct schema_refs *part)
{
	assert(part->n > 0);
	if (--part->n > 0)
		return;
	if (part->pool)
		leave(part->pool, part);
	for (size_t i = 0; i < s->n_rows; i++)
		if (s->rows[i].part == kind->pointer)
			schema_ops(&s->rows[i])->release(&s->rows[i], part);
	free(part);
}

void schema_parts_unref(const struct schema *s, void *store)
{
	for (size_t i = 0; i < s->n_parts; i++) {
		struct schema_refs *part = schema_part_at(store, s->parts[i].pointer);

		put(store, &s->parts[i], NULL);
		if (part)
			unref(s, &s->parts[i], part);
	}
}

static bool is_equal(const struct schema *s, const struct schema_part *kind,
		     const struct schema_refs *a, const struct schema_refs *b)
{
	for (size_t i = 0; i < s->n_rows; i++) {
		const struct schema_row *row = &s->rows[i];

		if (row->part == kind->pointer && !schema_ops(row)->equal(row, a, b))
			return false;
	}
	return true;
}

/* Where one like it stands in the pool, or, behind all others, where there is none. */
static size_t find(const struct schema *s, const struct schema_part *kind,
		   const struct schema_refs *part, const struct schema_pool *pool)
{
	size_t i = 0;

	while (i < pool->n &&
	       (pool->last[i].kind != kind || !is_equal(s, kind, pool->last[i].part, part)))
		i++;
	return i;
}

static void share_one(const struct schema *s, const struct schema_part *kind, void *store,
		      struct schema_pool *pool)
{
	struct schema_refs *part = schema_part_at(store, kind->pointer);
	size_t i = find(s, kind, part, pool);
	struct schema_pooled found = { kind, part };

	if (i < pool->n) {
		found = pool->last[i];
		found.part->n++;
		put(store, kind, found.part);
		unref(s, kind, part);
	} else if (i < SCHEMA_POOL_MAX) {
		pool->n++;
	} else {
		pool->last[--i].part->pool = NULL;
	}
	memmove(&pool->last[1], &pool->last[0], i * sizeof(found));
	pool->last[0] = found;
	found.part->pool = pool;
}

void schema_share(const struct schema *s, void *store, struct schema_pool *pool)
{
	for (size_t i = 0; i < s->n_parts; i++)
		share_one(s, &s->parts[i], store, pool);
}

void schema_pool_deinit(struct schema_pool *pool)
{
	while (pool->n > 0)
		pool->last[--pool->n].part->pool = NULL;
}
