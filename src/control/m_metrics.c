/* SPDX-License-Identifier: Apache-2.0 */
/* `metrics`: the text that metrics.c makes, in an object. */
#include "base/mem.h"
#include "control/methods.h"
#include "control/metrics.h"
#include "control/names.h"

struct reply method_metrics(struct call *c)
{
	mem_auto_str text = metrics_text(c->env);
	struct error err;

	if (text)
		return reply_ok(c, json_pack("{s:s,s:s}", FIELD_CONTENT_TYPE, METRICS_TYPE,
					     FIELD_METRICS_TEXT, text));
	error_set(&err, ERR_INTERNAL, "out of memory");
	return reply_error(c, &err);
}
