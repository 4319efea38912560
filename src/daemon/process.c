/* SPDX-License-Identifier: Apache-2.0 */
/* See process.h. */
#include "daemon/process.h"

#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "conf/main_conf.h"
#include "daemon/args.h"
#include "daemon/systemd.h"
#include "net/loop.h"

void process_init(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };

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
