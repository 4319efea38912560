#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The integration suite as one test of make check; its last line is pytest's own. Arguments go to
# pytest: tests/integration/run.sh -k reconnect. The interpreter is the distribution's, because
# that one has the distribution's python3-websockets.
top_srcdir=$(cd "${top_srcdir:-$(dirname "$0")/../..}" && pwd)
top_builddir=$(cd "${top_builddir:-$top_srcdir/build/gcc}" && pwd)
export top_srcdir top_builddir
PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE
python=/usr/bin/python3

ls "$top_srcdir"/tests/integration/test_*.py >/dev/null 2>&1 || {
	echo "skipped: no integration tests in $top_srcdir/tests/integration"
	exit 77
}
for module in pytest websockets; do
	"$python" -c "import $module" 2>/dev/null || {
		echo "skipped: python3-$module not found: apt-get install python3-$module"
		exit 77
	}
done
for program in wsbridged wsbridge; do
	[ -x "$top_builddir/$program" ] || {
		echo "$top_builddir/$program is not built"
		exit 1
	}
done

# Most of what a test does is wait: a few run side by side, those of one file one after the other.
case " $* " in
*' -n'* | *' -s '* | *' --pdb '*) ;;
*) "$python" -c 'import xdist' 2>/dev/null && set -- -n 3 --dist loadfile "$@" ;;
esac
exec "$python" -m pytest -p no:cacheprovider "$@" "$top_srcdir/tests/integration"
