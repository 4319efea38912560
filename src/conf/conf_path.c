/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the configuration and the control socket are when nobody says so. The
 * environment counts for people, not for root: a root daemon must not take its
 * configuration from what some shell had set.
 */
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "conf/conf_file.h"

/* An absolute path from the environment, as the XDG specification wants it, or NULL. */
static const char *folder(const char *variable)
{
	const char *value = getenv(variable);

	return value && value[0] == '/' ? value : NULL;
}

static char *user_file(void)
{
	const char *config = folder("XDG_CONFIG_HOME"), *home = folder("HOME");

	if (config)
		return mem_printf("%s/wsbridge/wsbridge.json", config);
	return home ? mem_printf("%s/.config/wsbridge/wsbridge.json", home) : NULL;
}

char *conf_file_default(const char *sysconfdir)
{
	char *path = geteuid() != 0 ? user_file() : NULL;

	if (path && access(path, F_OK) == 0)
		return path;
	free(path);
	return mem_printf("%s/wsbridge/wsbridge.json", sysconfdir);
}

char *conf_control_default(const char *runstatedir)
{
	const char *runtime = geteuid() != 0 ? folder("XDG_RUNTIME_DIR") : NULL;

	return mem_printf("%s/wsbridge/control.sock", runtime ? runtime : runstatedir);
}
