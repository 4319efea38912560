/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the option engine share among themselves, and the custom
 * types with them. Not for other folders.
 */
#ifndef WSB_CONF_SCHEMA_INT_H
#define WSB_CONF_SCHEMA_INT_H

#include <string.h>

#include "conf/schema.h"

/* The operations of the row's type; for OPT_CUSTOM the row's own. */
const struct schema_custom *schema_ops(const struct schema_row *row);

/* JSON value → store for the built-in types; the contract of schema_custom.set. */
bool schema_set_value(const struct schema_row *row, void *store, const json_t *v, const char *path,
		      struct schema_report *r);
void schema_release_string(const struct schema_row *row, void *store);
void schema_release_strings(const struct schema_row *row, void *store);
void schema_free_strings(char **list, size_t n);

/* Where the row is stored. */
static inline void *schema_slot(void *store, size_t offset)
{
	return (char *)store + offset;
}

static inline const void *schema_slot_const(const void *store, size_t offset)
{
	return (const char *)store + offset;
}

/* Where the pointer to a part stands in the store. */
static inline void *schema_part_at(const void *store, size_t pointer)
{
	void *part;

	memcpy(&part, (const char *)store + pointer, sizeof(part));
	return part;
}

/* What holds the row's option: the store, or one of its parts. */
static inline void *schema_holder(const struct schema_row *row, const void *store)
{
	return row->part ? schema_part_at(store, row->part) : (void *)(uintptr_t)store;
}

void schema_parts_make(const struct schema *s, void *store); /* zeroed, one reference */
/* NULLs the pointers to parts. Without references they are released with their options. */
void schema_parts_unref(const struct schema *s, void *store);

/* jansson walks objects through pointers that are not const, without changing anything. */
static inline json_t *schema_walkable(const json_t *v)
{
	return (json_t *)(uintptr_t)v;
}

/*
 * "expected EXPECTED, found WHAT": what was found is named by its kind, never
 * by its content, which may be a secret. Returns false.
 */
bool schema_error_type(struct schema_report *r, const char *path, const char *expected,
		       const json_t *found);

/* A string without NUL, or NULL after an error. */
const char *schema_string(const json_t *v, const char *expected, const char *path,
			  struct schema_report *r);

/* A value of the command line or of a default, by the row's type. NULL: *err says why. */
json_t *schema_text_to_json(const struct schema_row *row, const char *text, struct error *err);

/* `"a", "b" or "c"`; caller frees. */
char *schema_list_names(const char *const *names);

bool schema_text_equal(const char *a, const char *b); /* both may be NULL */

bool schema_has_name(const char *const *names, const char *name); /* names may be NULL */

/* Is there a row below `name`, as "ping.interval" is below "ping"? */
bool schema_is_group(const struct schema *s, const char *name);

/* JSON Schema of one row with its help and default. New reference. */
json_t *schema_row_json_schema(const struct schema_row *row);

#endif
