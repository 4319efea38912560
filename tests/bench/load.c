/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See load.h: messages, clocks, files and the end of a tool; sockets are in load_net.c.
 */
#include "bench/load.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const char json_head[] = "{\"seq\":\"";

size_t load_seq_offset(enum load_text text)
{
	return text == LOAD_JSON ? sizeof json_head - 1 : 0;
}

size_t load_seq_offset_of(const unsigned char *message)
{
	return message[0] == '{' ? sizeof json_head - 1 : 0;
}

void load_put_digits(unsigned char *at, size_t count, uint64_t value)
{
	while (count-- > 0) {
		at[count] = (unsigned char)('0' + value % 10);
		value /= 10;
	}
}

uint64_t load_get_digits(const unsigned char *at, size_t count)
{
	uint64_t value = 0;

	for (size_t i = 0; i < count; i++) {
		if (at[i] < '0' || at[i] > '9')
			return UINT64_MAX;
		value = value * 10 + (uint64_t)(at[i] - '0');
	}
	return value;
}

bool load_has_number(const unsigned char *head, size_t size, uint64_t number)
{
	size_t offset;

	if (size == 0)
		return false;
	offset = load_seq_offset_of(head);
	return size >= offset + SEQ_DIGITS && load_get_digits(head + offset, SEQ_DIGITS) == number;
}

static uint32_t next_number(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (uint32_t)(*state >> 32);
}

/* A market's data: keys that repeat, numbers that vary. */
static void fill_json(unsigned char *at, size_t size, uint64_t salt)
{
	static const char *const symbols[] = { "BTC-USD", "ETH-USD", "SOL-EUR", "XRP-USD",
					       "ADA-EUR", "DOT-USD", "LTC-USD", "XMR-EUR" };
	uint64_t state = salt * 0x9E3779B97F4A7C15u + 0x1234567;
	const char *symbol = symbols[next_number(&state) % 8];
	char item[128];
	size_t used, length;

	used = (size_t)snprintf((char *)at, size,
				"%s%010d\",\"time\":1700000000.%06u,\"sym\":\"%s\",\"levels\":[",
				json_head, 0, next_number(&state) % 1000000, symbol);
	for (const char *comma = "";; comma = ",") {
		unsigned price = 20000 + next_number(&state) % 900;
		unsigned cents = next_number(&state) % 100;
		unsigned amount = next_number(&state) % 100000;
		const char *side = next_number(&state) % 2 ? "buy" : "sell";

		length = (size_t)snprintf(
			item, sizeof item, "%s{\"price\":%u.%02u,\"qty\":%u.%04u,\"side\":\"%s\"}",
			comma, price, cents, amount / 10000, amount % 10000, side);
		if (used + length + 2 > size)
			break;
		memcpy(at + used, item, length);
		used += length;
	}
	memset(at + used, ' ', size - used - 2);
	memcpy(at + size - 2, "]}", 2);
}

void load_fill(unsigned char *at, size_t size, enum load_text text, uint64_t salt)
{
	size_t used = SEQ_DIGITS + 1;

	if (text == LOAD_JSON) {
		fill_json(at, size, salt);
		return;
	}
	load_put_digits(at, SEQ_DIGITS, 0);
	at[SEQ_DIGITS] = ' ';
	if (text == LOAD_UTF8) {
		for (; used + 3 <= size; used += 3) { /* U+3042 and on: hiragana */
			at[used] = 0xE3;
			at[used + 1] = 0x81;
			at[used + 2] = (unsigned char)(0x82 + (used + salt) % 40);
		}
		memset(at + used, '.', size - used);
		return;
	}
	for (; used < size; used++)
		at[used] = (unsigned char)('a' + (used + salt) % 26);
}

uint64_t load_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

double load_cpu_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

void load_wait_for_file(const char *path)
{
	static const struct timespec pause = { .tv_nsec = 1000000 };
	struct stat st;

	while (stat(path, &st) != 0)
		nanosleep(&pause, NULL);
}

void load_write_file(const char *path, const char *text)
{
	char other[4096];
	FILE *file;

	snprintf(other, sizeof other, "%s.tmp", path);
	file = fopen(other, "we");
	if (!file || fputs(text, file) < 0 || fclose(file) != 0 || rename(other, path) != 0)
		load_die_errno(path);
}

static void on_alarm(int number)
{
	static const char text[] = "load tool: longer than --timeout, giving up\n";

	(void)number;
	if (write(STDERR_FILENO, text, sizeof text - 1) < 0)
		_exit(4);
	_exit(3);
}

void load_watchdog(double seconds)
{
	struct itimerval timer = { .it_value.tv_sec = (time_t)seconds };
	struct sigaction action = { .sa_handler = on_alarm };
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	sigaction(SIGPIPE, &ignore, NULL);
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

void *load_realloc(void *old, size_t size)
{
	void *new = realloc(old, size ? size : 1);

	if (!new)
		load_die("out of memory");
	return new;
}

void *load_alloc(size_t size)
{
	return load_realloc(NULL, size);
}

void load_die(const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s: ", program_invocation_short_name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(2);
}

void load_die_errno(const char *what)
{
	load_die("%s: %s", what, strerror(errno));
}
