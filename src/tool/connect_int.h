/* SPDX-License-Identifier: Apache-2.0 */
/* What connect.c (the connection, and how it ends) and connect_io.c (our side) share. */
#ifndef WSB_TOOL_CONNECT_INT_H
#define WSB_TOOL_CONNECT_INT_H

#include "base/error.h"
#include "link/link.h"
#include "link/wire_trace.h"
#include "net/loop.h"
#include "tool/connect.h"
#include "tool/connect_records.h"
#include "tool/connect_show.h"
#include "tool/connect_sink.h"

struct connect {
	const struct connect_params *params;
	struct loop *loop;
	struct link *link;
	int64_t began;
	uint64_t received; /* messages */
	struct timer eof_wait;
	struct error err;
	bool input_over;  /* all of it has been read, and handed to the link */
	bool to_close;	  /* when what was handed over has been written */
	bool closing;	  /* by us: nothing more goes out */
	bool interrupted; /* by a signal */
	int64_t interrupted_at;
	bool ended;  /* the connection has */
	bool unread; /* nobody reads standard output any more */
	/* connect_io.c */
	struct connect_term *term; /* NULL: pumps */
	struct connect_pump *in_pump, *out_pump, *log_pump;
	struct stream *in; /* NULL: not yet, or not any more */
	int typed;	   /* of the terminal; -1 = none, or it is `in` */
	struct connect_records records;
	struct connect_sink out, log; /* log: the trace, where there is no terminal */
	struct connect_style style;
	struct trace_budget trace;
	size_t n_texts_sent;
	bool goes_on; /* the last message was a fragment */
};

/* connect.c */
void connect_close(struct connect *c);	      /* in order, with 1000 */
void connect_on_input_end(struct connect *c); /* once */
void connect_on_output(struct connect *c);    /* room again, or an end of it */
void connect_fail(struct connect *c, enum err code, const char *sentence); /* and close */

/* connect_io.c */
void connect_io_init(struct connect *c);
void connect_io_deinit(struct connect *c); /* standard output that failed is in c->err then */
void connect_io_show(struct connect *c, enum connect_kind kind, struct msg msg);
/* In JSON: that it is open, and how it has ended. */
void connect_io_tell_open(struct connect *c, const struct link_info *info);
void connect_io_tell_end(struct connect *c, const struct session_end *end);
void connect_io_send(struct connect *c); /* open, or room again: what is to be sent */
void connect_io_stop_input(struct connect *c);
void connect_io_finish(struct connect *c);	    /* nothing more will be shown */
bool connect_io_is_full(const struct connect *c);   /* nothing more should be shown now */
bool connect_io_is_over(const struct connect *c);   /* all is shown, or cannot be */
bool connect_io_is_broken(const struct connect *c); /* nobody takes what is shown */

#endif
