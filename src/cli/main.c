/* SPDX-License-Identifier: Apache-2.0 */
/* wsbridge: everything is in cli.c. */
#include "base/std_fds.h"
#include "cli/cli.h"

int main(int argc, char **argv)
{
	std_fds_fill();
	return cli_run(argc, argv);
}
