/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control sockets by path, and their clients. What a client says is the
 * client's affair. The trap: a socket may vanish in a reload that one of its
 * own clients has asked for; the client stays until it has its answer.
 */
#include "control/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "control/call.h"
#include "control/control_client.h"
#include "control/metrics_http.h"

struct control_socket {
	struct list node;
	struct control_server *server;
	char *path;
	struct control_conf conf; /* as it was made; the level is that of today */
	struct listener *listener;
	bool wanted; /* by the configuration that is being applied */
};

struct member {
	struct list node;
	struct control_socket *socket; /* it came by; NULL = that one is gone */
	struct control_client *client;
	struct control_server *server;
};

struct control_server {
	struct call_env env;
	struct list sockets, members;
	struct metrics_http *metrics;
	bool accepting;
};

struct control_server *control_server_new(const struct control_host *host)
{
	struct control_server *s = mem_zalloc(sizeof(*s));

	call_env_init(&s->env, host);
	s->accepting = true;
	list_init(&s->sockets);
	list_init(&s->members);
	s->metrics = metrics_http_new(&s->env);
	return s;
}

static void member_free(struct member *m)
{
	list_remove(&m->node);
	m->server->env.control_clients--;
	control_client_free(m->client);
	free(m);
}

static void on_over(void *arg, struct control_client *c)
{
	(void)c;
	member_free(arg);
}

/* One line says why, as far as the kernel takes it. */
static void turn_away(int fd, int64_t max)
{
	struct error err;
	json_t *id = json_null(), *answer;
	size_t n;
	char *line;

	error_set(&err, ERR_OVERFLOW,
		  "%jd control clients are there already (limits.control_clients)", (intmax_t)max);
	answer = rpc_answer_error(id, rpc_error_object(&err, NULL, NULL));
	line = rpc_line(answer, &n);
	if (send(fd, line, n, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		log_debug("control", "could not say why a client is refused");
	free(line);
	json_decref(answer);
	close(fd);
}

static void on_accept(void *arg, int fd, const struct peer_cred *peer)
{
	struct control_socket *socket = arg;
	struct control_server *s = socket->server;
	struct control_host *host = &s->env.host;
	int64_t max = host->conf(host->arg)->limits.control_clients;
	struct member *m;
	struct control_client_params p = { .env = &s->env,
					   .level = socket->conf.level,
					   .fd = fd,
					   .peer = *peer,
					   .over = on_over };

	if (s->env.control_clients >= (size_t)max) {
		log_warning(
			"control",
			"pid %jd uid %ju refused: %jd clients are there (limits.control_clients)",
			(intmax_t)peer->pid, (uintmax_t)peer->uid, (intmax_t)max);
		turn_away(fd, max);
		return;
	}
	m = mem_zalloc(sizeof(*m));
	m->server = s;
	m->socket = socket;
	list_append(&s->members, &m->node);
	s->env.control_clients++;
	p.arg = m;
	m->client = control_client_new(&p);
}

static void socket_free(struct control_socket *socket)
{
	list_each(it, next, &socket->server->members) {
		struct member *m = list_entry(it, struct member, node);

		if (m->socket == socket)
			m->socket = NULL;
	}
	list_remove(&socket->node);
	listener_free(socket->listener);
	control_conf_deinit(&socket->conf);
	free(socket->path);
	free(socket);
}

static struct control_socket *find_socket(struct control_server *s, const char *path)
{
	list_each(it, next, &s->sockets) {
		struct control_socket *socket = list_entry(it, struct control_socket, node);

		if (strcmp(socket->path, path) == 0)
			return socket;
	}
	return NULL;
}

/* Who came under other conditions is asked to come again. */
static void dismiss_clients(struct control_socket *socket)
{
	list_each(it, next, &socket->server->members) {
		struct member *m = list_entry(it, struct member, node);

		if (m->socket == socket)
			control_client_dismiss(m->client);
	}
}

/* Keeps the socket at this path if it is as it should be. */
static void keep(struct control_server *s, const char *path, const struct control_conf *conf)
{
	struct control_socket *socket = find_socket(s, path);

	if (!socket)
		return;
	if (socket->conf.level != conf->level)
		dismiss_clients(socket);
	socket->conf.level = conf->level;
	socket->wanted = schema_compare(&control_schema, &socket->conf, conf) !=
			 SCHEMA_CHANGED_RECONNECT;
}

static void on_refused(void *arg, const struct peer_cred *peer)
{
	const struct control_socket *socket = arg;

	log_warning("control", "pid %jd uid %ju refused at %s: not in allow_users or allow_groups",
		    (intmax_t)peer->pid, (uintmax_t)peer->uid, socket->path);
}

/* An abstract socket is no file: no mode keeps anybody away from it. */
static void warn_if_open(const char *path, const struct control_conf *conf)
{
	if (*path == '@' && conf->n_allow_users + conf->n_allow_groups == 0)
		log_warning("control",
			    "every user of this machine may connect to %s; allow_users or "
			    "allow_groups says who may",
			    path);
}

static bool make(struct control_server *s, const char *path, const struct control_conf *conf,
		 struct error *err)
{
	const struct listener_params params = {
		.path = path,
		.mode = conf->mode,
		.owner = conf->owner,
		.group = conf->group,
		.allow_users = conf->allow_users,
		.allow_groups = conf->allow_groups,
		.n_allow_users = conf->n_allow_users,
		.n_allow_groups = conf->n_allow_groups,
	};
	struct listener *listener = listener_new(s->env.host.loop, &params, err);
	struct control_socket *socket;

	if (!listener)
		return error_context(err, "control socket");
	socket = mem_zalloc(sizeof(*socket));
	socket->server = s;
	socket->path = mem_strdup(path);
	control_conf_copy(&socket->conf, conf);
	socket->listener = listener;
	socket->wanted = true;
	list_append(&s->sockets, &socket->node);
	listener_on_refused(listener, on_refused, socket);
	listener_start(listener, on_accept, socket);
	warn_if_open(path, conf);
	return true;
}

/* The folder of the default path is ours to make; those of other paths are not. */
static void make_folder(const char *path)
{
	mem_auto_str folder = mem_strdup(path);
	char *slash = strrchr(folder, '/');

	if (!slash || slash == folder || *path == '@')
		return;
	*slash = '\0';
	if (mkdir(folder, 0750) < 0 && errno != EEXIST)
		log_debug("control", "mkdir %s: errno %d", folder, errno);
}

static const char *path_of(const struct control_conf *conf, const char *default_path)
{
	return conf->unix_path ? conf->unix_path : default_path;
}

static void drop_unwanted(struct control_server *s)
{
	list_each(it, next, &s->sockets) {
		struct control_socket *socket = list_entry(it, struct control_socket, node);

		if (socket->wanted) {
			socket->wanted = false;
			continue;
		}
		dismiss_clients(socket);
		socket_free(socket);
	}
}

bool control_server_listen(struct control_server *s, const struct main_conf *conf,
			   const char *default_path, struct error *err)
{
	static const struct control_conf plain = { .mode = 0600, .level = LEVEL_ADMIN };
	const struct control_conf *all = conf->n_controls ? conf->controls : &plain;
	size_t n = conf->n_controls ? conf->n_controls : 1;
	struct error first = ERROR_INIT, one;

	if (!s->accepting)
		return true;
	for (size_t i = 0; i < n; i++)
		keep(s, path_of(&all[i], default_path), &all[i]);
	drop_unwanted(s);
	for (size_t i = 0; i < n; i++) {
		const char *path = path_of(&all[i], default_path);

		if (find_socket(s, path))
			continue;
		if (!all[i].unix_path)
			make_folder(path);
		if (!make(s, path, &all[i], &one) && first.code == ERR_NONE)
			first = one;
	}
	list_each(it, next, &s->sockets)
		list_entry(it, struct control_socket, node)->wanted = false;
	if (!metrics_http_listen(s->metrics, &conf->metrics, &one) && first.code == ERR_NONE)
		first = one;
	if (first.code != ERR_NONE)
		*err = first;
	return first.code == ERR_NONE;
}

void control_server_bridge_event(struct control_server *s, struct bridge *b,
				 enum bridge_event event)
{
	(void)event;
	call_env_bridge_event(&s->env, b);
}

void control_server_stop_accepting(struct control_server *s)
{
	s->accepting = false;
	s->env.ending = true;
	metrics_http_stop(s->metrics);
	list_each(it, next, &s->sockets)
		socket_free(list_entry(it, struct control_socket, node));
}

void control_server_finish(struct control_server *s)
{
	call_env_finish(&s->env);
	list_each(it, next, &s->members)
		control_client_flush(list_entry(it, struct member, node)->client);
}

void control_server_free(struct control_server *s)
{
	if (!s)
		return;
	control_server_stop_accepting(s);
	list_each(it, next, &s->members)
		member_free(list_entry(it, struct member, node));
	metrics_http_free(s->metrics);
	call_env_deinit(&s->env);
	free(s);
}

size_t control_server_clients(const struct control_server *s)
{
	return s->env.control_clients;
}
