/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `log`: the level of the log, until a reload sets what the configuration or
 * the command line says. The trap: the change itself is a line of the log, and
 * must be seen from whichever of the two levels shows more.
 */
#include "base/log.h"
#include "control/methods.h"
#include "control/names.h"

_Static_assert(LOG_LEVEL_ERROR == 0 && LOG_LEVEL_DEBUG == 4, "in the order of the parameter");

static void change(enum log_level level)
{
	enum log_level before = log_level();

	if (level > before)
		log_set_level(level);
	log_notice(NULL, "log level: %s instead of %s, until the next reload",
		   log_level_name(level), log_level_name(before));
	log_set_level(level);
}

struct reply method_log(struct call *c)
{
	enum log_level level = log_level();
	json_t *result;

	if (c->params.log_level)
		level = (enum log_level)(c->params.log_level - 1);
	if (!c->params.dry_run && level != log_level())
		change(level);
	result = json_pack("{s:s}", FIELD_LEVEL, log_level_name(level));
	if (c->params.dry_run)
		json_object_set_new(result, FIELD_DRY_RUN, json_true());
	return reply_ok(c, result);
}
