/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is under test, one for each feed: a link alone, whose owner checks what
 * it hears, or a bridge of a registry with its local clients. The world and
 * the operators see both through these calls.
 */
#ifndef SIM_SUBJECT_H
#define SIM_SUBJECT_H

#include "link/link.h"

struct feed;
struct link_owner;
struct main_conf;
struct bridge;
struct sim;

struct subject {
	struct link *link; /* NULL: a bridge */
	struct link_owner *owner;
};

void subjects_init(struct sim *s); /* makes and starts those that start by themselves */
void subjects_deinit(struct sim *s);
void subject_start(struct feed *f);
void subject_stop(struct feed *f, int code);
void subject_reconnect(struct feed *f);
void subject_check(struct feed *f);
void subjects_configure(struct sim *s, struct main_conf *conf); /* in place of s->conf */
void subject_info(struct feed *f, struct link_info *info);
bool subject_reads(struct feed *f); /* it takes what comes in, now */
bool subject_is_over(struct feed *f);
void subjects_calm(struct sim *s);	/* clients read, and come and go no more */
void subject_judge(struct feed *f);	/* after a step */
void subjects_judge(struct sim *s);	/* all together, now and then */
void subjects_judge_end(struct sim *s); /* after the calm, when nobody writes any more */

#endif
