/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole configuration as one immutable snapshot: the daemon's own options
 * and all bridges. Made by conf_file, everything or nothing; owned by the
 * daemon.
 */
#ifndef WSB_CONF_MAIN_CONF_H
#define WSB_CONF_MAIN_CONF_H

#include "conf/bridge_conf.h"

enum conf_level { LEVEL_READ, LEVEL_SEND, LEVEL_ADMIN };
enum conf_log_format { CONF_LOG_TEXT, CONF_LOG_JSON };
enum conf_log_level {
	CONF_LOG_ERROR,
	CONF_LOG_WARNING,
	CONF_LOG_NOTICE,
	CONF_LOG_INFO,
	CONF_LOG_DEBUG
};

struct control_conf {
	char *unix_path; /* absolute, "@name" or "systemd:NAME"; NULL = the default path */
	mode_t mode;
	char *owner, *group;		    /* names or numbers; NULL = as it comes */
	char **allow_users, **allow_groups; /* as owner; both empty: whoever the mode lets in */
	size_t n_allow_users, n_allow_groups;
	enum conf_level level;
};

/* Where metrics are served by HTTP; both NULL = nowhere. */
struct metrics_conf {
	char *unix_path; /* as of a control socket */
	char *listen;	 /* a loopback address and its port */
	mode_t mode;	 /* of a socket at a path, as owner and group */
	char *owner, *group;
};

struct limits_conf {
	int64_t clients;	 /* local clients in all */
	size_t queues;		 /* bytes queued for local clients in all */
	size_t control_request;	 /* bytes of one control line */
	int64_t control_clients; /* control connections at a time */
	int64_t control_stall;	 /* microseconds in which a control client takes nothing */
	int64_t bridges;
	int64_t dials_per_second; /* attempts that begin, in all */
	int64_t tls_handshakes;	  /* at a time */
};

struct main_conf {
	struct control_conf *controls; /* none given: one with the default path */
	size_t n_controls;
	enum conf_log_level log_level;
	enum conf_log_format log_format;
	bool has_log_level; /* given in the file; --log-level comes first */
	struct metrics_conf metrics;
	struct limits_conf limits;
	json_t *defaults; /* a bridge object, or NULL: laid under what `open` makes, too */
	struct bridge_conf **bridges; /* sorted by name */
	size_t n_bridges;
	struct schema_pool *shared; /* parts of bridges; also of those that `open` makes */
};

extern const struct schema main_schema;	   /* top level without control, defaults, bridges */
extern const struct schema control_schema; /* one control socket */

/* One control socket with what is given; errors are reported below `path`. v: NULL = defaults. */
void control_conf_read(struct control_conf *c, const json_t *v, const char *path,
		       struct schema_report *report);
void control_conf_copy(struct control_conf *to, const struct control_conf *from); /* to: unset */
void control_conf_deinit(struct control_conf *c);

/* NULL if there was an error; paths start at the root. */
struct main_conf *main_conf_new(const json_t *root, struct schema_report *report);
void main_conf_free(struct main_conf *c);

/* The JSON Schema (draft 2020-12) of the file, made from the tables. New reference. */
json_t *main_conf_json_schema(void);

#endif
