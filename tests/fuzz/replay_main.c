/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Puts every file of a corpus through a fuzz target, for `make check` and for
 * compilers without libFuzzer. Arguments: directories or files; none = the
 * corpus of the target, below the environment's srcdir.
 */
#include "fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <sys/stat.h>

#ifndef CORPUS
#error "CORPUS is the path of the corpus below srcdir"
#endif

static size_t n_files;

static void die(const char *path)
{
	fprintf(stderr, "%s: %s\n", path, strerror(errno));
	exit(1);
}

/* The bytes lie in a block of their exact size, so that a sanitizer sees one too many. */
static void replay_file(const char *path, size_t size)
{
	FILE *f = fopen(path, "re");
	uint8_t *bytes = malloc(size ? size : 1);

	if (!f || !bytes || fread(bytes, 1, size, f) != size)
		die(path);
	fclose(f);
	LLVMFuzzerTestOneInput(bytes, size);
	free(bytes);
	n_files++;
}

static void replay(const char *path);

static void replay_directory(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *entry;

	if (!d)
		die(path);
	while ((entry = readdir(d))) {
		char name[PATH_MAX];

		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		replay(name);
	}
	closedir(d);
}

static void replay(const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0)
		die(path);
	if (S_ISDIR(st.st_mode))
		replay_directory(path);
	else
		replay_file(path, (size_t)st.st_size);
}

int main(int argc, char **argv)
{
	const char *srcdir = getenv("srcdir");
	char path[PATH_MAX];

	for (int i = 1; i < argc; i++)
		replay(argv[i]);
	if (argc < 2) {
		snprintf(path, sizeof(path), "%s/%s", srcdir ? srcdir : ".", CORPUS);
		replay(path);
	}
	printf("# %zu inputs\n", n_files);
	return n_files > 0 ? 0 : 1;
}
