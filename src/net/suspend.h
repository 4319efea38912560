/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Notices that the machine was suspended: then CLOCK_BOOTTIME has run on and
 * CLOCK_MONOTONIC has stood still. The kernel tells by a timer that a change
 * of the clock cancels (timerfd_create(2), TFD_TIMER_CANCEL_ON_SET); where it
 * does not, somebody looks now and then. Owned by the daemon.
 */
#ifndef WSB_NET_SUSPEND_H
#define WSB_NET_SUSPEND_H

#include <stdint.h>

struct loop;
struct suspend;

#define SUSPEND_MIN ((int64_t)5 * 1000000) /* a shorter one is none */

/* slept: microseconds. From the loop, or from inside suspend_look. */
typedef void (*suspend_cb)(void *arg, int64_t slept);

/* gap: BOOTTIME less MONOTONIC, microseconds; NULL = the kernel's. */
struct suspend *suspend_new(struct loop *l, int64_t (*gap)(void), suspend_cb cb, void *arg);
void suspend_look(struct suspend *s); /* cheap; calls cb if time was lost since the last look */
void suspend_free(struct suspend *s); /* not from inside cb; NULL is fine */

#endif
