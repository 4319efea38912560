/* SPDX-License-Identifier: Apache-2.0 */
/* See ids.h. As with chown(1), a name that consists of digits comes before the number. */
#include "net/ids.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <stdlib.h>

/* 2^32-1 is no identity: chown(2) and setresuid(2) give it a meaning of its own. */
static bool is_number(const char *text, uint32_t *value)
{
	unsigned long long n;
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno || *end != '\0' || n >= UINT32_MAX)
		return false;
	*value = (uint32_t)n;
	return true;
}

bool ids_user(const char *text, uid_t *id, struct error *err)
{
	const struct passwd *entry;
	uint32_t number;

	*id = (uid_t)-1;
	if (!text)
		return true;
	entry = getpwnam(text);
	if (entry)
		*id = entry->pw_uid;
	else if (is_number(text, &number))
		*id = number;
	else
		return error_set(err, ERR_ENDPOINT, "there is no user \"%s\"", text);
	return true;
}

bool ids_group(const char *text, gid_t *id, struct error *err)
{
	const struct group *entry;
	uint32_t number;

	*id = (gid_t)-1;
	if (!text)
		return true;
	entry = getgrnam(text);
	if (entry)
		*id = entry->gr_gid;
	else if (is_number(text, &number))
		*id = number;
	else
		return error_set(err, ERR_ENDPOINT, "there is no group \"%s\"", text);
	return true;
}
