#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Starts a test program and makes one TAP stream of what it prints: groups of cmocka print a plan
# each, and a skipped test as "not ok". A program that dies, or ends non-zero with all tests
# passed (a sanitizer, valgrind), gets a failed test more. A program without TAP is one test.
name=${1##*/}
out=$(mktemp "${TMPDIR:-/tmp}/tap.XXXXXX") || exit 1
trap 'rm -f "$out"' EXIT

# shellcheck disable=SC2086 # WRAPPER is a command line
CMOCKA_MESSAGE_OUTPUT=TAP ${WRAPPER:-} "$@" >"$out"
status=$?

awk -v status="$status" -v name="$name" '
function result(word, text) { n++; print word " " n text }
/^1\.\.[0-9]+/ { sub(/^1\.\./, ""); planned += $1; next }
/^(not )?ok / {
	bad = /^not /
	sub(/^(not )?ok +[0-9]* */, "")
	sub(/^- /, "")
	if (toupper($0) ~ /^# SKIP/)
		result("ok", " " $0)
	else
		result(bad ? "not ok" : "ok", " - " $0)
	failed += bad && toupper($0) !~ /^# SKIP/
	next
}
{ print /^#/ ? $0 : "# " $0 }
END {
	if (!planned && !n && status == 77)
		result("ok", " # SKIP " name)
	else if (!planned && !n)
		result(status ? "not ok" : "ok", " - " name " ended with status " status)
	else if (n < planned)
		result("not ok", " - " name " ended with status " status " after " n " of " planned " tests")
	else if (status && !failed)
		result("not ok", " - " name " ended with status " status " though its tests passed")
	print "1.." n
}' "$out"
