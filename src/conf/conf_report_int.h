/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The errors of one load, gathered from all files and given out in the order
 * of their places. Not for other folders.
 */
#ifndef WSB_CONF_CONF_REPORT_INT_H
#define WSB_CONF_CONF_REPORT_INT_H

#include "conf/conf_file.h"
#include "conf/json_text.h"
#include "conf/schema.h"

/* One file that takes part. */
struct conf_source {
	char *path;
	struct json_text text;
	json_t *root; /* NULL if it could not be read or parsed */
};

struct conf_complaint {
	size_t source, at, order;
	char *sentence; /* whole, with file and place */
};

/*
 * As a schema_report it finds the place of a dotted path in the sources, the
 * last of which counts. Embedded in the load; the sources are its own.
 */
struct conf_report {
	struct schema_report report;
	struct conf_source *sources;
	size_t n_sources;
	struct conf_complaint *complaints;
	size_t n_complaints;
};

void conf_report_init(struct conf_report *r);
void conf_report_deinit(struct conf_report *r);
struct conf_source *conf_report_add_source(struct conf_report *r, const char *path);

/* About a file as a whole, and about a place in it; path may be "". */
void conf_report_file(struct conf_report *r, size_t source, const char *sentence);
void conf_report_at(struct conf_report *r, size_t source, size_t at, const char *path,
		    const char *sentence);

void conf_report_flush(struct conf_report *r, conf_error_cb on_error, void *arg);

#endif
