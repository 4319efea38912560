/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server with two control sockets, one of them with the level read, and real
 * clients in its loop. The bridge "feed" is there, and closed.
 */
#ifndef WSB_UNIT_CONTROL_SERVER_RIG_H
#define WSB_UNIT_CONTROL_SERVER_RIG_H

#include "control/control_fixture.h"

#define VERSION_ANSWER "\"result\":{\"version\":"

/* What one test has. */
struct test {
	struct fixture f;
	char folder[32];
	char path[64], other[64];
};

struct client {
	struct loop *loop;
	int fd;
	struct watch watch;
	const char *input; /* what is still to be written */
	size_t n_input;
	bool half_close; /* at the end of the input */
	bool reading;
	char *output;
	size_t n_output;
	size_t enough; /* lines: stop the loop then; 0 = at the end only */
	bool ended;
};

int server_setup(void **state);
int server_teardown(void **state);
/* more: members of the first socket. */
struct main_conf *conf_with(const char *more, const char *path, const char *other);
int connect_to(const char *path); /* -1 = refused */

void client_init(struct client *c, struct test *t, const char *path, struct span input);
void client_deinit(struct client *c);
void client_watch(struct client *c); /* after a change of what it reads or writes */
/* Writes everything, ends its input, and reads to the end; the caller frees. */
char *talk(struct test *t, const char *path, struct span input);

size_t count_lines(const struct client *c);
const char *line_at(const char *text, size_t n);
void expect_in_line(const char *text, size_t n, const char *part);

#endif
