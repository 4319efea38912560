/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `wsbridge top`: a screen of all bridges that follows what happens, or with --json the same
 * answers on standard output, one after the other. The trap: keys are looked at before the screen
 * is drawn, so that a key that is held down costs one drawing, not many.
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/mem.h"
#include "cli/run.h"
#include "cli/top_feed.h"
#include "cli/top_term.h"
#include "cli/top_view.h"
#include "conf/schema.h"
#include "control/names.h"

#define LEAST 0.1 /* seconds between two questions */
#define MOST 86400.0
#define SECOND_LOOK 0.5 /* the first rates should not take long */
#define COUNT_MAX 1000000000L

struct top {
	struct cli *cli;
	long left;    /* answers until the end; 0: no end */
	double asked; /* when it was asked the last time */
	struct top_term *term;
	struct top_feed feed;
	struct top_model model;
	struct top_ui ui;
	struct top_list list;
	time_t answered; /* since 1970 */
};

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Whenever bridges, order or filter may have changed. */
static void make_list(struct top *t)
{
	top_list_deinit(&t->list);
	top_list_init(&t->list, &t->model, &t->ui);
}

static void draw(struct top *t)
{
	struct top_scene scene = {
		.model = &t->model,
		.list = &t->list,
		.explained = t->feed.explained,
		.trouble = t->feed.trouble,
		.now = t->answered,
	};
	struct top_canvas c;

	top_term_canvas(t->term, &c);
	top_draw(&c, &scene, &t->ui);
	top_term_show(t->term, &c);
	top_canvas_deinit(&c);
}

/* True: there is something to draw. */
static bool take(struct top *t, enum feed_news news)
{
	switch (news) {
	case FEED_NOTHING:
		return false;
	case FEED_ANSWER:
		top_model_take(&t->model, t->feed.status, now());
		make_list(t);
		t->answered = time(NULL);
		t->ui.quit |= t->left > 0 && --t->left == 0;
		return true;
	case FEED_LOST:
		top_model_lost(&t->model);
		return true;
	}
	return false;
}

/* Keys that have come. True: there is something to draw. */
static bool read_keys(struct top *t)
{
	bool any = false;
	int key;

	while ((key = top_term_key(t->term)) != KEY_OF_NOTHING) {
		top_ui_key(&t->ui, &t->list, key);
		make_list(t);
		any = true;
	}
	if (t->ui.redraw)
		top_term_redraw(t->term);
	t->ui.redraw = false;
	return any;
}

/* Seconds until it asks again; below 0: it should. */
static double left_to_wait(const struct top *t)
{
	bool second = t->model.samples == 1 && !t->feed.trouble;
	double pause = second && t->ui.interval > SECOND_LOOK ? SECOND_LOOK : t->ui.interval;

	if (t->ui.refresh)
		return -1;
	return t->ui.paused ? MOST : t->asked + pause - now();
}

static enum feed_news ask_if_due(struct top *t)
{
	if (t->feed.asked != FEED_IDLE || left_to_wait(t) > 0)
		return FEED_NOTHING;
	t->ui.refresh = false;
	t->asked = now();
	return top_feed_ask(&t->feed, t->ui.page == PAGE_DETAIL ? t->ui.detail : NULL, t->asked);
}

/* While an answer is on its way the seconds count: the user is told when it takes long. */
static double patience(const struct top *t)
{
	double left = t->feed.asked != FEED_IDLE ? 1 : left_to_wait(t);

	return left > 0 ? left : 0;
}

static void follow(struct top *t)
{
	bool changed = true;

	while (!t->ui.quit && !top_term_ended(t->term)) {
		changed |= take(t, ask_if_due(t));
		changed |= top_feed_grumble(&t->feed, now());
		if (changed)
			draw(t);
		changed = false;
		if (top_term_wait(t->term, top_feed_fd(&t->feed), patience(t)))
			changed = take(t, top_feed_look(&t->feed));
		changed |= read_keys(t);
	}
}

static int run_screen(struct top *t)
{
	struct error err = ERROR_INIT;
	int status = EXIT_DONE;
	struct call *c = run_connect(t->cli, &status);

	if (!c)
		return status;
	t->term = top_term_new(&err);
	if (!t->term) {
		call_free(c);
		return run_fail(t->cli, &err);
	}
	top_feed_init(&t->feed, t->cli->socket, c);
	top_model_init(&t->model);
	make_list(t);
	follow(t);
	top_term_free(t->term);
	top_list_deinit(&t->list);
	top_model_deinit(&t->model);
	top_feed_deinit(&t->feed);
	return EXIT_DONE;
}

/* Until the next multiple of the interval: nothing adds up. What was missed is not made up for. */
static void pause_until(double *next, double interval)
{
	struct timespec at;

	*next += interval;
	if (*next < now())
		*next = now();
	at.tv_sec = (time_t)*next;
	at.tv_nsec = (long)((*next - (double)at.tv_sec) * 1e9);
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
		continue;
}

static int run_json(const struct top *t)
{
	int status = EXIT_DONE;
	struct call *c = run_connect(t->cli, &status);
	double next = now();

	for (long i = 1; c; i++) {
		struct call_request r = { METHOD_STATUS, json_object(), CALL_TIMEOUT };
		struct rpc_answer *answer = run_call(t->cli, c, &r, &status);

		if (!answer)
			break;
		run_print_json(t->cli, answer->result);
		run_answer_free(answer);
		if (fflush(t->cli->out.out) != 0 || i == t->left)
			break;
		pause_until(&next, t->ui.interval);
	}
	call_free(c);
	return status;
}

static bool read_interval(const struct args *a, double *seconds, struct error *err)
{
	const char *text = args_value(a, "delay");
	int64_t us;

	*seconds = TOP_INTERVAL;
	if (!text)
		return true;
	if (!schema_parse_duration(text, &us, err))
		return error_context(err, "--delay");
	*seconds = (double)us / 1e6;
	if (*seconds >= LEAST && *seconds <= MOST)
		return true;
	return error_set(err, ERR_INVALID_OPTION, "--delay: expected 100ms to 1d");
}

int run_top(struct cli *cli, const struct args *a)
{
	struct top t = { .cli = cli };
	struct error err = ERROR_INIT;
	const char *count = args_value(a, "number");
	double interval;
	int status;

	if (!read_interval(a, &interval, &err))
		return run_fail(cli, &err);
	if (count && !args_number(count, 1, COUNT_MAX, &t.left)) {
		error_set(&err, ERR_INVALID_OPTION, "--number: expected 1 to %ld", COUNT_MAX);
		return run_fail(cli, &err);
	}
	top_ui_init(&t.ui, interval);
	status = cli->json ? run_json(&t) : run_screen(&t);
	top_ui_deinit(&t.ui);
	return status;
}
