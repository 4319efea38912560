#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Proves that each lint can fail: a small tree that all of them accept, then one violation at a
# time, which the right one must refuse, saying why.
lint=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/selftest.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failed=0

licence='/* SPDX-License-Identifier: Apache-2.0 */'

# c FILE: the licence line and standard input.
c() {
	{
		echo "$licence"
		cat
	} >"$1"
}

# The tables, as list_tables prints them, and a manual that says the same.
tables() {
	printf 'option\tlog.level\tstring, default info\n'
	printf 'method\tping\tsend\nparam\tping name\tstring, required\n'
	printf 'command\tping\tNAME\nswitch\tping\tFl t , Fl -timeout Ar T\n'
	printf 'summary\tping\tmeasure a round trip\nabout\tping timeout\thow long\n'
}

# page NAME SECTION: its head.
page() {
	printf '.Dd January 1, 2026\n.Dt %s %s\n.Os\n.Sh NAME\n.Nm %s\n.Nd a page\n' "$(echo "$1" | tr a-z A-Z)" "$2" "$1"
}

manual() {
	list='.Bl -tag -width Ds\n'
	printf 'X(PARSE, -32700, "parse_error", 2, "no")\n' | c src/base/errors.def
	page wsbridge.json 5 >docs/wsbridge.json.5
	printf ".Sh OPTIONS\n$list.It Cm log.level\nString, default info.\n.El\n" >>docs/wsbridge.json.5
	page wsbridge-rpc 7 >docs/wsbridge-rpc.7
	printf ".Sh METHODS\n.Ss ping\nRight: send.\n$list.It Cm name\nString, required.\n.El\n" >>docs/wsbridge-rpc.7
	printf '.Sh ERROR CODES\n.Bl -column a b c\n.It -32700 Ta parse_error Ta 2\n.El\n' >>docs/wsbridge-rpc.7
	page wsbridge 1 >docs/wsbridge.1
	printf ".Sh COMMANDS\n.Ss ping Ar NAME\n$list.It Fl t , Fl -timeout Ar T\nHow long.\n.El\n" >>docs/wsbridge.1
}

fresh() {
	rm -rf src tests systemd etc docs
	mkdir -p src/base src/low src/high tests/unit systemd/user etc/completions docs
	manual
	printf '{\n\t"log": {\n\t\t"level": "info"\n\t}\n}\n' >etc/wsbridge.json
	echo 'low/*.h' >src/low/.may_include
	printf 'low/low.h\nhigh/*.h\nhigh.c: @system\nhigh.c: <zlib.h>\n' >src/high/.may_include
	printf '#ifndef WSB_LOW_LOW_H\n#define WSB_LOW_LOW_H\nint low(int a);\n#endif\n' | c src/low/low.h
	printf '#include "low/low.h"\n\nint low(int a)\n{\n\treturn a;\n}\n' | c src/low/low.c
	printf '#include "low/low.h"\n\n#include <unistd.h>\n#include <zlib.h>\n' | c src/high/high.c
	printf '#ifndef WSB_HIGH_OWN_INT_H\n#define WSB_HIGH_OWN_INT_H\n#endif\n' | c src/high/own_int.h
	printf '#include "high/own_int.h"\n' | c src/high/own.c
	echo '`tests/unit/test_low.c:stays_low`' >docs/CONFORMANCE.md
	printf 'static void stays_low(void **state)\n{\n}\n\n%s\n' \
		'static const struct CMUnitTest all[] = { cmocka_unit_test(stays_low) };' | c tests/unit/test_low.c
	sh "$lint/python.sh" "$lint/completions.py" --write . >/dev/null
	for unit in systemd systemd/user; do
		printf '[Service]\nExecStart=@sbindir@/wsbridged\n' >$unit/wsbridged.service.in
	done
}

run() {
	case $1 in
	*.py) sh "$lint/python.sh" "$lint/$1" . ;;
	*) sh "$lint/$1" . ;;
	esac >said 2>&1
}

accepts() {
	run "$1"
	status=$?
	[ $status -eq 0 ] || [ $status -eq 77 ] && return
	echo "$1 refuses a tree without fault:"
	cat said
	failed=1
}

# refuses LINT WORDS: the tree as it stands; then a fresh one.
refuses() {
	run "$1"
	status=$?
	if [ $status -ne 77 ] && { [ $status -eq 0 ] || ! grep -qF -- "$2" said; }; then
		echo "$1 ended with $status and did not say: $2"
		cat said
		failed=1
	fi
	fresh
}

# lines N TEXT: TEXT so many times.
lines() {
	awk -v n="$1" -v text="$2" 'BEGIN { while (n-- > 0) print text }'
}

# The option tables, for sample.sh and docs.py.
top_builddir=$work/build
export top_builddir
mkdir -p build/tests/lint
printf '#!/bin/sh\necho log.level\n' >build/tests/lint/list_options
chmod +x build/tests/lint/list_options
tables >build/tables
printf '#!/bin/sh\ncat "%s/build/tables"\n' "$work" >build/tests/lint/list_tables
chmod +x build/tests/lint/list_tables

cp "$lint/../../.clang-format" . || exit 1
fresh
for name in banned.sh completions.py conformance.sh docs.py format.sh headers.sh includes.py manpages.sh sample.sh sizes.py units.sh; do
	accepts $name
done

echo '#include "high/own_int.h"' | c src/low/up.c
refuses includes.py 'src/low/up.c:2: high/own_int.h is private to high/'
printf '#ifndef X\n#endif\n' | c src/high/high.h
echo '#include "high/high.h"' | c src/low/up.c
refuses includes.py 'src/low/up.c:2: high/high.h is not allowed by src/low/.may_include'
echo '#include <zlib.h>' | c src/low/low.h
refuses includes.py 'src/low/low.h:2: <zlib.h> is not allowed'
echo '#include <zlib.h>' | c src/high/own.c
refuses includes.py 'src/high/own.c:2: <zlib.h> is not allowed'
echo '#include <sys/socket.h>' | c src/low/low.h
refuses includes.py 'src/low/low.h:2: <sys/socket.h> or @system is not allowed'
echo 'low/none.h' >>src/high/.may_include
refuses includes.py 'src/high/.may_include:5: low/none.h allows nothing that is there'
echo 'high/*.h' >>src/low/.may_include
printf '#include "high/high.h"\n' | c src/low/up.c
refuses includes.py 'circle: high, low'
rm src/low/.may_include
refuses includes.py 'src/low: has no .may_include'

printf '#ifndef WSB_LOW_LOW_H\n#define WSB_LOW_LOW_H\nsize_t low(void);\n#endif\n' | c src/low/low.h
refuses headers.sh 'src/low/low.h: does not compile alone'
printf '#ifndef WSB_LOW_LOW_H\n#define WSB_LOW_LOW_H\n#endif\nstruct low {\n\tint a;\n};\n' | c src/low/low.h
refuses headers.sh 'src/low/low.h: does not compile alone'
printf '#ifndef LOW_H\n#define LOW_H\n#endif\n' | c src/low/low.h
refuses headers.sh 'src/low/low.h: the guard is not WSB_LOW_LOW_H'

lines 500 '/* a */' | c src/low/low.c
refuses sizes.py 'file-lines 501, the limit is 500'
lines 16 '#include <math.h>' | c src/low/low.c
refuses sizes.py 'includes 16, the limit is 15'
{ printf 'int low(void)\n{\n'; lines 67 '	low();'; printf '	return 1;\n}\n'; } | c src/low/low.c
refuses sizes.py 'low: function-lines 71, the limit is 70'
printf 'int low(int a, int b, int (*c)(int, int), int d, int e, int f);\n' | c src/low/low.h
refuses sizes.py 'low: parameters 6, the limit is 5'
printf 'int low(int a)\n{\n\tfor (;;)\n\t\twhile (a)\n\t\t\tif (a) {\n\t\t\t\tif (!a)\n\t\t\t\t\treturn 1;\n\t\t\t}\n\treturn 1;\n}\n' | c src/low/low.c
refuses sizes.py 'low: nesting 4, the limit is 3'
printf '/* %s */\n' "$(lines 1 "$(printf '%100s' x)")" | c src/low/low.c
refuses sizes.py 'columns 106, the limit is 100'
mkdir tests/lint && echo 'src/low/low.c includes 16' >tests/lint/exceptions.txt
refuses sizes.py 'exceptions.txt: src/low/low.c includes is not needed'
mkdir tests/lint && echo 'src/low/low.c includes 16' >tests/lint/exceptions.txt
lines 16 '#include <math.h>' | c src/low/low.c
accepts sizes.py
lines 17 '#include <math.h>' | c src/low/low.c
refuses sizes.py 'includes 17, the limit is 16'

for call in 'strcpy(a, b)' 'sprintf(a, b)' 'atoi(a)' 'rand()' 'system(a)' 'signal(1, a)' 'alloca(1)'; do
	printf 'int low(int a)\n{\n\t%s;\n}\n' "$call" | c src/low/low.c
	refuses banned.sh "banned function: src/low/low.c:4:"
done
printf 'int low(int a)\n{\n\taccept(a, b, c);\n}\n' | c src/low/low.c
refuses banned.sh 'without close-on-exec: src/low/low.c:4:'
printf 'typedef struct low {\n\tint a;\n} low_t;\n' | c src/low/low.c
refuses banned.sh 'structures have no second name: src/low/low.c:2:'
printf '/* %sDO: more */\n' TO | c src/low/low.c
refuses banned.sh 'left undone: ./src/low/low.c:2:'
printf '/* see issue %s */\n' 12 | c src/low/low.c
refuses banned.sh 'means nothing to a reader: ./src/low/low.c:2:'
echo 'int a;' >src/low/low.c
refuses banned.sh 'no licence in the first line: src/low/low.c'
printf '/* strcpy(a, b) and\n * atoi(a) */\nconst char *low = "system(a)";\n' | c src/low/low.c
accepts banned.sh
fresh

printf 'int low(int a) {\n  return a; }\n' | c src/low/low.c
refuses format.sh 'src/low/low.c:2:'

printf '[Service]\nExecStart=@sbindir@/wsbridged\nNoSuchThing=yes\n' >systemd/wsbridged.service.in
refuses units.sh 'systemd/wsbridged.service.in:'

sed -i 's/cmocka_unit_test/no_unit_test/' tests/unit/test_low.c
refuses conformance.sh 'stays_low: is not run'
sed -i 's/void stays_low/void stays_high/' tests/unit/test_low.c
refuses conformance.sh 'stays_low: no such test'
rm tests/unit/test_low.c
refuses conformance.sh 'tests/unit/test_low.c:stays_low: no such file'

sed -i 's/level/depth/' etc/wsbridge.json
refuses sample.sh 'etc/wsbridge.json: log.level is missing'
sed -i 's/level/depth/' etc/wsbridge.json
refuses sample.sh 'etc/wsbridge.json: log.depth is no option'

sed -i 's/default info/default notice/' docs/wsbridge.json.5
refuses docs.py 'wsbridge.json.5: log.level: "String, default notice." stands below it'
sed -i 's/It Cm log.level/It Cm log.depth/' docs/wsbridge.json.5
refuses docs.py 'wsbridge.json.5: log.level is there 0 times'
sed -i 's/It Cm log.level/It Cm log.depth/' docs/wsbridge.json.5
refuses docs.py 'wsbridge.json.5: log.depth is no option'
sed -i 's/Right: send/Right: read/' docs/wsbridge-rpc.7
refuses docs.py '"Right: send.", is missing'
sed -i 's/Ss ping/Ss pong/' docs/wsbridge-rpc.7
refuses docs.py 'wsbridge-rpc.7: pong is no method'
sed -i 's/It Cm name/It Cm nome/' docs/wsbridge-rpc.7
refuses docs.py 'wsbridge-rpc.7: ping: Cm nome is no parameter'
sed -i 's/Ta 2/Ta 3/' docs/wsbridge-rpc.7
refuses docs.py '".It -32700 Ta parse_error Ta 2" is there 0 times'
sed -i '/^.It -32700/p; s/-32700/-32000/' docs/wsbridge-rpc.7
refuses docs.py '".It -32000 Ta parse_error Ta 2" is not in src/base/errors.def'
sed -i 's/Ss ping/Ss pong/' docs/wsbridge.1
refuses docs.py 'wsbridge.1: ping is missing'
sed -i 's/-timeout/-time/' docs/wsbridge.1
refuses docs.py 'wsbridge.1: ping: ".It Fl t , Fl -timeout Ar T" is missing'

sed -i 's/--timeout/--time/' etc/completions/wsbridge.bash
refuses completions.py 'etc/completions/wsbridge.bash: is not what the tables say'
rm etc/completions/_wsbridge
refuses completions.py 'etc/completions/_wsbridge: is not what the tables say'

sed -i 's/^.El/.Xyz/' docs/wsbridge.1
refuses manpages.sh 'docs/wsbridge.1:'

exit $failed
