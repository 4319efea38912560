/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers in the few characters of a column: never more than TOP_NUMBER - 1, so that nothing
 * moves when they grow. A negative number is one that nobody knows: "-". Pure.
 */
#ifndef WSB_CLI_TOP_TEXT_H
#define WSB_CLI_TOP_TEXT_H

#define TOP_NUMBER 8

/* Each returns out. */
char *top_count(char out[TOP_NUMBER], double n);      /* "0", "0.4", "9999", "12.3k" */
char *top_whole(char out[TOP_NUMBER], double n);      /* the same, without tenths below 10000 */
char *top_bytes(char out[TOP_NUMBER], double n);      /* "0", "512B", "1.5K", "12.0M" */
char *top_time(char out[TOP_NUMBER], double seconds); /* "231us", "4.2ms", "12s", "3m" */

#endif
