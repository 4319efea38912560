/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The option engine. An option is one row: name, type, where it is stored,
 * flags, limits or choices, default as text, one sentence of help. The file,
 * the control socket's `open`, `-o key=value` on the command line, the JSON
 * Schema, the comparison at a reload and the check that the manual and the
 * sample name every option all read these rows.
 */
#ifndef WSB_CONF_SCHEMA_H
#define WSB_CONF_SCHEMA_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define SCHEMA_DEPTH_MAX 32 /* levels of objects and lists in any JSON text that is read */

enum schema_type {
	OPT_BOOL,     /* bool */
	OPT_INT,      /* int64_t */
	OPT_REAL,     /* double */
	OPT_SIZE,     /* size_t: bytes, or "4K", "16M", "1G" */
	OPT_DURATION, /* int64_t, microseconds: seconds, or a systemd.time span, or "off" */
	OPT_STRING,   /* char *, NULL if not given */
	OPT_ENUM,     /* int (an enum), by `choices` */
	OPT_MODE,     /* mode_t: a string in octal such as "0600"; a number is refused */
	OPT_STRINGS,  /* char ** and size_t: a list */
	OPT_CUSTOM,   /* anything else: `custom` does the work */
};

enum schema_flag {
	OPT_LIVE = 1,	  /* a change takes effect at once; without it, with a new connection */
	OPT_NULLABLE = 2, /* null is allowed; OPT_STRING: told from "not given" by count_offset */
	OPT_REQUIRED = 4, /* in the JSON Schema; the struct's owner checks it after schema_set */
	OPT_FILE_ONLY = 8,
	OPT_OFF =
		16, /* OPT_INT, OPT_DURATION, OPT_SIZE: 0 (and "off") is allowed though below min */
	OPT_APART = 32,	  /* schema_compare leaves the row to somebody else (endpoints) */
	OPT_UNIQUE = 64,  /* OPT_STRINGS: no string may come twice */
	OPT_FROM_1 = 128, /* OPT_ENUM: the choices count from 1, 0 is "not given" */
	/* OPT_BOOL: an object with the rows below the name means true, null means false. */
	OPT_GROUP = 256,
};

struct schema_report;
struct schema_row;

/*
 * What a type can do; the built-in types are of this shape, too. `store` is
 * the struct, or the part of one, that holds the option (at row->offset).
 */
struct schema_custom {
	/*
	 * Errors go to report below `path`; false if there was one, the store
	 * untouched. Replaces (and frees) what the store held.
	 */
	bool (*set)(const struct schema_row *row, void *store, const json_t *value,
		    const char *path, struct schema_report *report);
	bool (*equal)(const struct schema_row *row, const void *a, const void *b);
	void (*release)(const struct schema_row *row, void *store);
	json_t *(*json_schema)(const struct schema_row *row); /* new reference */
	/*
	 * For `-o`; NULL or false where they do not apply. The value is an object
	 * with these options ("endpoint.mode"), a plain string S is short for
	 * {short_for: S}, or the object has keys that no table lists ("headers.X").
	 * A type that is only_string may begin with a bracket without being JSON; that
	 * of a list is split at commas, and its elements may be numbers.
	 */
	const struct schema *members;
	const char *short_for;
	bool any_key;
	bool only_string;
	bool list;
};

struct schema_row {
	const char *name; /* dotted: "ping.interval" */
	enum schema_type type;
	unsigned flags;
	size_t part;   /* of the pointer to the part that holds the option; 0 = the store itself */
	size_t offset; /* in the part, as the next one */
	size_t count_offset; /* OPT_STRINGS: of the size_t; OPT_NULLABLE: of the bool "was given" */
	const char *value;   /* default as text, NULL = none (unset) */
	/* If min < max. OPT_SIZE in bytes, OPT_DURATION in seconds; OPT_STRINGS: max elements. */
	double min, max;
	/* OPT_ENUM: names in the order of the enum; NULL ends. */
	const char *const *choices;
	/* OPT_STRING, OPT_STRINGS, secrets: grammar of one string. */
	bool (*check)(const char *text, struct error *err);
	const struct schema_custom *custom;
	const char *help; /* one sentence */
};

/*
 * A piece of a store that stands by itself, so that equal ones can be one: the store has a pointer
 * to it (not as its first member), and it begins with its references.
 */
struct schema_refs {
	unsigned n;
	struct schema_pool *pool; /* that knows it; NULL = none */
};
struct schema_part {
	size_t pointer; /* offset in the store */
	size_t size;
};

struct schema {
	const char *what; /* "bridge", for messages about the table itself */
	const struct schema_row *rows;
	size_t n_rows;
	size_t size; /* of the struct that the rows fill */
	const struct schema_part *parts;
	size_t n_parts;
};

/*
 * Where errors go, all of them. `add` gets the dotted path of the option from
 * the root of the value that is being read and a sentence without the path.
 */
struct schema_report {
	void (*add)(struct schema_report *r, const char *path, const char *sentence);
	size_t n;    /* errors so far */
	bool at_key; /* while `add` runs: the key is at fault, not its value */
};

/* Both return false, so that a failing function can end with `return schema_error(…)`. */
bool schema_error(struct schema_report *r, const char *path, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
bool schema_error_key(struct schema_report *r, const char *path, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Paths: plain keys are joined with dots, list elements are [N], and a key
 * with any other character is ["KEY"], escaped, so that a path is unambiguous.
 * An empty path is the root. Caller frees.
 */
char *schema_path_key(const char *path, const char *key);
char *schema_path_index(const char *path, size_t index);

/* A report that keeps the first error as ERR_INVALID_OPTION (for the control socket). */
struct schema_first {
	struct schema_report report;
	struct error err;
};
void schema_first_init(struct schema_first *f);

/* A report that passes everything on to `to` with a path in front; both must outlive it. */
struct schema_under {
	struct schema_report report;
	struct schema_report *to;
	const char *path;
};
void schema_under_init(struct schema_under *u, struct schema_report *to, const char *path);

/* Zeroes the store, makes its parts and fills it; aborts on a bad table. */
void schema_defaults(const struct schema *s, void *store);

/*
 * Lays a JSON object over the store. Unknown keys, wrong types and bad values
 * are reported with their path from the object on (schema_under puts more in
 * front) and the nearest known key. Options with errors stay as they were.
 * `skip` names top-level keys that somebody else reads, NULL at the end; may
 * be NULL.
 */
bool schema_set(const struct schema *s, void *store, const json_t *object, const char *const *skip,
		struct schema_report *report);

/* Frees what the options own, and parts that nobody else has; twice is fine. */
void schema_release(const struct schema *s, void *store);

/* Parts of all tables, the last used first. None lives longer for being in it. Zeroed = empty. */
#define SCHEMA_POOL_MAX 16
struct schema_pool {
	struct schema_pooled {
		const struct schema_part *kind;
		struct schema_refs *part;
	} last[SCHEMA_POOL_MAX];
	size_t n;
};

/*
 * Parts of the store that are equal to ones in the pool become those, others
 * are put in there. From here on nothing may be changed in any of them.
 */
void schema_share(const struct schema *s, void *store, struct schema_pool *pool);
void schema_pool_deinit(struct schema_pool *pool); /* parts stay with those that have them */

const struct schema_row *schema_find(const struct schema *s, const char *name); /* NULL = none */

/* The nearest of the known names, NULL if none is near; `known` ends with NULL. */
const char *schema_nearest(const char *name, const char *const *known);

/* The flags-wise verdict over all rows that differ. */
enum schema_change { SCHEMA_SAME, SCHEMA_CHANGED_LIVE, SCHEMA_CHANGED_RECONNECT };
enum schema_change schema_compare(const struct schema *s, const void *a, const void *b);

/*
 * Text from a command line → the JSON value that option takes: what starts
 * with [ or { or " as JSON; else by the option's type: numbers, booleans and
 * (where it is allowed) null as such, lists split at commas, all else as a
 * string. The key is resolved against the table ("ping.interval",
 * "endpoint.mode", "headers.X-Name"); unknown keys are an error with a
 * suggestion. Puts it into `object` below its dotted path. Only the shape is
 * checked here, the value itself by schema_set.
 */
bool schema_put_text(const struct schema *s, json_t *object, const char *key, const char *text,
		     struct error *err);

json_t *schema_json_schema(const struct schema *s); /* JSON Schema of the object; new reference */

/* Values as text, also for others: systemd.time spans, sizes. False: *err says why. */
bool schema_parse_duration(const char *text, int64_t *us, struct error *err);
bool schema_parse_size(const char *text, size_t *bytes, struct error *err);

/* The same backwards, for error texts: "100ms", "2h", "16M". Returns out. */
#define SCHEMA_VALUE_TEXT 32
char *schema_format_duration(char out[SCHEMA_VALUE_TEXT], int64_t us);
char *schema_format_size(char out[SCHEMA_VALUE_TEXT], size_t bytes);

#endif
