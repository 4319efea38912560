/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Descriptors for the process's ends of sim_sock, and the system calls on them: the program is
 * linked with --wrap for these (see Makefile.inc), so that the code under test makes the calls
 * it always makes. Other descriptors go to the kernel. The clocks are the loop's, too.
 */
#ifndef SIM_SIM_FD_H
#define SIM_SIM_FD_H

#include "sim/sim_sock.h"

#define SIM_FD_BASE 1000000

int sim_fd_new(struct sim_sock *s);   /* the lowest that is free, as a kernel does it */
struct sim_sock *sim_fd_sock(int fd); /* NULL = none of ours */
size_t sim_fd_live(void);
size_t sim_fd_socks(unsigned tag); /* with this tag, that have a descriptor */

#endif
