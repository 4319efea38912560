/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See load_args.h.
 */
#include "bench/load_args.h"

#include <errno.h>
#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/load.h"

static uint64_t parse_count(const char *name, const char *text)
{
	char *end;
	unsigned long long value;
	unsigned shift = 0;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (*end == 'k' || *end == 'M')
		shift = *end++ == 'k' ? 10 : 20;
	if (errno || end == text || *end || *text == '-' || value > UINT64_MAX >> shift)
		load_die("--%s: bad number '%s'", name, text);
	return value << shift;
}

static double parse_seconds(const char *name, const char *text)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end || !(value >= 0 && value < 1e9))
		load_die("--%s: bad number '%s'", name, text);
	return value;
}

static enum load_text parse_text(const char *name, const char *text)
{
	if (!strcmp(text, "ascii"))
		return LOAD_ASCII;
	if (!strcmp(text, "utf8"))
		return LOAD_UTF8;
	if (!strcmp(text, "json"))
		return LOAD_JSON;
	load_die("--%s: ascii, utf8 or json, not '%s'", name, text);
}

static void set(const struct load_arg *arg, const char *text)
{
	switch (arg->kind) {
	case LOAD_FLAG:
		*(bool *)arg->to = true;
		break;
	case LOAD_COUNT:
		*(uint64_t *)arg->to = parse_count(arg->name, text);
		break;
	case LOAD_SECONDS:
		*(double *)arg->to = parse_seconds(arg->name, text);
		break;
	case LOAD_STRING:
		*(const char **)arg->to = text;
		break;
	case LOAD_KIND:
		*(enum load_text *)arg->to = parse_text(arg->name, text);
		break;
	}
}

static void show_help(const struct load_arg *args, const char *usage)
{
	printf("usage: %s\n\n", usage);
	for (; args->name; args++)
		printf("  --%-14s %s\n", args->name, args->help);
}

int load_args(int argc, char **argv, const struct load_arg *args, const char *usage)
{
	struct option options[LOAD_ARGS_MAX + 2] = { 0 };
	int count = 0, c;

	for (; args[count].name; count++)
		options[count] = (struct option){ .name = args[count].name,
						  .has_arg = args[count].kind != LOAD_FLAG,
						  .val = 256 + count };
	options[count] = (struct option){ .name = "help", .val = 'h' };
	while ((c = getopt_long(argc, argv, "+h", options, NULL)) != -1) {
		if (c >= 256) {
			set(&args[c - 256], optarg);
			continue;
		}
		if (c == 'h') {
			show_help(args, usage);
			exit(0);
		}
		load_die("--help shows the options");
	}
	return optind;
}
