#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# systemd accepts the units as they will be installed, and has nothing to say about them.
# Usage: units.sh [TOP]
cd "${1:-${top_srcdir:-.}}" || exit 1
command -v systemd-analyze >/dev/null 2>&1 || {
	echo "skipped: systemd-analyze not found: apt-get install systemd"
	exit 77
}

work=$(mktemp -d "${TMPDIR:-/tmp}/units.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
status=0

# The program need not be installed for the check: /bin/true stands in for it.
for mode in system user; do
	unit=systemd/wsbridged.service.in
	[ $mode = user ] && unit=systemd/user/wsbridged.service.in
	mkdir "$work/$mode"
	sed -e 's,@sbindir@/wsbridged,/bin/true,g' -e 's,@sysconfdir@,/etc,g' "$unit" >"$work/$mode/wsbridged.service"
	said=$(XDG_RUNTIME_DIR=$work systemd-analyze verify "--$mode" --man=no "$work/$mode/wsbridged.service" 2>&1)
	if [ $? -ne 0 ] || [ -n "$said" ]; then
		echo "$unit: $said"
		status=1
	fi
done
exit $status
