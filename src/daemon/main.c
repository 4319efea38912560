/* SPDX-License-Identifier: Apache-2.0 */
/* wsbridged: see daemon.c. */
#include "base/std_fds.h"
#include "daemon/daemon.h"

int main(int argc, char **argv)
{
	std_fds_fill();
	return daemon_run(argc, argv);
}
