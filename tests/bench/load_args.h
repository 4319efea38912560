/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options of a load tool as a table, from which --help is made, too.
 */
#ifndef BENCH_LOAD_ARGS_H
#define BENCH_LOAD_ARGS_H

enum load_kind {
	LOAD_FLAG,    /* bool */
	LOAD_COUNT,   /* uint64_t; 64, 4k, 1M */
	LOAD_SECONDS, /* double */
	LOAD_STRING,  /* const char * */
	LOAD_KIND     /* enum load_text: ascii, utf8, json */
};

struct load_arg {
	const char *name;
	enum load_kind kind;
	void *to;
	const char *help;
};

#define LOAD_ARGS_MAX 32

/*
 * Reads the options of a table that ends with a row without a name; the index of the first other
 * argument. A bad option ends the tool, --help ends it well; `usage` is its line.
 */
int load_args(int argc, char **argv, const struct load_arg *args, const char *usage);

#endif
