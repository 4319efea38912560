/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The simulator's command line. Started by the test suite (tests/tap.sh) it
 * takes no arguments and speaks TAP, one test for fifty seeds; what can be run
 * in a minute depends on what it is run under.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "sim/sim_memory.h"
#include "sim/workers.h"
#include "sim/world.h"

#define MINUTES 10
#define SUITE 500
#define GROUP 50

#if defined(__SANITIZE_ADDRESS__)
#define SLOWER 5
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SLOWER 5
#endif
#endif
#ifndef SLOWER
#define SLOWER 1
#endif

struct args {
	struct work work;
	bool one, verbose;
};

static void usage(void)
{
	fputs("usage: sim [--seeds N | --seeds FROM-TO | --seed N [-v]] [--minutes M] [--jobs N]\n"
	      "           [--stop-after FAILURES] [--limit SECONDS]\n",
	      stderr);
	exit(2);
}

static uint64_t number(const char *text, char **end)
{
	uint64_t n;

	errno = 0;
	n = strtoull(text, end, 10);
	if (*end == text || errno || *text == '-')
		usage();
	return n;
}

static uint64_t whole_number(const char *text, uint64_t most)
{
	char *end;
	uint64_t n = number(text, &end);

	if (*end || n > most)
		usage();
	return n;
}

static void set_seeds(struct work *w, const char *text)
{
	char *end;
	uint64_t n = number(text, &end);

	w->n = n;
	w->from = 1;
	if (*end == '-') {
		w->from = n;
		n = whole_number(end + 1, UINT64_MAX);
		w->n = n - w->from + 1;
		end = strchr(end, '\0');
	}
	if (*end || w->n == 0 || w->n > 1000000000 || (n < w->from))
		usage();
}

static void set_option(struct args *a, int option, const char *text)
{
	switch (option) {
	case 's':
		set_seeds(&a->work, text);
		break;
	case 'o':
		a->one = true;
		a->work.from = whole_number(text, UINT64_MAX);
		break;
	case 'm':
		a->work.minutes = (int64_t)whole_number(text, 1000000);
		break;
	case 'j':
		a->work.jobs = (unsigned)whole_number(text, 64);
		break;
	case 'f':
		a->work.stop_after = (unsigned)whole_number(text, 1000000);
		break;
	case 'l':
		a->work.limit = (unsigned)whole_number(text, 1000000);
		break;
	case 'v':
		a->verbose = true;
		break;
	default:
		usage();
	}
}

static struct args parse(int argc, char **argv)
{
	static const struct option options[] = {
		{ "seeds", required_argument, NULL, 's' },
		{ "seed", required_argument, NULL, 'o' },
		{ "minutes", required_argument, NULL, 'm' },
		{ "jobs", required_argument, NULL, 'j' },
		{ "stop-after", required_argument, NULL, 'f' },
		{ "limit", required_argument, NULL, 'l' },
		{ "verbose", no_argument, NULL, 'v' },
		{ NULL, 0, NULL, 0 },
	};
	struct args a = {
		.work = { .from = 1, .n = SUITE, .minutes = MINUTES, .stop_after = 5 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "v", options, NULL)) != -1)
		set_option(&a, option, optarg);
	if (optind < argc || (a.verbose && !a.one) || a.work.minutes == 0)
		usage();
	if (a.work.jobs == 0)
		a.work.jobs = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
	return a;
}

/* Of one seed all there is to see. */
static int replay(const struct args *a)
{
	static struct sim s;

	log_set_level(a->verbose ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR);
	setvbuf(stdout, NULL, _IOLBF, 0);
	world_run(&s, a->work.from, a->work.minutes, a->verbose);
	printf("seed %llu passed, hash %016llx: %zu links, %llu dials, %llu messages in, %llu "
	       "records out, %llu steps\n",
	       (unsigned long long)a->work.from, (unsigned long long)s.hash, s.n_feeds,
	       (unsigned long long)s.dials, (unsigned long long)s.messages,
	       (unsigned long long)s.records, (unsigned long long)s.steps);
	return 0;
}

struct sums {
	uint64_t passed, failed, hash;
	double hours, seconds;
};

static void add(struct sums *sums, const struct result *r)
{
	sums->passed += r->outcome == PASSED;
	sums->failed += r->outcome == FAILED || r->outcome == RUNNING;
	sums->hash = (sums->hash ^ r->hash) * 0x100000001b3U;
	sums->hours += r->hours;
	sums->seconds += r->seconds;
}

static int report(const struct work *w, const struct result *results)
{
	struct sums all = { 0 };

	for (uint64_t i = 0; i < w->n; i++)
		add(&all, &results[i]);
	printf("%.0f link-hours, %.0f in a second of one processor; hash of all %016llx\n",
	       all.hours, all.seconds > 0 ? all.hours / all.seconds : 0,
	       (unsigned long long)all.hash);
	printf("%llu passed, %llu failed\n", (unsigned long long)all.passed,
	       (unsigned long long)all.failed);
	return all.failed > 0;
}

static int report_tap(const struct work *w, const struct result *results)
{
	uint64_t groups = (w->n + GROUP - 1) / GROUP;
	int status = 0;

	printf("1..%llu\n", (unsigned long long)groups);
	for (uint64_t g = 0; g < groups; g++) {
		uint64_t from = g * GROUP, to = from + GROUP < w->n ? from + GROUP : w->n;
		struct sums sums = { 0 };

		for (uint64_t i = from; i < to; i++)
			add(&sums, &results[i]);
		status |= sums.passed < to - from;
		printf("%sok %llu - seeds %llu to %llu: %.0f link-hours, hash %016llx\n",
		       sums.passed < to - from ? "not " : "", (unsigned long long)g + 1,
		       (unsigned long long)(w->from + from), (unsigned long long)(w->from + to - 1),
		       sums.hours, (unsigned long long)sums.hash);
	}
	return status;
}

int main(int argc, char **argv)
{
	struct args a = parse(argc, argv);
	const char *wrapper = getenv("WRAPPER"), *format = getenv("CMOCKA_MESSAGE_OUTPUT");
	bool tap = argc == 1 && format && strcmp(format, "TAP") == 0;
	const struct result *results;

	sim_memory_init();
	log_set_level(LOG_LEVEL_ERROR);
	if (a.one)
		return replay(&a);
	if (tap)
		a.work.n = wrapper && *wrapper ? 3 : SUITE / SLOWER;
	a.work.progress = !tap && isatty(STDERR_FILENO);
	results = workers_run(&a.work);
	return tap ? report_tap(&a.work, results) : report(&a.work, results);
}
