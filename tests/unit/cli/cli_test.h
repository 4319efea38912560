/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the command line share: a line cut into words, as a shell does it. */
#ifndef WSB_UNIT_CLI_CLI_TEST_H
#define WSB_UNIT_CLI_CLI_TEST_H

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define WORDS_MAX 32

struct words {
	int argc;
	char *argv[WORDS_MAX + 1];
	char *text; /* owns the words */
};

/* Words are parted by blanks; '...' keeps blanks together. */
static inline void words_init(struct words *w, const char *line)
{
	char *out;

	*w = (struct words){ .text = mem_zalloc(strlen(line) + 2) };
	out = w->text;
	while (*line && w->argc < WORDS_MAX) {
		char end = *line == '\'' ? '\'' : ' ';
		size_t n;

		line += end == '\'';
		n = strcspn(line, end == '\'' ? "'" : " ");
		memcpy(out, line, n);
		w->argv[w->argc++] = out;
		out += n + 1;
		line += n + (line[n] == end);
		line += end == '\'' && *line == ' ';
	}
}

static inline void words_deinit(struct words *w)
{
	free(w->text);
}

#endif
