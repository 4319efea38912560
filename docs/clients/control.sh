#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# control.sh SOCKET NAME: the state of a bridge, a question to its server, and its next message.
socket=$1 name=$2

# wsbridge says on standard error what is wrong, and its exit status what kind of error it is.
status=$(wsbridge -s "$socket" --json status "$name") || exit
echo "$name is $(jq -r '.bridges[0].state' <<<"$status")"
answer=$(wsbridge -s "$socket" request "$name" '{"id":1}' --match /id=1) || exit
echo "answer: $answer"

# Events come by a connection that stays: plain words out, a JSON text on each line in.
coproc control { exec socat - UNIX-CONNECT:"$socket"; }
trap 'kill "$control_PID" 2>/dev/null' EXIT
printf '%s\n' "subscribe $name events=message" "send $name text=hello" >&"${control[1]}"
while IFS= read -r -t 10 line <&"${control[0]}"; do
	case $(jq -r '.error.data.kind // .method' <<<"$line") in
	null) ;; # an answer
	event)
		echo "event: $(jq -r .params.data <<<"$line")"
		exit
		;;
	*)
		echo "control: $(jq -r .error.message <<<"$line")" >&2
		exit 1
		;;
	esac
done
echo "control: no event" >&2
exit 1
