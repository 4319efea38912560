#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Functions that are not used here (docs/STYLE.md), and notes of work left undone.
# Usage: banned.sh [TOP]
cd "${1:-${top_srcdir:-.}}" || exit 1

# Code without comments and strings, with file and line in front.
code() {
	find src tests -name node_modules -prune -o -name '*.[ch]' -print | sort | xargs awk '
	FNR == 1 { inside = 0 }
	{
		line = $0
		gsub(/\\./, "", line)
		gsub(/"[^"]*"/, "\"\"", line)
		out = ""
		while (line != "") {
			if (inside) {
				if (!(at = index(line, "*/"))) break
				line = substr(line, at + 2)
				inside = 0
			} else {
				if (!(at = index(line, "/*"))) { out = out line; break }
				out = out substr(line, 1, at - 1)
				line = substr(line, at + 2)
				inside = 1
			}
		}
		sub(/\/\/.*/, "", out)
		if (out ~ /[^ \t]/) print FILENAME ":" FNR ": " out
	}'
}

# refuse WHY REGEX: complains about each line of the input that matches.
refuse() {
	grep -E -- "$2" | sed "s/^/$1: /"
}

texts() {
	find . \( -name .git -o -name build -o -name build-aux -o -name autom4te.cache -o -name node_modules \
		-o -name corpus -o -name __pycache__ -o -name _build -o -name 'wsbridge-[0-9]*' \) -prune -o -path ./tests/lint -prune -o -type f \
		\( -name '*.[ch]' -o -name '*.def' -o -name '*.py' -o -name '*.sh' -o -name '*.md' -o -name '*.inc' \
		-o -name '*.in' -o -name '*.m4' -o -name '*.am' -o -name '*.ac' -o -name '*.json' -o -name '*.js' \
		-o -name '*.[1-8]' -o -name dev -o -name bootstrap \) ! -name package-lock.json \
		! -name Makefile.in ! -name aclocal.m4 -print
}

found=$(
	code | refuse 'banned function' '[^_[:alnum:]](v?sprintf|str(cpy|cat|ncpy|ncat|tok|tok_r)|stpcpy|gets|ato(i|l|ll|f)|alloca|system|popen|mktemp|tempnam|tmpnam|s?rand|random|signal|u?sleep|vfork)[[:space:]]*\('
	code | grep '^src/' | refuse 'without close-on-exec' '[^_[:alnum:]](accept|dup2?|pipe|creat|fopen[[:space:]]*\([^,]*,[[:space:]]*""\))[[:space:]]*\('
	code | refuse 'structures have no second name' 'typedef[[:space:]]+(struct|union)[^;]*([{]|[[:space:]]\*?[_[:alnum:]]+;)'
	texts | xargs grep -nwE -- 'TODO|FIXME|XXX' /dev/null | refuse 'left undone' .
	texts | xargs grep -niE -- '(^|[^[:alnum:]])issue #?[0-9]' /dev/null | refuse 'means nothing to a reader' .
	find src tests -name node_modules -prune -o -name '*.[ch]' -print | while read -r file; do
		[ "$(head -n 1 "$file")" = '/* SPDX-License-Identifier: Apache-2.0 */' ] ||
			echo "no licence in the first line: $file"
	done
)
[ -z "$found" ] && exit 0
echo "$found"
exit 1
