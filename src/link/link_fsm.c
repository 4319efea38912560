/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policy of a link, one cell for each state and input. A cell that is not
 * written here cannot happen; link.c asserts it.
 */
#include "link/link_fsm.h"

#include <stddef.h>

#define STAY(state)                                 \
	{                                           \
		LINK_##state, LINK_DO_NOTHING, true \
	}
#define TO(state, action)                            \
	{                                            \
		LINK_##state, LINK_DO_##action, true \
	}

static const struct link_step table[LINK_N_STATES][LINK_N_INPUTS] = {
	[LINK_STOPPED] = {
		[LINK_IN_START] = TO(CONNECTING, BEGIN),
		[LINK_IN_STOP] = STAY(STOPPED),
		[LINK_IN_RECONNECT] = STAY(STOPPED),
	},
	[LINK_CONNECTING] = {
		[LINK_IN_START] = STAY(CONNECTING),
		[LINK_IN_STOP] = TO(STOPPING, CLOSE),
		[LINK_IN_RECONNECT] = TO(RESTARTING, CLOSE),
		[LINK_IN_OPENED] = TO(OPEN, NOTHING),
		[LINK_IN_ENDED] = TO(WAITING, ARM),
		[LINK_IN_ENDED_FATAL] = TO(GAVE_UP, NOTHING),
	},
	[LINK_OPEN] = {
		[LINK_IN_START] = STAY(OPEN),
		[LINK_IN_STOP] = TO(STOPPING, CLOSE),
		[LINK_IN_RECONNECT] = TO(RESTARTING, CLOSE),
		[LINK_IN_ENDED] = TO(WAITING, ARM),
		[LINK_IN_ENDED_FATAL] = TO(GAVE_UP, NOTHING),
	},
	[LINK_STOPPING] = {
		[LINK_IN_START] = TO(RESTARTING, NOTHING),
		[LINK_IN_STOP] = STAY(STOPPING),
		[LINK_IN_RECONNECT] = STAY(STOPPING),
		[LINK_IN_ENDED] = TO(STOPPED, NOTHING),
		[LINK_IN_ENDED_FATAL] = TO(STOPPED, NOTHING),
	},
	[LINK_RESTARTING] = {
		[LINK_IN_START] = STAY(RESTARTING),
		[LINK_IN_STOP] = TO(STOPPING, NOTHING),
		[LINK_IN_RECONNECT] = STAY(RESTARTING),
		[LINK_IN_ENDED] = TO(CONNECTING, BEGIN),
		[LINK_IN_ENDED_FATAL] = TO(CONNECTING, BEGIN),
	},
	[LINK_WAITING] = {
		[LINK_IN_START] = STAY(WAITING),
		[LINK_IN_STOP] = TO(STOPPED, DISARM),
		[LINK_IN_RECONNECT] = TO(CONNECTING, DISARM_BEGIN),
		[LINK_IN_TIMER] = TO(CONNECTING, BEGIN),
	},
	[LINK_GAVE_UP] = {
		[LINK_IN_START] = TO(CONNECTING, BEGIN),
		[LINK_IN_STOP] = TO(STOPPED, NOTHING),
		[LINK_IN_RECONNECT] = TO(CONNECTING, BEGIN),
	},
};

static const struct {
	const char *name, *shown;
} states[LINK_N_STATES] = {
	[LINK_STOPPED] = { "stopped", "closed" },
	[LINK_CONNECTING] = { "connecting", "connecting" },
	[LINK_OPEN] = { "open", "open" },
	[LINK_STOPPING] = { "stopping", "closing" },
	[LINK_RESTARTING] = { "restarting", "closing" },
	[LINK_WAITING] = { "waiting", "waiting" },
	[LINK_GAVE_UP] = { "failed", "failed" },
};

static const char *const inputs[LINK_N_INPUTS] = {
	[LINK_IN_START] = "start",	   [LINK_IN_STOP] = "stop",
	[LINK_IN_RECONNECT] = "reconnect", [LINK_IN_OPENED] = "opened",
	[LINK_IN_ENDED] = "ended",	   [LINK_IN_ENDED_FATAL] = "ended for good",
	[LINK_IN_TIMER] = "timer",
};

struct link_step link_fsm_step(enum link_state state, enum link_input input)
{
	return table[state][input];
}

const char *link_state_name(enum link_state state)
{
	return states[state].name;
}

const char *link_state_shown(enum link_state state)
{
	return states[state].shown;
}

const char *link_input_name(enum link_input input)
{
	return inputs[input];
}

bool link_state_has_session(enum link_state state)
{
	return state == LINK_CONNECTING || state == LINK_OPEN || state == LINK_STOPPING ||
	       state == LINK_RESTARTING;
}
