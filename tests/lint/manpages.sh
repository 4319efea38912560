#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# mandoc has nothing to say about the manual. Usage: manpages.sh [TOP]
cd "${1:-${top_srcdir:-.}}" || exit 1
command -v mandoc >/dev/null 2>&1 || {
	echo "skipped: mandoc not found: apt-get install mandoc"
	exit 77
}
# Above style come warnings and errors; a cross reference to a page that is not installed is none.
mandoc -T lint -W warning docs/*.[1-8]
