#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The sources are as clang-format 14 leaves them; other versions have other opinions. Usage: format.sh [TOP]
cd "${1:-${top_srcdir:-.}}" || exit 1

for tool in clang-format-14 clang-format; do
	case $("$tool" --version 2>/dev/null) in
	*'version 14.'*)
		find src tests -name node_modules -prune -o -name '*.[ch]' -print | sort |
			xargs "$tool" --dry-run --Werror --ferror-limit=3
		exit $?
		;;
	esac
done
echo "skipped: clang-format 14 not found: apt-get install clang-format-14"
exit 77
