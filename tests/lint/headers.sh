#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Each header compiles alone, and twice; its guard is named after its path (WSB_FOLDER_NAME_H).
# LINT_CC: compiler with the flags of the build. Usage: headers.sh [TOP]
top=${1:-${top_srcdir:-.}}
cd "$top" || exit 1
cc=${LINT_CC:-gcc -std=c11 -D_GNU_SOURCE -Wall -Wextra}
status=0

for header in $(find src -name '*.h' | sort); do
	name=${header#src/}
	guard=WSB_$(echo "$name" | tr 'a-z/.-' 'A-Z___')
	grep -q "^#ifndef $guard\$" "$header" || {
		echo "$header: the guard is not $guard"
		status=1
	}
	# shellcheck disable=SC2086 # LINT_CC is a command line
	printf '#include "%s"\n#include "%s"\ntypedef int not_empty;\n' "$name" "$name" |
		$cc -Isrc -Werror -fsyntax-only -x c - || {
		echo "$header: does not compile alone"
		status=1
	}
done
exit $status
