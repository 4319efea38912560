#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# aria2's JSON-RPC over WebSocket from a shell. aria2.sh BRIDGE WHO URL ENDLESS downloads URL into a
# file named WHO, and begins to download ENDLESS and removes it. Many of these may share the bridge.
set -eu
bridge=$1 who=$2
ask() {
	wsbridge request "$bridge" '{"id":"'"$who.$1"'","method":"aria2.'"$1"'","params":'"${2-[]}"'}' --match "/id=$who.$1"
}
add() { ask addUri '[["'"$1"'"],{"out":"'"$2"'"}]' | jq -r .result; }
is() { ask tellStatus '["'"$1"'"]' | jq -e '.result.status == "'"$2"'"' >/dev/null; }

ask getVersion | jq -r .result.version
gid=$(add "$3" "$who")
until is "$gid" complete; do :; done
again=$(add "$4" "$who.endless")
until is "$again" active; do :; done
ask remove '["'"$again"'"]' | jq -r .result
ask removeDownloadResult '["'"$gid"'"]' | jq -r .result
echo "$gid $again"
