/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the load tools share: numbered messages, clocks, options, a watchdog. Nothing of wsbridge
 * is linked here, so that a fault of ours cannot hide in the tool that measures it. A tool ends
 * with status 2 when it cannot go on, 3 when it took longer than --timeout.
 *
 * Each message begins with its number in ten digits, so that a receiver tells loss, duplication
 * and reordering: `0000000042 abc...`, or as JSON `{"seq":"0000000042","sym":...}`.
 */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum load_text { LOAD_ASCII, LOAD_UTF8, LOAD_JSON };

#define SEQ_DIGITS 10
#define SIZE_MIN 16	  /* of a message, so that the number has room */
#define SIZE_MIN_JSON 128 /* ... of one as JSON */

/* Where the number begins in a message of this kind; in a message that was received. */
size_t load_seq_offset(enum load_text text);
size_t load_seq_offset_of(const unsigned char *message);

/* Exactly `size` bytes, numbered zero; `salt` makes one differ from the next. */
void load_fill(unsigned char *at, size_t size, enum load_text text, uint64_t salt);
void load_put_digits(unsigned char *at, size_t count, uint64_t value);
/* UINT64_MAX where something else than digits stands. */
uint64_t load_get_digits(const unsigned char *at, size_t count);
/* Does a message of `size` bytes, of which `head` are the first, carry this number? */
bool load_has_number(const unsigned char *head, size_t size, uint64_t number);

uint64_t load_now(void);       /* nanoseconds, monotonic */
double load_cpu_seconds(void); /* user and system, of this process */

/* Waits until the file is there, looking every millisecond; the watchdog ends it. */
void load_wait_for_file(const char *path);
/* Written under another name first, so that a reader sees the whole or nothing. */
void load_write_file(const char *path, const char *text);
void load_watchdog(double seconds);

bool load_write_all(int fd, const void *data, size_t size);
/* A path that is longer than the kernel's is refused. */
int load_unix_connect(const char *path);
int load_unix_listen(const char *path, int backlog);
/* HOST:PORT with an IPv4 address. */
int load_tcp_connect(const char *spec);

void *load_alloc(size_t size);
void *load_realloc(void *old, size_t size);
_Noreturn void load_die(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void load_die_errno(const char *what);

#endif
