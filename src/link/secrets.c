/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See secrets.h. The secrets are read one after the other, in the order of a
 * list of slots; only a command makes the list wait.
 */
#include "link/secrets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/http_head.h"
#include "base/mem.h"
#include "net/command.h"
#include "net/loop.h"

#define SECRET_MAX ((size_t)64 * 1024)
#define COMMAND_TIMEOUT ((int64_t)10 * 1000000)

struct slot {
	const struct secret_conf *from;
	char **to;
	char option[96];
	bool is_field; /* it goes into a header */
	bool is_token; /* RFC 6750, 2.1: no blanks */
};

struct secrets {
	struct loop *loop;
	const struct bridge_conf *conf;
	secrets_cb cb;
	void *arg;
	struct secret_values values;
	struct slot *slots;
	size_t n_slots, at;
	struct command *command;
	struct deferred done;
	struct error err;
};

static void wipe(char **text)
{
	if (*text)
		explicit_bzero(*text, strlen(*text));
	free(*text);
	*text = NULL;
}

static bool fail(struct error *err, const struct slot *slot, const char *what)
{
	return error_set_option(err, slot->option, "%s: %s", slot->option, what);
}

static bool fail_os(struct error *err, const struct slot *slot, int os)
{
	error_set_option(err, slot->option, "%s: %s: %s", slot->option, slot->from->text,
			 strerror(os));
	err->os = os;
	return false;
}

/* Takes the value; one newline at its end is the file's, not the secret's. */
static bool store(const struct slot *slot, struct span value, struct error *err)
{
	if (value.n && value.p[value.n - 1] == '\n')
		value.n--;
	if (value.n && memchr(value.p, '\0', value.n))
		return fail(err, slot, "the secret has a NUL byte in it");
	if (value.n == 0 &&
	    slot->from->kind != SECRET_TEXT) /* a token that is just being rotated */
		return fail(err, slot, "the secret is empty");
	if (slot->is_token && memchr(value.p, ' ', value.n))
		return fail(err, slot, "the token has a blank in it");
	if (slot->is_field && !http_is_field_value(value))
		return fail(err, slot, "the secret has a character that no header may have");
	*slot->to = mem_strndup(value.p, value.n);
	return true;
}

static bool read_all(int fd, const struct slot *slot, struct error *err)
{
	char *text = mem_alloc(SECRET_MAX);
	size_t n = 0;
	ssize_t got;
	bool ok;

	while (n < SECRET_MAX && (got = read(fd, text + n, SECRET_MAX - n)) > 0)
		n += (size_t)got;
	if (n == SECRET_MAX)
		ok = fail(err, slot, "the file is larger than 64 KiB");
	else
		ok = got < 0 ? fail_os(err, slot, errno) : store(slot, span_of(text, n), err);
	explicit_bzero(text, SECRET_MAX);
	free(text);
	return ok;
}

static bool read_file(const struct slot *slot, const char *path, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	bool ok;

	if (fd < 0)
		return fail_os(err, slot, errno);
	if (fstat(fd, &st) == 0 && !S_ISREG(st.st_mode))
		ok = fail(err, slot, "not a regular file");
	else
		ok = read_all(fd, slot, err);
	close(fd);
	return ok;
}

/* systemd.exec(5), LoadCredential= */
static bool read_credential(const struct slot *slot, struct error *err)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	mem_auto_str path = NULL;

	if (!dir)
		return fail(err, slot,
			    "there are no credentials: $CREDENTIALS_DIRECTORY is not set");
	path = mem_printf("%s/%s", dir, slot->from->text);
	return read_file(slot, path, err);
}

static bool read_env(const struct slot *slot, struct error *err)
{
	const char *value = getenv(slot->from->text);

	if (!value)
		return error_set_option(err, slot->option, "%s: the environment has no %s",
					slot->option, slot->from->text);
	return store(slot, span_str(value), err);
}

static void advance(struct secrets *s);

static void on_command(void *arg, struct span line, const struct error *err)
{
	struct secrets *s = arg;
	const struct slot *slot = &s->slots[s->at];

	s->command = NULL;
	if (err)
		fail(&s->err, slot, err->text);
	else
		store(slot, line, &s->err);
	s->at++;
	advance(s);
}

static bool read_one(struct secrets *s, const struct slot *slot)
{
	switch (slot->from->kind) {
	case SECRET_NONE:
		return true;
	case SECRET_TEXT:
		return store(slot, span_str(slot->from->text), &s->err);
	case SECRET_FILE:
		return read_file(slot, slot->from->text, &s->err);
	case SECRET_ENV:
		return read_env(slot, &s->err);
	case SECRET_CREDENTIAL:
		return read_credential(slot, &s->err);
	case SECRET_COMMAND:
		s->command = command_start(s->loop, slot->from->argv, COMMAND_TIMEOUT, on_command,
					   s);
		return true;
	}
	return false;
}

static void advance(struct secrets *s)
{
	while (s->at < s->n_slots && !s->err.code) {
		if (!read_one(s, &s->slots[s->at]))
			break;
		if (s->command)
			return;
		s->at++;
	}
	loop_defer(s->loop, &s->done);
}

static void on_done(void *arg)
{
	struct secrets *s = arg;

	s->cb(s->arg, s->err.code ? &s->err : NULL);
}

static void add(struct secrets *s, const struct secret_conf *from, char **to, const char *option)
{
	struct slot *slot = &s->slots[s->n_slots];

	if (from->kind == SECRET_NONE)
		return;
	*slot = (struct slot){ .from = from, .to = to };
	snprintf(slot->option, sizeof(slot->option), "%s", option);
	s->n_slots++;
}

static void add_field(struct secrets *s, const struct secret_conf *from, char **to,
		      const char *option)
{
	size_t before = s->n_slots;

	add(s, from, to, option);
	if (s->n_slots == before)
		return;
	s->slots[before].is_field = true;
	s->slots[before].is_token = from == &s->conf->handshake->auth.secret;
}

/* Where in the configuration it stands: {"text": SECRET}, or one of the step's "secrets". */
static char *step_option(size_t i, const struct conf_step *step, const char *name)
{
	struct span all = span_of(step->message.data, step->message.n);

	if (!step->is_json && strcmp(name, "text") == 0 && span_equal(all, span_str("${text}")))
		return mem_printf("on_open[%zu].text", i);
	return mem_printf("on_open[%zu].secrets.%s", i, name);
}

static void collect_steps(struct secrets *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->conf->handshake->n_on_open; i++) {
		const struct conf_step *step = &s->conf->handshake->on_open[i];

		for (size_t j = 0; j < step->n_secrets; j++) {
			mem_auto_str option = step_option(i, step, step->secrets[j].name);

			add(s, &step->secrets[j].value, &s->values.steps[n++], option);
		}
	}
}

static size_t count_steps(const struct bridge_conf *conf)
{
	size_t n = 0;

	for (size_t i = 0; i < conf->handshake->n_on_open; i++)
		n += conf->handshake->on_open[i].n_secrets;
	return n;
}

static void collect(struct secrets *s)
{
	const struct bridge_conf *conf = s->conf;
	bool bearer = conf->handshake->auth.kind == AUTH_BEARER;

	for (size_t i = 0; i < conf->handshake->n_headers; i++) {
		mem_auto_str option = mem_printf("headers.%s", conf->handshake->headers[i].name);

		add_field(s, &conf->handshake->headers[i].value, &s->values.headers[i], option);
	}
	add_field(s, &conf->handshake->cookie, &s->values.cookie, "cookie");
	if (bearer)
		add_field(s, &conf->handshake->auth.secret, &s->values.auth, "auth.bearer");
	else
		add(s, &conf->handshake->auth.secret, &s->values.auth, "auth.basic.password");
	add(s, &conf->common->tls.key_password, &s->values.key_password, "tls.key_password");
	add(s, &conf->common->proxy.secret, &s->values.proxy_password, "proxy_password");
	collect_steps(s);
}

struct secrets *secrets_read(struct loop *l, const struct bridge_conf *conf, secrets_cb cb,
			     void *arg)
{
	struct secrets *s = mem_zalloc(sizeof(*s));

	s->loop = l;
	s->conf = conf;
	s->cb = cb;
	s->arg = arg;
	deferred_init(&s->done, on_done, s);
	s->values.headers = mem_array(conf->handshake->n_headers, sizeof(char *));
	s->values.steps = mem_array(count_steps(conf), sizeof(char *));
	s->slots = mem_array(conf->handshake->n_headers + 4 + count_steps(conf), sizeof(*s->slots));
	collect(s);
	advance(s);
	return s;
}

const struct secret_values *secrets_values(const struct secrets *s)
{
	return &s->values;
}

void secrets_free(struct secrets *s)
{
	if (!s)
		return;
	command_cancel(s->command);
	deferred_cancel(&s->done);
	for (size_t i = 0; i < s->conf->handshake->n_headers; i++)
		wipe(&s->values.headers[i]);
	for (size_t i = 0; i < count_steps(s->conf); i++)
		wipe(&s->values.steps[i]);
	wipe(&s->values.cookie);
	wipe(&s->values.auth);
	wipe(&s->values.key_password);
	wipe(&s->values.proxy_password);
	free(s->values.headers);
	free(s->values.steps);
	free(s->slots);
	free(s);
}
