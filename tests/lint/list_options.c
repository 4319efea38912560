/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prints the dotted name of every option there is, one a line, for the checks
 * that the sample and the manual name them all. It exits 1 if a table is empty.
 */
#include <stdio.h>

#include "conf/main_conf.h"

static bool print_table(const struct schema *s, const char *prefix)
{
	for (size_t i = 0; i < s->n_rows; i++)
		printf("%s%s\n", prefix, s->rows[i].name);
	return s->n_rows > 0;
}

int main(void)
{
	bool ok = print_table(&main_schema, "");

	ok = print_table(&control_schema, "control.") && ok;
	ok = print_table(&bridge_schema, "bridges.*.") && ok;
	ok = print_table(&endpoint_schema, "bridges.*.endpoint.") && ok;
	puts("control\ndefaults\nbridges");
	return fflush(stdout) == 0 && ok ? 0 : 1;
}
