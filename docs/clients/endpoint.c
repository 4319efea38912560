/* SPDX-License-Identifier: Apache-2.0 */
/*
 * endpoint SOCKET TEXT: send a message by an endpoint (framing json), print the next one.
 * cc endpoint.c -o endpoint $(pkg-config --cflags --libs jansson)
 */
#define _GNU_SOURCE
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

static _Noreturn void fail(const char *what, const char *why)
{
	fprintf(stderr, "endpoint: %s: %s\n", what, why);
	exit(1);
}

static int connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval timeout = { .tv_sec = 10 };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) < 0)
		fail(path, strerror(errno));
	return fd;
}

int main(int argc, char **argv)
{
	char *text, *line = NULL;
	const char *type, *data;
	size_t size = 0;
	int bridge;
	FILE *in;

	if (argc != 3)
		fail("usage", "endpoint SOCKET TEXT");
	signal(SIGPIPE, SIG_IGN);
	bridge = connect_to(argv[1]);
	in = fdopen(bridge, "r");
	text = json_dumps(json_pack("{s:s, s:s, s:i}", "type", "text", "data", argv[2], "id", 1),
			  0);
	if (!text)
		fail(argv[2], "is not valid UTF-8");
	if (dprintf(bridge, "%s\n", text) < 0)
		fail(argv[1], strerror(errno));
	while (getline(&line, &size, in) > 0) {
		json_t *record = json_loads(line, 0, NULL);

		if (json_unpack(record, "{s:s}", "type", &type) < 0)
			fail(argv[1], "not an endpoint with framing json");
		if (!strcmp(type, "text") && json_unpack(record, "{s:s}", "data", &data) == 0)
			return puts(data) < 0;
		if (!strcmp(type, "error") &&
		    json_unpack(record, "{s:{s:s}}", "error", "message", &data) == 0)
			fail(argv[1], data);
		json_decref(record);
	}
	fail(argv[1], feof(in) ? "the daemon has closed the connection" : strerror(errno));
}
