/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pages of `wsbridge top`: what is known and what was asked for, as a canvas of the size that
 * the terminal has. Pure but for the time zone. What does not fit is left out: columns by their
 * rank, lines of the head, then of the foot.
 */
#ifndef WSB_CLI_TOP_VIEW_H
#define WSB_CLI_TOP_VIEW_H

#include <time.h>

#include "cli/top_ui.h"

struct top_scene {
	const struct top_model *model;
	const struct top_list *list;
	const json_t *explained; /* the bridge of the detail page, by `explain`; NULL: not yet */
	const char *trouble;	 /* why the daemon does not answer; NULL: it does */
	time_t now;		 /* of the last answer */
};

/* c is blank. Tells the ui what fits, and takes back what was scrolled too far. */
void top_draw(struct top_canvas *c, const struct top_scene *s, struct top_ui *ui);

#endif
