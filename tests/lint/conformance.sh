#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Each test named in docs/CONFORMANCE.md (`file:function`) exists and is run by its program, and
# each row of its tables names one. Usage: conformance.sh [TOP]
cd "${1:-${top_srcdir:-.}}" || exit 1
ledger=docs/CONFORMANCE.md
status=0

complain() {
	echo "$ledger: $1"
	status=1
}

[ -r $ledger ] || {
	complain "is not there"
	exit 1
}

names=$(grep -o '`[^`]*\.[a-z]*:[A-Za-z_0-9]*`' $ledger | tr -d '`' | sort -u)
[ -n "$names" ] || complain "names no test"
for name in $names; do
	file=${name%:*} function=${name##*:}
	if [ ! -r "$file" ]; then
		complain "$name: no such file"
	elif ! grep -q "^static void $function(void \*\*state)" "$file"; then
		complain "$name: no such test"
	elif ! grep -q "cmocka_unit_test[a-z_]*(${function}[,)]" "$file"; then
		complain "$name: is not run"
	fi
done

rows=$(grep -n '^|' $ledger | grep -v '^[0-9]*:|[- |]*$' | grep -v '^[0-9]*:| Section ' |
	grep -v '`[^`]*\.[a-z]*:[A-Za-z_0-9]*` |$')
[ -z "$rows" ] || complain "rows without a test:
$rows"
exit $status
