/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lineload --send: lines that are built once, numbered, and written many at once;
 * lineload --pingpong: one line at a time, with the time until its echo.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/histogram.h"
#include "bench/lineload.h"

#define BATCH_SIZE ((size_t)256 << 10)

static int connect_ready(void)
{
	int fd = load_unix_connect(lineload.unix_path);

	if (lineload.ready_file)
		load_wait_for_file(lineload.ready_file);
	return fd;
}

/* Reads up to the end of a line into buf; its length with the end, 0 when there is none. */
static size_t read_line(int fd, unsigned char *buf, size_t size)
{
	size_t used = 0;

	while (used < size) {
		ssize_t got = read(fd, buf + used, size - used);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return 0;
		used += (size_t)got;
		if (buf[used - 1] == '\n')
			return used;
	}
	return 0;
}

bool lineload_send(void)
{
	size_t unit = (size_t)lineload.size + 1;
	size_t each = BATCH_SIZE / unit ? BATCH_SIZE / unit : 1;
	unsigned char *lines = load_alloc(each * unit), ack[4096];
	int fd = connect_ready();
	uint64_t start, done = 0;
	double cpu;
	bool ok;

	for (size_t i = 0; i < each; i++) {
		load_fill(lines + i * unit, unit - 1, lineload.text, i);
		lines[i * unit + unit - 1] = '\n';
	}
	start = load_now();
	cpu = load_cpu_seconds();
	while (done < lineload.send) {
		size_t n = lineload.send - done < each ? (size_t)(lineload.send - done) : each;

		for (size_t i = 0; i < n; i++)
			load_put_digits(lines + i * unit + load_seq_offset(lineload.text),
					SEQ_DIGITS, done + i);
		if (!load_write_all(fd, lines, n * unit))
			load_die_errno("write");
		done += n;
	}
	cpu = load_cpu_seconds() - cpu;
	if (!lineload.wait_ack)
		shutdown(fd, SHUT_WR);
	ok = !lineload.wait_ack || read_line(fd, ack, sizeof ack) > 0;
	printf("{\"tool\":\"lineload\",\"mode\":\"send\",\"lines\":%llu,\"elapsed_s\":%.6f,"
	       "\"cpu_s\":%.6f,\"ok\":%s}\n",
	       (unsigned long long)done, (double)(load_now() - start) * 1e-9, cpu,
	       ok ? "true" : "false");
	close(fd);
	free(lines);
	return ok;
}

bool lineload_pingpong(void)
{
	size_t unit = (size_t)lineload.size + 1;
	unsigned char *line = load_alloc(unit), *echo = load_alloc(unit);
	struct histogram *h = load_alloc(sizeof *h);
	uint64_t wrong = 0, start = load_now();
	int fd = connect_ready();
	double cpu = 0;

	memset(h, 0, sizeof *h);
	load_fill(line, unit - 1, lineload.text, 0);
	line[unit - 1] = '\n';
	for (uint64_t i = 0; i < lineload.pingpong + lineload.warmup; i++) {
		uint64_t sent = load_now();

		if (i == lineload.warmup) {
			start = sent;
			cpu = load_cpu_seconds();
		}
		load_put_digits(line + load_seq_offset(lineload.text), SEQ_DIGITS, i);
		if (!load_write_all(fd, line, unit) || read_line(fd, echo, unit) == 0)
			load_die("the other end left after %llu round trips",
				 (unsigned long long)i);
		wrong += memcmp(line, echo, unit) != 0;
		if (i >= lineload.warmup)
			histogram_add(h, load_now() - sent);
	}
	printf("{\"tool\":\"lineload\",\"mode\":\"pingpong\",\"lines\":%llu,\"elapsed_s\":%.6f,"
	       "\"cpu_s\":%.6f,\"wrong\":%llu,",
	       (unsigned long long)lineload.pingpong, (double)(load_now() - start) * 1e-9,
	       load_cpu_seconds() - cpu, (unsigned long long)wrong);
	histogram_print(h, "rtt", stdout);
	printf(",\"ok\":%s}\n", wrong == 0 ? "true" : "false");
	close(fd);
	free(h);
	free(line);
	free(echo);
	return wrong == 0;
}
