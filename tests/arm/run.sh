#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The tests of what has vector code, for arm64: built with a cross compiler, run under qemu.
# Usage: run.sh [DIR], where DIR (build/arm) gets the objects. Exit status 0: all passed.
cd "$(dirname "$0")/../.." || exit 1
dir=${1:-build/arm}
cc=${ARM_CC:-aarch64-linux-gnu-gcc}
run=${ARM_RUN:-qemu-aarch64-static}
flags='-std=c11 -D_GNU_SOURCE -O2 -Wall -Wextra -Wconversion -Wsign-conversion -Werror
	-Isrc -Itests/arm -Itests/unit'
tests='base/cpu base/search base/xor base/utf8 base/vec_utf8 base/base64 base/vec_base64
	base/json_cut base/json_index base/lines base/escape ws/mask'
passed=0 failed=0
mkdir -p "$dir" || exit 1

for source in src/base/*.c src/ws/mask.c tests/unit/support/guard.c; do
	[ "$source" = src/base/version.c ] && continue # configure knows it, nobody here asks
	# shellcheck disable=SC2086 # a list of flags
	"$cc" $flags -c "$source" -o "$dir/$(basename "$source" .c).o" || exit 1
done
for test in $tests; do
	source=tests/unit/${test%/*}/test_${test#*/}.c
	program=$dir/$(basename "$source" .c)
	# shellcheck disable=SC2086
	"$cc" $flags -static "$source" "$dir"/*.o -o "$program" || exit 1
	"$run" "$program" >"$program.log" 2>&1 || {
		failed=$((failed + 1))
		sed 's/^/  /' "$program.log"
	}
	passed=$((passed + $(grep -c '^ok' "$program.log")))
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
