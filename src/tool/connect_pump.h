/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread that copies between a standard descriptor and a socket. What stands
 * behind standard input and output may be a file, a pipe or a terminal that is
 * shared with others: not all of it can be polled, and setting it to
 * non-blocking would be seen by everybody. So a thread of its own blocks, and
 * the loop sees a socket.
 */
#ifndef WSB_TOOL_CONNECT_PUMP_H
#define WSB_TOOL_CONNECT_PUMP_H

struct connect_pump;

enum connect_pump_way { PUMP_IN, PUMP_OUT };

/*
 * PUMP_IN copies from fd to the socket, PUMP_OUT from the socket to fd, until there is nothing
 * more on the one side, or nobody on the other. fd stays the caller's and as it is. *end is the
 * loop's side of the socket, non-blocking; it is the caller's, and sees the end of input when
 * the copying is over: of PUMP_OUT, when all is written, or nothing more can be. Aborts when the
 * system has no more descriptors or threads.
 */
struct connect_pump *connect_pump_new(int fd, enum connect_pump_way way, int *end);

/* Ends it where it stands. The errno that ended the copying, 0 = none. NULL is fine. */
int connect_pump_free(struct connect_pump *p);

#endif
