/* SPDX-License-Identifier: Apache-2.0 */
/* wsbridged: see daemon.c. */
#include "daemon/daemon.h"

int main(int argc, char **argv)
{
	return daemon_run(argc, argv);
}
