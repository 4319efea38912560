/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All 49 cells of the link's table against a second copy of it, written as the
 * manual shows it, and a walk over every configuration that operator, session
 * and timer can bring about: the impossible cells are never reached, and the
 * two invariants hold after each step.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "link/link_fsm.h"

/*
 * In the order of enum link_input: start, stop, reconnect, opened, ended, ended
 * for good, timer. "." cannot happen, "-" stays, else STATE:action.
 */
static const char *const expected[LINK_N_STATES][LINK_N_INPUTS] = {
	[LINK_STOPPED] = { "connecting:begin", "-", "-", ".", ".", ".", "." },
	[LINK_CONNECTING] = { "-", "stopping:close", "restarting:close", "open:", "waiting:arm",
			      "failed:", "." },
	[LINK_OPEN] = { "-", "stopping:close", "restarting:close", ".", "waiting:arm",
			"failed:", "." },
	[LINK_STOPPING] = { "restarting:", "-", "-", ".", "stopped:", "stopped:", "." },
	[LINK_RESTARTING] = { "-", "stopping:", "-", ".", "connecting:begin", "connecting:begin",
			      "." },
	[LINK_WAITING] = { "-", "stopped:disarm", "connecting:disarm begin", ".", ".", ".",
			   "connecting:begin" },
	[LINK_GAVE_UP] = { "connecting:begin", "stopped:", "connecting:begin", ".", ".", ".", "." },
};

static const char *action_name(enum link_action action)
{
	switch (action) {
	case LINK_DO_NOTHING:
		return "";
	case LINK_DO_BEGIN:
		return "begin";
	case LINK_DO_CLOSE:
		return "close";
	case LINK_DO_ARM:
		return "arm";
	case LINK_DO_DISARM:
		return "disarm";
	case LINK_DO_DISARM_BEGIN:
		return "disarm begin";
	}
	return NULL;
}

static void assert_cell(enum link_state state, enum link_input input)
{
	const char *want = expected[state][input];
	struct link_step step = link_fsm_step(state, input);
	size_t n = strcspn(want, ":");

	if (strcmp(want, ".") == 0) {
		assert_false(step.possible);
		return;
	}
	assert_true(step.possible);
	if (strcmp(want, "-") == 0) {
		assert_int_equal(step.next, state);
		assert_int_equal(step.action, LINK_DO_NOTHING);
		return;
	}
	assert_int_equal(strlen(link_state_name(step.next)), n);
	assert_memory_equal(link_state_name(step.next), want, n);
	assert_string_equal(action_name(step.action), want + n + 1);
}

static void test_every_cell(void **state)
{
	(void)state;
	for (int s = 0; s < LINK_N_STATES; s++)
		for (int i = 0; i < LINK_N_INPUTS; i++)
			assert_cell((enum link_state)s, (enum link_input)i);
}

/* What exists around the machine: a session, whether it is closing, the timer. */
struct world {
	enum link_state state;
	bool session, closing, opened, timer;
};

static bool can_happen(const struct world *w, enum link_input input)
{
	switch (input) {
	case LINK_IN_START:
	case LINK_IN_STOP:
	case LINK_IN_RECONNECT:
		return true;
	case LINK_IN_OPENED: /* at most once, and never after session_close */
		return w->session && !w->closing && !w->opened;
	case LINK_IN_ENDED:
	case LINK_IN_ENDED_FATAL:
		return w->session;
	case LINK_IN_TIMER:
		return w->timer;
	case LINK_N_INPUTS:
		break;
	}
	return false;
}

static struct world step_world(struct world w, enum link_input input)
{
	struct link_step step = link_fsm_step(w.state, input);

	assert_true(step.possible);
	if (input == LINK_IN_ENDED || input == LINK_IN_ENDED_FATAL)
		w.session = w.closing = w.opened = false;
	if (input == LINK_IN_OPENED)
		w.opened = true;
	if (input == LINK_IN_TIMER)
		w.timer = false;
	w.state = step.next;
	if (step.action == LINK_DO_BEGIN || step.action == LINK_DO_DISARM_BEGIN) {
		assert_false(w.session);
		w.session = true;
	}
	if (step.action == LINK_DO_CLOSE)
		w.closing = true;
	if (step.action == LINK_DO_ARM)
		w.timer = true;
	if (step.action == LINK_DO_DISARM || step.action == LINK_DO_DISARM_BEGIN)
		w.timer = false;
	assert_int_equal(w.session, link_state_has_session(w.state));
	assert_int_equal(w.timer, w.state == LINK_WAITING);
	return w;
}

static unsigned number_of(const struct world *w)
{
	return (unsigned)w->state << 4 | (unsigned)w->session << 3 | (unsigned)w->closing << 2 |
	       (unsigned)w->opened << 1 | (unsigned)w->timer;
}

static void walk(struct world w, bool *seen, unsigned *cells)
{
	if (seen[number_of(&w)])
		return;
	seen[number_of(&w)] = true;
	for (int i = 0; i < LINK_N_INPUTS; i++) {
		if (!can_happen(&w, (enum link_input)i))
			continue;
		cells[w.state] |= 1u << i;
		walk(step_world(w, (enum link_input)i), seen, cells);
	}
}

static void test_walk_reaches_exactly_the_possible_cells(void **state)
{
	bool seen[LINK_N_STATES << 4] = { false };
	unsigned cells[LINK_N_STATES] = { 0 };
	struct world start = { .state = LINK_STOPPED };

	(void)state;
	walk(start, seen, cells);
	for (int s = 0; s < LINK_N_STATES; s++)
		for (int i = 0; i < LINK_N_INPUTS; i++)
			assert_int_equal(
				cells[s] >> i & 1,
				link_fsm_step((enum link_state)s, (enum link_input)i).possible);
}

static void test_names_that_users_see(void **state)
{
	(void)state;
	assert_string_equal(link_state_shown(LINK_STOPPED), "closed");
	assert_string_equal(link_state_shown(LINK_CONNECTING), "connecting");
	assert_string_equal(link_state_shown(LINK_OPEN), "open");
	assert_string_equal(link_state_shown(LINK_STOPPING), "closing");
	assert_string_equal(link_state_shown(LINK_RESTARTING), "closing");
	assert_string_equal(link_state_shown(LINK_WAITING), "waiting");
	assert_string_equal(link_state_shown(LINK_GAVE_UP), "failed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_cell),
		cmocka_unit_test(test_walk_reaches_exactly_the_possible_cells),
		cmocka_unit_test(test_names_that_users_see),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
