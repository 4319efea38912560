/* SPDX-License-Identifier: Apache-2.0 */
/* Help texts. Nothing is said here that stands in the table of commands, but for its frame. */
#include "cli/help.h"

#include <stdlib.h>

#include "base/mem.h"

#define NAME_WIDTH 10
#define SWITCH_WIDTH 24

static void print_switch(struct printer *p, const struct cli_switch *s)
{
	mem_auto_str letter = s->letter ? mem_printf("-%c, ", s->letter) : mem_strdup("    ");
	mem_auto_str value = s->takes == TAKES_NOTHING	? mem_strdup("") :
			     s->takes == TAKES_OPTIONAL ? mem_printf("[=%s]", s->value) :
							  mem_printf(" %s", s->value);
	mem_auto_str left = mem_printf("%s--%s%s", letter, s->name, value);

	fprintf(p->out, "  %-*s  %s\n", SWITCH_WIDTH, left, s->help);
}

static void print_switches(struct printer *p, const struct cli_switch *table)
{
	for (; table && table->name; table++)
		print_switch(p, table);
}

void help_usage(struct printer *p)
{
	fputs("Usage: wsbridge [-s SOCKET] [--json] COMMAND [ARGUMENT...]\n"
	      "Try `wsbridge --help`.\n",
	      p->out);
}

static void print_group(struct printer *p, enum command_group group)
{
	static const char *const titles[] = {
		[GROUP_BRIDGES] = "Bridges",
		[GROUP_DAEMON] = "The daemon",
		[GROUP_ALONE] = "Without a daemon",
	};

	fprintf(p->out, "\n%s:\n", titles[group]);
	for (const struct command *c = commands; c->name; c++)
		if (c->group == group)
			fprintf(p->out, "  %-*s  %s\n", NAME_WIDTH, c->name, c->summary);
}

void help_all(struct printer *p)
{
	fputs("wsbridge: WebSocket connections as Unix sockets; talks to wsbridged.\n\n"
	      "Usage: wsbridge [-s SOCKET] [--json] COMMAND [ARGUMENT...]\n",
	      p->out);
	for (int group = 0; group < N_GROUPS; group++)
		print_group(p, (enum command_group)group);
	fputs("\nSwitches:\n", p->out);
	print_switches(p, global_switches);
	fputs("\nExit status: 0 done, 1 internal error, 2 usage or a bad option, 3 no daemon,\n"
	      "4 no such bridge or it exists already, 5 not open, 6 timed out,\n"
	      "7 connection or handshake failed, 8 bad or too much data, 9 not allowed,\n"
	      "10 an endpoint could not be made.\n"
	      "\n`wsbridge COMMAND --help` explains a command; see also wsbridge(1).\n",
	      p->out);
}

void help_command(struct printer *p, const struct command *c)
{
	const struct cli_switch *own = c->switches && c->switches->name ? c->switches : NULL;

	fprintf(p->out, "Usage: wsbridge %s%s%s%s\n\n%s\n\nSwitches:\n", c->name,
		own ? " [SWITCH...]" : "", *c->words ? " " : "", c->words, c->details);
	print_switches(p, own);
	print_switches(p, command_common(c));
	fputs("\nExamples:\n", p->out);
	for (size_t i = 0; i < 2; i++)
		fprintf(p->out, "  wsbridge %s\n", c->examples[i]);
}
