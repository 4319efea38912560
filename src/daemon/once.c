/* SPDX-License-Identifier: Apache-2.0 */
/* See once.h. */
#include "daemon/once.h"

#include <stdio.h>

#include "conf/conf_file.h"

void once_print_error(void *arg, const char *sentence)
{
	(void)arg;
	fprintf(stderr, "wsbridged: %s\n", sentence);
}

int once_check(const char *path)
{
	struct main_conf *conf = conf_file_load(path, once_print_error, NULL);

	if (!conf)
		return 1;
	printf("%s: ok, %zu bridge%s\n", path, conf->n_bridges, conf->n_bridges == 1 ? "" : "s");
	main_conf_free(conf);
	return 0;
}

int once_print_schema(void)
{
	json_t *schema = main_conf_json_schema();
	bool failed = json_dumpf(schema, stdout, JSON_INDENT(2)) < 0 || putchar('\n') == EOF ||
		      fflush(stdout) != 0;

	json_decref(schema);
	return failed;
}
