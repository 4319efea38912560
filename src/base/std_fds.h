/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Standard input, output and error that the caller has closed. The next socket would get such a
 * number, and what is meant for a person would go to whoever is at its other end.
 */
#ifndef WSB_BASE_STD_FDS_H
#define WSB_BASE_STD_FDS_H

/* Before anything is opened. Then input is empty, and writing fails with EBADF as before. */
void std_fds_fill(void);

#endif
