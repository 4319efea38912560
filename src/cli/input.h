/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a command reads besides its arguments: a file as a whole, or standard
 * input line by line. Blocking.
 */
#ifndef WSB_CLI_INPUT_H
#define WSB_CLI_INPUT_H

#include <jansson.h>

#include "base/error.h"
#include "base/span.h"

#define INPUT_MAX ((size_t)64 << 20)

/* All of a file, "-" is standard input; from malloc. False: *err is ERR_INVALID_OPTION. */
bool input_file(const char *path, uint8_t **bytes, size_t *n, struct error *err);

/* A JSON object, comments allowed. NULL: *err names the place. New reference. */
json_t *input_json(const char *path, struct error *err);

/*
 * Calls back for every line of the descriptor, without its newline; false ends the reading.
 * False: the callback said so, or reading failed (*err is set then).
 */
typedef bool (*input_line_cb)(void *arg, struct span line);
bool input_lines(int fd, input_line_cb on_line, void *arg, struct error *err);

#endif
