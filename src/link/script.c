/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See script.h. One step at a time; a step is begun when script_next comes to
 * it, so a message that came before is not what it expects. The trap: what a
 * message sets off (the next step, or a failure) shows in the next script_next.
 */
#include "link/script.h"

#include <stdlib.h>
#include <string.h>

#include "base/json_cut.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "link/script_fill.h"

#define CAPTURE_MAX ((size_t)64 * 1024)

struct capture {
	const char *name;
	uint8_t *json, *text; /* text: of a string; else NULL */
	size_t json_n, text_n;
	bool has_text;
};

struct script {
	const struct bridge_conf *conf;
	char *const *secrets; /* of the current step and those behind it */
	size_t at;
	bool begun;	  /* the step `at` waits until `due` */
	bool in_fragment; /* a message is coming in pieces */
	int64_t due, waited;
	struct capture *captures;
	size_t n_captures;
	uint8_t *out; /* what was handed out last */
	size_t out_n;
	struct error failed; /* by a message */
};

static void wipe(uint8_t **p, size_t n)
{
	if (*p)
		explicit_bzero(*p, n);
	free(*p);
	*p = NULL;
}

static void release(struct capture *c)
{
	wipe(&c->json, c->json_n);
	wipe(&c->text, c->json_n);
}

struct script *script_new(const struct bridge_conf *conf, char *const *secrets)
{
	struct script *s = mem_zalloc(sizeof(*s));
	size_t n = 0;

	for (size_t i = 0; i < conf->handshake->n_on_open; i++)
		n += conf->handshake->on_open[i].n_captures;
	s->conf = conf;
	s->secrets = secrets;
	s->captures = mem_array(n, sizeof(*s->captures));
	return s;
}

void script_free(struct script *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->n_captures; i++)
		release(&s->captures[i]);
	free(s->captures);
	wipe(&s->out, s->out_n);
	free(s);
}

static const struct conf_step *current(const struct script *s)
{
	return s->at < s->conf->handshake->n_on_open ? &s->conf->handshake->on_open[s->at] : NULL;
}

static void advance(struct script *s)
{
	if (s->secrets)
		s->secrets += s->conf->handshake->on_open[s->at].n_secrets;
	s->at++;
	s->begun = false;
}

static bool fail(const struct script *s, struct error *err)
{
	err->stage = STAGE_OPEN;
	return error_context(err, "on_open[%zu]", s->at);
}

static size_t collect(const struct script *s, const struct conf_step *step,
		      struct fill_value *values)
{
	size_t n = 0;

	for (size_t i = 0; i < step->n_secrets; i++) {
		const char *text = s->secrets[i];

		values[n++] = (struct fill_value){ .name = step->secrets[i].name,
						   .text = span_str(text ? text : ""),
						   .has_text = true };
	}
	for (size_t i = 0; i < s->n_captures; i++) {
		const struct capture *c = &s->captures[i];
		struct span json = span_of(c->json, c->json_n);

		values[n++] = (struct fill_value){
			.name = c->name,
			.json = json,
			.text = c->text ? span_of(c->text, c->text_n) : json,
			.has_text = c->has_text,
		};
	}
	return n;
}

static bool fill(struct script *s, const struct conf_step *step, struct error *err)
{
	struct fill_value *values = mem_array(step->n_secrets + s->n_captures,
					      sizeof(struct fill_value));
	struct fill_source from = {
		.message = span_of(step->message.data, step->message.n),
		.is_json = step->is_json,
		.values = values,
		.n_values = collect(s, step, values),
	};

	s->out = script_fill(&from, &s->out_n, err);
	free(values);
	if (!s->out)
		return fail(s, err);
	/* RFC 6455, 5.6; a secret, or a message that was let in as it is, may be anything */
	if (step->message.type == MSG_TEXT && !utf8_valid(span_of(s->out, s->out_n))) {
		error_set(err, ERR_PROTOCOL, "the message would not be valid UTF-8");
		return fail(s, err);
	}
	return true;
}

static bool compose(struct script *s, const struct conf_step *step, struct msg *msg,
		    struct error *err)
{
	*msg = (struct msg){ .type = step->message.type,
			     .data = span_of(step->message.data, step->message.n) };
	if (!step->is_template)
		return true;
	if (!fill(s, step, err))
		return false;
	msg->data = span_of(s->out, s->out_n);
	return true;
}

static void begin(struct script *s, const struct conf_step *step, int64_t now)
{
	if (s->begun)
		return;
	s->begun = true;
	s->due = now + (step->kind == STEP_WAIT ? step->wait : step->timeout);
	if (step->kind == STEP_WAIT)
		s->waited += step->wait;
}

static enum script_do expect(struct script *s, int64_t now, struct error *err)
{
	if (s->failed.code) {
		*err = s->failed;
		return SCRIPT_FAILED;
	}
	if (now < s->due)
		return SCRIPT_WAIT;
	error_set(err, ERR_TIMEOUT, "nothing that matches has come within %.3gs",
		  (double)s->conf->handshake->on_open[s->at].timeout / 1e6);
	fail(s, err);
	return SCRIPT_FAILED;
}

enum script_do script_next(struct script *s, int64_t now, struct msg *msg, struct error *err)
{
	const struct conf_step *step;

	wipe(&s->out, s->out_n);
	while ((step = current(s))) {
		switch (step->kind) {
		case STEP_SEND:
			if (!compose(s, step, msg, err))
				return SCRIPT_FAILED;
			advance(s);
			return SCRIPT_SEND;
		case STEP_EXPECT:
			begin(s, step, now);
			return expect(s, now, err);
		case STEP_WAIT:
			begin(s, step, now);
			if (now < s->due)
				return SCRIPT_WAIT;
			advance(s);
			break;
		}
	}
	return SCRIPT_DONE;
}

int64_t script_due(const struct script *s)
{
	return s->begun ? s->due : INT64_MAX;
}

int64_t script_waited(const struct script *s)
{
	return s->waited;
}

/* The one of that name, emptied; or a new one. There is room: one for each that is configured. */
static struct capture *slot(struct script *s, const char *name)
{
	for (size_t i = 0; i < s->n_captures; i++) {
		if (strcmp(s->captures[i].name, name) == 0) {
			release(&s->captures[i]);
			return &s->captures[i];
		}
	}
	return &s->captures[s->n_captures++];
}

static void store(struct script *s, const char *name, struct span json)
{
	struct capture *c = slot(s, name);

	*c = (struct capture){ .name = name, .json_n = json.n, .has_text = true };
	c->json = mem_alloc(json.n);
	memcpy(c->json, json.p, json.n);
	if (json.p[0] != '"')
		return;
	c->text = mem_alloc(json.n);
	c->has_text = json_cut_unquote(c->text, &c->text_n, json);
}

static bool capture(struct script *s, const struct conf_capture *what, struct span payload)
{
	struct span value;

	if (!conf_pointer_find(payload, what->pointer, &value)) {
		error_set(&s->failed, ERR_PROTOCOL,
			  "there is nothing at \"%s\" to capture as \"%s\"", what->pointer,
			  what->name);
		return fail(s, &s->failed);
	}
	if (value.n > CAPTURE_MAX) {
		error_set(&s->failed, ERR_PROTOCOL,
			  "what to capture as \"%s\" is longer than 64 KiB", what->name);
		return fail(s, &s->failed);
	}
	store(s, what->name, value);
	return true;
}

bool script_hear(struct script *s, int64_t now, struct msg msg)
{
	const struct conf_step *step = current(s);
	bool whole = !msg.more && !s->in_fragment;

	(void)now; /* one that came late, but before script_next has judged, came in time */
	s->in_fragment = msg.more;
	if (!step || step->kind != STEP_EXPECT || !s->begun || s->failed.code || !whole ||
	    !conf_match_is(&step->match, msg.data))
		return true;
	for (size_t i = 0; i < step->n_captures; i++)
		if (!capture(s, &step->captures[i], msg.data))
			return step->deliver;
	advance(s);
	return step->deliver;
}
