#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# endpoint.sh SOCKET TEXT: send a message by an endpoint (framing lines), print the next one.
trap '' PIPE # a write fails instead

coproc bridge { exec socat - UNIX-CONNECT:"$1"; } # says itself why it cannot connect
trap 'kill "$bridge_PID" 2>/dev/null' EXIT
if { printf '%s\n' "$2" >&"${bridge[1]}" && IFS= read -r -t 10 message <&"${bridge[0]}"; } 2>/dev/null; then
	printf '%s\n' "$message"
else
	echo "endpoint: no answer from $1" >&2
	exit 1
fi
