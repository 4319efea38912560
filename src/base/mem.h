/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Allocation in two kinds. Small sizes that we choose ourselves abort the
 * process on failure (it is supervised and restarts clean). Sizes that a peer
 * or a local client can choose use the try-variants and become an error.
 */
#ifndef WSB_BASE_MEM_H
#define WSB_BASE_MEM_H

#include <stddef.h>

void *mem_alloc(size_t size);			/* aborts on failure; not zeroed; size 0 is fine */
void *mem_zalloc(size_t size);			/* the same, zeroed */
void *mem_array(size_t n, size_t size);		/* zeroed n × size; aborts on overflow too */
void *mem_grow(void *p, size_t n, size_t size); /* realloc to n × size, aborts; not zeroed */
char *mem_strdup(const char *s);		/* NULL stays NULL */
char *mem_strndup(const void *p, size_t n);	/* n bytes and a NUL */
char *mem_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* What is free goes back to the system, also where it lies between what is not. Takes its time. */
void mem_give_back(void);

void *mem_try_alloc(size_t size);	     /* NULL on failure */
void *mem_try_realloc(void *p, size_t size); /* NULL on failure, p stays valid */

/*
 * Zeroed pages of their own: the kernel has them back at once when they are freed, and none
 * before they are touched. For large blocks that come and go. NULL on failure, as above.
 */
void *mem_try_pages(size_t size);
void mem_free_pages(void *p, size_t size); /* with the size they were asked for; NULL is fine */

/*
 * Test hook: the n-th try-allocation from now on fails, once (0 = none).
 * Only for the failure tests; costs one predictable branch.
 */
void mem_fail_try_after(size_t n);

void mem_free_charp(char **p); /* for __attribute__((cleanup)) */
#define mem_auto_str __attribute__((cleanup(mem_free_charp))) char *

#endif
