/* SPDX-License-Identifier: Apache-2.0 */
/* See process.h. */
#include "daemon/process.h"

#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "conf/main_conf.h"
#include "daemon/args.h"
#include "daemon/systemd.h"
#include "net/loop.h"

/* Of a bridge: its connection, its socket, the lock beside that. Of the rest, with some clients. */
#define DESCRIPTORS_EACH 3
#define DESCRIPTORS_MORE 64

/*
 * Buffers come and go with every read, at the end of the heap if there are few bridges. The GNU C
 * library gives back what is free there when it is more than twice the largest block it ever saw
 * freed, at first 128 KiB, and gets it again zeroed for the next read: mallopt(3), whose own
 * settings would stop it from adapting. Blocks up to that largest one grow where they are, at the
 * end of the heap, so that a message that grows is not there twice. 32 MiB is what it adapts to at
 * most. What is free after large messages goes back by loop_tidy_later.
 */
static void keep_freed_memory(void)
{
	void *volatile block = mem_alloc((size_t)31 * 1024 * 1024);

	free(block);
}

/* Two or three for each bridge: what the system's default of 1,024 is soon too few for. */
static void raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

void process_check_descriptors(size_t bridges)
{
	struct rlimit limit;
	size_t need = bridges * DESCRIPTORS_EACH + DESCRIPTORS_MORE;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY ||
	    need <= limit.rlim_cur)
		return;
	log_warning(NULL,
		    "%zu bridges may need %zu descriptors, and this process may have %ju "
		    "(RLIMIT_NOFILE; for systemd, LimitNOFILE=)",
		    bridges, need, (uintmax_t)limit.rlim_cur);
}

void process_init(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	keep_freed_memory();
	raise_descriptors();
	systemd_take_sockets();
	umask(0077);
	sigaction(SIGPIPE, &ignore, NULL);
	log_init(STDERR_FILENO, LOG_FORMAT_TEXT, systemd_journal_is_stderr());
}

static enum log_level level_of(enum conf_log_level level)
{
	switch (level) {
	case CONF_LOG_ERROR:
		return LOG_LEVEL_ERROR;
	case CONF_LOG_WARNING:
		return LOG_LEVEL_WARNING;
	case CONF_LOG_NOTICE:
		return LOG_LEVEL_NOTICE;
	case CONF_LOG_INFO:
		return LOG_LEVEL_INFO;
	case CONF_LOG_DEBUG:
		return LOG_LEVEL_DEBUG;
	}
	return LOG_LEVEL_NOTICE;
}

void process_set_log(const struct main_conf *conf, const struct args *args)
{
	log_set_level(args->has_log_level ? args->log_level : level_of(conf->log_level));
	log_set_format(conf->log_format == CONF_LOG_JSON ? LOG_FORMAT_JSON : LOG_FORMAT_TEXT);
}

void process_on_signals(struct loop *l, void (*end)(void *arg), void (*hup)(void *arg), void *arg)
{
	loop_on_signal(l, SIGTERM, end, arg);
	loop_on_signal(l, SIGINT, end, arg);
	loop_on_signal(l, SIGHUP, hup, arg);
}

void process_block_signals(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &signals, NULL);
}

void process_make_parent(const char *path)
{
	mem_auto_str dir = mem_strdup(path);
	char *slash = strrchr(dir, '/');

	if (!slash || slash == dir || *path == '@')
		return;
	*slash = '\0';
	if (mkdir(dir, 0750) == 0)
		log_info(NULL, "made the directory %s", dir);
}
