/* SPDX-License-Identifier: Apache-2.0 */
/* See check.h. It touches nothing that the configuration names: no socket, no upstream. */
#include "tool/check.h"

#include "conf/conf_file.h"

bool check_run(const char *path, void (*on_error)(void *arg, const char *sentence), void *arg,
	       size_t *n_bridges)
{
	struct main_conf *conf = conf_file_load(path, on_error, arg);

	if (!conf)
		return false;
	*n_bridges = conf->n_bridges;
	main_conf_free(conf);
	return true;
}
