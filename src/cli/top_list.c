/* SPDX-License-Identifier: Apache-2.0 */
/* Which bridges are in the list, and in which order. See top_ui.h. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/top_ui.h"
#include "control/names.h"

static bool has(const json_t *object, const char *key, const char *piece)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text && strcasestr(text, piece);
}

/* In what a person may look for: name, state, URL, peer, error. */
static bool passes(const struct top_bridge *b, const char *filter)
{
	return !*filter || has(b->view, FIELD_NAME, filter) || has(b->view, FIELD_STATE, filter) ||
	       has(b->view, FIELD_URL, filter) || has(b->view, FIELD_PEER, filter) ||
	       has(json_object_get(b->view, FIELD_LAST_ERROR), FIELD_MESSAGE, filter);
}

static int in_order(const void *a, const void *b, void *arg)
{
	const struct top_bridge *const *one = a, *const *other = b;
	const struct top_ui *ui = arg;

	return top_column_order(ui->sort, ui->reverse, *one, *other);
}

void top_list_init(struct top_list *list, const struct top_model *m, const struct top_ui *ui)
{
	struct top_ui order = { .sort = ui->sort, .reverse = ui->reverse };

	*list = (struct top_list){ .bridges = mem_array(m->n + 1, sizeof(*list->bridges)) };
	for (size_t i = 0; i < m->n; i++)
		if (passes(m->bridges[i], ui->filter))
			list->bridges[list->n++] = m->bridges[i];
	qsort_r(list->bridges, list->n, sizeof(*list->bridges), in_order, &order);
}

void top_list_deinit(struct top_list *list)
{
	free(list->bridges);
	*list = (struct top_list){ 0 };
}

size_t top_ui_selected(const struct top_ui *ui, const struct top_list *list)
{
	for (size_t i = 0; ui->selected && i < list->n; i++)
		if (strcmp(list->bridges[i]->name, ui->selected) == 0)
			return i;
	return 0;
}

void top_ui_show_selected(struct top_ui *ui, const struct top_list *list, size_t rows)
{
	size_t at = top_ui_selected(ui, list);

	ui->page_rows = rows ? rows : 1;
	if (at < ui->first)
		ui->first = at;
	if (at >= ui->first + ui->page_rows)
		ui->first = at - ui->page_rows + 1;
	if (ui->first + ui->page_rows > list->n)
		ui->first = list->n > ui->page_rows ? list->n - ui->page_rows : 0;
}
