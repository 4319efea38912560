/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The policy of a link as a pure table: (state, event) → (state, actions).
 * Invariants after each step: a session exists exactly in CONNECTING, OPEN,
 * STOPPING, RESTARTING; the timer is armed exactly in WAITING.
 */
#ifndef WSB_LINK_LINK_FSM_H
#define WSB_LINK_LINK_FSM_H

#include <stdbool.h>

enum link_state {
	LINK_STOPPED,
	LINK_CONNECTING,
	LINK_OPEN,
	LINK_STOPPING,	 /* closing, and that is the end */
	LINK_RESTARTING, /* closing, to begin again at once */
	LINK_WAITING,	 /* for the next attempt */
	LINK_GAVE_UP,
	LINK_N_STATES,
};

enum link_input {
	LINK_IN_START,
	LINK_IN_STOP,
	LINK_IN_RECONNECT,
	LINK_IN_OPENED,	     /* the session is open */
	LINK_IN_ENDED,	     /* the session is gone; trying again makes sense */
	LINK_IN_ENDED_FATAL, /* the session is gone; policy says give up */
	LINK_IN_TIMER,
	LINK_N_INPUTS,
};

enum link_action {
	LINK_DO_NOTHING,
	LINK_DO_BEGIN, /* make a session */
	LINK_DO_CLOSE, /* start its close */
	LINK_DO_ARM,   /* the timer, with the delay of backoff */
	LINK_DO_DISARM,
	LINK_DO_DISARM_BEGIN,
};

struct link_step {
	enum link_state next;
	enum link_action action;
	bool possible; /* false: a bug if it happens */
};

struct link_step link_fsm_step(enum link_state state, enum link_input input);

const char *link_state_name(enum link_state state);  /* for the log: "restarting" */
const char *link_state_shown(enum link_state state); /* what users see: "closing" */
const char *link_input_name(enum link_input input);
bool link_state_has_session(enum link_state state);

#endif
