/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See connect_term.h. The editor has a thread of its own, for it waits inside
 * a key that takes several bytes; while it waits for one, what has come is
 * shown (connect_screen.c). The trap: only that thread may touch the editor
 * and the screen, so whoever else wants something of them wakes it.
 */
#include "tool/connect_term.h"

#include <errno.h>
#include <fcntl.h>
#include <histedit.h>
#include <locale.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "tool/connect_screen.h"

#define HISTORY_SIZE 1000

struct connect_term {
	pthread_t thread;
	int typed, shown; /* the thread's ends */
	int wake, woken;  /* two ends: the process goes on after it was stopped */
	EditLine *editor;
	History *history;
	struct connect_screen screen;
	bool over; /* nothing more is to be shown */
};

bool connect_term_possible(void)
{
	const char *term = getenv("TERM");

	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && term && *term &&
	       strcmp(term, "dumb") != 0;
}

static void show(struct connect_term *t)
{
	t->over = !connect_screen_read(&t->screen, t->shown);
}

/* One character; -1: the end of input, or bytes that are none. */
static int read_key(wchar_t *out)
{
	mbstate_t state = { 0 };
	char byte;

	for (size_t tries = 0; tries < MB_CUR_MAX; tries++) {
		size_t n;

		if (read(STDIN_FILENO, &byte, 1) != 1)
			return -1;
		n = mbrtowc(out, &byte, 1, &state);
		if (n <= 1)
			return 1;
		if (n == (size_t)-1)
			break;
	}
	*out = L'?';
	return 1;
}

/* The shell has taken the modes of the terminal back; in the background it keeps them. */
static void go_on(struct connect_term *t)
{
	char byte;

	if (read(t->woken, &byte, 1) != 1 || tcgetpgrp(STDIN_FILENO) != getpgrp())
		return;
	el_set(t->editor, EL_PREP_TERM, 0); /* or it believes that they are still its own */
	el_set(t->editor, EL_PREP_TERM, 1);
	el_set(t->editor, EL_REFRESH);
}

/* What the editor calls for a key: meanwhile, what comes is shown. 0 = no more. */
static int next_key(EditLine *editor, wchar_t *out)
{
	struct connect_term *t;

	el_get(editor, EL_CLIENTDATA, &t);
	while (!t->over) {
		struct pollfd fds[] = { { .fd = STDIN_FILENO, .events = POLLIN },
					{ .fd = t->shown, .events = POLLIN },
					{ .fd = t->woken, .events = POLLIN } };

		if (poll(fds, 3, -1) < 0 && errno != EINTR)
			return 0;
		connect_screen_look(&t->screen);
		if (fds[2].revents)
			go_on(t);
		else if (fds[1].revents)
			show(t);
		else if (fds[0].revents)
			return read_key(out) == 1 ? 1 : 0;
	}
	return 0;
}

static char *prompt(EditLine *editor)
{
	static char text[] = CONNECT_PROMPT;

	(void)editor;
	return text;
}

static void remember(struct connect_term *t, const char *line)
{
	HistEvent event;

	if (*line != '\n')
		history(t->history, &event, H_ENTER, line);
}

static bool hand_over(struct connect_term *t, const char *line, size_t n)
{
	while (n > 0) {
		ssize_t wrote = send(t->typed, line, n, MSG_NOSIGNAL);

		if (wrote < 0 && errno != EINTR)
			return false;
		if (wrote > 0) {
			line += wrote;
			n -= (size_t)wrote;
		}
	}
	return true;
}

static void edit(struct connect_term *t)
{
	const char *line;
	int n;

	t->screen.editor = t->editor;
	while (!t->over && (line = el_gets(t->editor, &n)) != NULL && n > 0) {
		remember(t, line);
		if (!hand_over(t, line, (size_t)n))
			break;
	}
	connect_screen_end_editing(&t->screen);
}

static void open_editor(struct connect_term *t)
{
	HistEvent event;

	t->editor = el_init("wsbridge", stdin, stdout, stderr);
	t->history = history_init();
	history(t->history, &event, H_SETSIZE, HISTORY_SIZE);
	history(t->history, &event, H_SETUNIQUE, 1);
	el_set(t->editor, EL_CLIENTDATA, t);
	el_set(t->editor, EL_GETCFN, next_key);
	el_set(t->editor, EL_PROMPT, prompt);
	el_set(t->editor, EL_EDITOR, "emacs");
	el_set(t->editor, EL_HIST, history, t->history);
	el_source(t->editor, NULL);
}

static void *run(void *arg)
{
	struct connect_term *t = arg;

	open_editor(t);
	connect_screen_look(&t->screen);
	edit(t);
	el_end(t->editor);
	history_end(t->history);
	shutdown(t->typed, SHUT_RDWR);
	while (!t->over)
		show(t);
	shutdown(t->shown, SHUT_RDWR);
	return NULL;
}

static bool make_pair(int *ours, int *theirs)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return false;
	*theirs = pair[0];
	*ours = pair[1];
	return fcntl(pair[0], F_SETFL, O_NONBLOCK) == 0;
}

/* The editor needs characters, whatever the system's language is. */
static void set_locale(void)
{
	setlocale(LC_CTYPE, "");
	if (MB_CUR_MAX == 1)
		setlocale(LC_CTYPE, "C.UTF-8");
}

struct connect_term *connect_term_new(int *typed, int *shown)
{
	struct connect_term *t = mem_zalloc(sizeof(*t));
	sigset_t all, old;
	bool good;

	set_locale();
	connect_screen_init(&t->screen);
	good = make_pair(&t->typed, typed) && make_pair(&t->shown, shown) &&
	       make_pair(&t->woken, &t->wake);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	good = good && pthread_create(&t->thread, NULL, run, t) == 0;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (good)
		return t;
	perror("wsbridge: a thread for the terminal");
	abort();
}

void connect_term_go_on(struct connect_term *t)
{
	(void)send(t->wake, "", 1, MSG_NOSIGNAL);
}

void connect_term_free(struct connect_term *t)
{
	if (!t)
		return;
	pthread_join(t->thread, NULL);
	close(t->typed);
	close(t->shown);
	close(t->wake);
	close(t->woken);
	connect_screen_deinit(&t->screen);
	free(t);
}
