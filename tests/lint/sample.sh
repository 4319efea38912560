#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every option of the tables is in the sample configuration, set or commented out, and the sample
# names no option that does not exist. The sample has one key a line. Usage: sample.sh [TOP]
cd "${1:-${top_srcdir:-.}}" || exit 1
list=${top_builddir:-.}/tests/lint/list_options
[ -x "$list" ] || {
	echo "skipped: $list is not built: make $list"
	exit 77
}
work=$(mktemp -d "${TMPDIR:-/tmp}/sample.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
"$list" | sort >"$work/known"

# Dotted names of all keys. A line that ends in { or [ opens a level.
awk '
{ sub(/^[ \t]*/, "") }
/^\/\/[\t"{}\]]/ { sub(/^\/\/[ \t]*/, "") }
/^\/\// { next }
/^[}\]]/ { depth--; next }
/^"/ {
	key = $0
	sub(/^"/, "", key)
	sub(/".*/, "", key)
	if (depth == 2 && path[1] == "bridges")
		key = "*"
	path[depth] = key
	name = path[1]
	for (i = 2; i <= depth; i++)
		name = name "." path[i]
	print name
}
/[{\[]$/ { depth++ }
END { if (depth != 0) print "brackets of the sample do not match" }
' etc/wsbridge.json | sort -u >"$work/named"

status=0
for name in $(comm -23 "$work/known" "$work/named"); do
	echo "etc/wsbridge.json: $name is missing"
	status=1
done
# A group of options is no option itself.
while read -r name; do
	grep -qxF -- "$name" "$work/known" || grep -qF -- "$name." "$work/known" || [ "$name" = 'bridges.*' ] || {
		echo "etc/wsbridge.json: $name is no option"
		status=1
	}
done <"$work/named"
exit $status
