#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Starts a Python check, or skips it. The distribution's own interpreter goes first: it is the one
# that sees the distribution's modules.
PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE
for python in /usr/bin/python3 python3; do
	command -v "$python" >/dev/null 2>&1 && exec "$python" "$@"
done
echo "skipped: python3 not found: apt-get install python3"
exit 77
