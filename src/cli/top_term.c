/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See top_term.h. Signals are blocked but for the moments in which it waits, so that no handler,
 * and those of curses do a lot, ever comes between. The trap: a signal that kills may come in the
 * middle of anything; what its handler does must be safe there, so that it writes what was
 * prepared at the start and does not call curses.
 */
#define NCURSES_WIDECHAR 1
#include "cli/top_term.h"

#include <curses.h>
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/top_ui.h"

#define INSTEAD "use \"wsbridge status\""
#define ESCAPE_DELAY 50 /* milliseconds that tell the key from what begins with it */

static const int ending[] = { SIGINT, SIGTERM, SIGHUP };
static const int killing[] = { SIGABRT, SIGQUIT, SIGSEGV, SIGBUS, SIGFPE, SIGILL };

#define N_ENDING (sizeof(ending) / sizeof(*ending))
#define N_KILLING (sizeof(killing) / sizeof(*killing))

struct top_term {
	SCREEN *screen;
	bool utf8, colour, hung_up;
	sigset_t outside; /* the signals that were blocked before */
	struct sigaction before_ending[N_ENDING];
};

/* For handlers, which have nothing else. */
static volatile sig_atomic_t ended;
static struct {
	struct termios mode;
	char text[256];
	size_t n;
	struct sigaction before[N_KILLING];
} restore;

static void on_ending(int number)
{
	(void)number;
	ended = 1;
}

static void on_killing(int number)
{
	ssize_t ignored = write(STDOUT_FILENO, restore.text, restore.n);

	(void)ignored;
	tcsetattr(STDIN_FILENO, TCSANOW, &restore.mode);
	for (size_t i = 0; i < N_KILLING; i++)
		sigaction(killing[i], &restore.before[i], NULL);
	raise(number);
}

static void catch_signals(struct top_term *t)
{
	struct sigaction end = { .sa_handler = on_ending }, kill = { .sa_handler = on_killing };
	sigset_t inside;

	sigemptyset(&inside);
	sigaddset(&inside, SIGWINCH);
	sigaddset(&inside, SIGTSTP);
	ended = 0;
	for (size_t i = 0; i < N_ENDING; i++) {
		sigaddset(&inside, ending[i]);
		sigaction(ending[i], &end, &t->before_ending[i]);
	}
	for (size_t i = 0; i < N_KILLING; i++)
		sigaction(killing[i], &kill, &restore.before[i]);
	sigprocmask(SIG_BLOCK, &inside, &t->outside);
}

static void release_signals(const struct top_term *t)
{
	for (size_t i = 0; i < N_KILLING; i++)
		sigaction(killing[i], &restore.before[i], NULL);
	for (size_t i = 0; i < N_ENDING; i++)
		sigaction(ending[i], &t->before_ending[i], NULL);
	sigprocmask(SIG_SETMASK, &t->outside, NULL);
}

/* What ends the screen: plain characters, the cursor, the keys, what was there before. */
static void prepare_restore(void)
{
	static const char *const names[] = { "sgr0", "op", "rmkx", "cnorm", "rmcup" };

	restore.n = 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const char *text = tigetstr(names[i]);
		size_t n = text && text != (const char *)-1 ? strlen(text) : 0;

		/* "$<" is a pause: only terminals of another age have it. */
		if (n == 0 || strstr(text, "$<") || restore.n + n > sizeof(restore.text))
			continue;
		memcpy(restore.text + restore.n, text, n);
		restore.n += n;
	}
}

static void prepare_colours(struct top_term *t)
{
	static const struct {
		enum top_look look;
		short colour;
	} pairs[] = { { LOOK_GOOD, COLOR_GREEN },
		      { LOOK_BUSY, COLOR_YELLOW },
		      { LOOK_BAD, COLOR_RED },
		      { LOOK_RX, COLOR_CYAN },
		      { LOOK_TX, COLOR_MAGENTA } };
	const char *no_color = getenv("NO_COLOR");

	t->colour = !(no_color && *no_color) && has_colors();
	if (!t->colour)
		return;
	start_color();
	use_default_colors();
	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++)
		init_pair((short)pairs[i].look, pairs[i].colour, -1);
}

/* newterm would find out as well, but then forget some memory. */
static bool is_known(void)
{
	int why;

	if (setupterm(NULL, STDOUT_FILENO, &why) != OK)
		return false;
	del_curterm(cur_term);
	return true;
}

static bool check_terminal(struct error *err)
{
	const char *term = getenv("TERM");

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return error_set(err, ERR_INVALID_OPTION,
				 "standard input and output are no terminal; " INSTEAD
				 ", or --json with this command");
	if (!term || !*term || strcmp(term, "dumb") == 0)
		return error_set(
			err, ERR_INVALID_OPTION,
			"the terminal cannot show a whole screen (TERM is \"%s\"); " INSTEAD,
			term ? term : "");
	if (!is_known())
		return error_set(err, ERR_INVALID_OPTION,
				 "nothing is known of this terminal (TERM is \"%.40s\"); " INSTEAD,
				 term);
	if (tcgetattr(STDIN_FILENO, &restore.mode) != 0)
		return error_set_os(err, ERR_INTERNAL, errno, "the terminal");
	return true;
}

struct top_term *top_term_new(struct error *err)
{
	struct top_term *t;

	if (!check_terminal(err))
		return NULL;
	setlocale(LC_CTYPE, "");
	t = mem_zalloc(sizeof(*t));
	t->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	catch_signals(t);
	t->screen = newterm(NULL, stdout, stdin);
	if (!t->screen) {
		error_set(err, ERR_INTERNAL, "the terminal cannot be used; " INSTEAD);
		release_signals(t);
		free(t);
		return NULL;
	}
	prepare_restore();
	prepare_colours(t);
	cbreak();
	noecho();
	nonl();
	set_escdelay(ESCAPE_DELAY);
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	curs_set(0);
	return t;
}

/* A terminal without a second screen, such as Linux's console, goes on in the last row. */
static void clear_last_row(void)
{
	move(getmaxy(stdscr) - 1, 0);
	clrtoeol();
	refresh();
}

void top_term_free(struct top_term *t)
{
	if (!t)
		return;
	clear_last_row();
	endwin();
	delscreen(t->screen);
	release_signals(t);
	free(t);
}

void top_term_canvas(const struct top_term *t, struct top_canvas *c)
{
	int rows = getmaxy(stdscr), cols = getmaxx(stdscr);

	top_canvas_init(c, rows > 0 ? (size_t)rows : 0, cols > 0 ? (size_t)cols : 0, t->utf8);
}

/* Without colours brightness says it; the selected row is one bar. */
static attr_t attributes(const struct top_term *t, unsigned char look)
{
	static const attr_t plain[N_LOOKS] = {
		[LOOK_DIM] = A_DIM,	    [LOOK_BOLD] = A_BOLD,
		[LOOK_TITLE] = A_UNDERLINE, [LOOK_SORTED] = A_UNDERLINE | A_BOLD,
		[LOOK_BAD] = A_BOLD,
	};

	if (look & LOOK_SELECTED)
		return A_REVERSE;
	return t->colour && look == LOOK_BAD ? A_NORMAL : plain[look];
}

static short pair_of(const struct top_term *t, unsigned char look)
{
	return t->colour && look >= LOOK_GOOD && look < N_LOOKS ? (short)look : 0;
}

void top_term_show(struct top_term *t, const struct top_canvas *c)
{
	for (size_t i = 0; i < c->rows * c->cols; i++) {
		const struct top_cell *cell = &c->cells[i];
		wchar_t text[2] = { cell->ch };
		cchar_t shown;

		if (cell->ch == 0)
			continue;
		setcchar(&shown, text, attributes(t, cell->look), pair_of(t, cell->look), NULL);
		mvadd_wch((int)(i / c->cols), (int)(i % c->cols), &shown);
	}
	refresh();
}

void top_term_redraw(struct top_term *t)
{
	(void)t;
	clearok(stdscr, TRUE);
}

static int special_key(wint_t key)
{
	static const struct {
		wint_t curses;
		enum top_key key;
	} keys[] = {
		{ KEY_UP, KEY_OF_UP },	       { KEY_DOWN, KEY_OF_DOWN },
		{ KEY_LEFT, KEY_OF_LEFT },     { KEY_RIGHT, KEY_OF_RIGHT },
		{ KEY_PPAGE, KEY_OF_PAGE_UP }, { KEY_NPAGE, KEY_OF_PAGE_DOWN },
		{ KEY_HOME, KEY_OF_HOME },     { KEY_END, KEY_OF_END },
		{ KEY_ENTER, KEY_OF_ENTER },   { KEY_BACKSPACE, KEY_OF_ERASE },
		{ KEY_F(1), KEY_OF_HELP },     { KEY_RESIZE, KEY_OF_RESIZE },
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (keys[i].curses == key)
			return (int)keys[i].key;
	return KEY_OF_RESIZE; /* one that means nothing here */
}

int top_term_key(struct top_term *t)
{
	wint_t key;

	(void)t;
	switch (get_wch(&key)) {
	case OK:
		return (int)key;
	case KEY_CODE_YES:
		return special_key(key);
	default:
		return KEY_OF_NOTHING;
	}
}

bool top_term_wait(struct top_term *t, int fd, double seconds)
{
	struct pollfd fds[] = { { .fd = STDIN_FILENO, .events = POLLIN },
				{ .fd = fd, .events = POLLIN } };
	struct timespec limit = { .tv_sec = (time_t)seconds };

	limit.tv_nsec = (long)((seconds - (double)limit.tv_sec) * 1e9);
	if (ppoll(fds, 2, &limit, &t->outside) <= 0)
		return false;
	t->hung_up |= (fds[0].revents & (POLLHUP | POLLERR | POLLNVAL)) != 0;
	return fds[1].revents != 0;
}

bool top_term_ended(const struct top_term *t)
{
	return ended || t->hung_up;
}
