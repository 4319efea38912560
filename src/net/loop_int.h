/* SPDX-License-Identifier: Apache-2.0 */
/* What the other files of net/ need to know of the loop. */
#ifndef WSB_NET_LOOP_INT_H
#define WSB_NET_LOOP_INT_H

struct event_base;
struct loop;

struct event_base *loop_base(struct loop *l);

#endif
