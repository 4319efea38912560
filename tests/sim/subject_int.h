/* SPDX-License-Identifier: Apache-2.0 */
/* The two kinds of subject, for subject.c. */
#ifndef SIM_SUBJECT_INT_H
#define SIM_SUBJECT_INT_H

#include "sim/world.h"

struct bridge;

void link_subject_init(struct feed *f);
void link_subject_deinit(struct feed *f);
bool link_subject_reads(const struct feed *f);
void link_subject_calm(struct feed *f);
void link_subject_configure(struct feed *f, struct bridge_conf *conf);
void link_subject_judge(struct feed *f);

struct bridge *bridge_subject(const struct feed *f);
void bridge_subjects_init(struct sim *s);
void bridge_subjects_deinit(struct sim *s);
void bridge_subjects_configure(struct sim *s, struct main_conf *conf);
void bridge_subject_start(struct feed *f);
void bridge_subject_stop(struct feed *f, int code);
void bridge_subject_reconnect(struct feed *f);
void bridge_subject_check(struct feed *f);
void bridge_subject_info(const struct feed *f, struct link_info *out);
bool bridge_subject_reads(const struct feed *f);
bool bridge_subject_is_over(const struct feed *f);
void bridge_subject_judge(struct feed *f);
void bridge_subjects_judge(struct sim *s);
void bridge_subject_judge_end(struct feed *f);

#endif
