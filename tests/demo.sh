#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A WebSocket as a Unix socket, on this machine alone: an echo server on loopback, a daemon that
# bridges it, and plain shell tools. It leaves both running, to go on trying; with --once it stops
# them. The programs: $WSBRIDGE and $WSBRIDGED, else those of build/gcc, else those of PATH.
set -u -o pipefail

once=
case ${1:-} in
'') ;;
--once) once=yes ;;
*)
	echo "usage: ${0##*/} [--once]" >&2
	exit 2
	;;
esac

top=$(cd "$(dirname "$0")/.." && pwd)

# program NAME PATH: the absolute path of a program, PATH first.
program() {
	local path
	for path in "$2" "$top/build/gcc/$1" "$(command -v "$1")"; do
		[ "${path##*/}" = "$1" ] && [ -x "$path" ] && realpath -s "$path" && return
	done
	echo "demo: $1 not found: build first (./dev build)" >&2
	return 1
}

wsbridge=$(program wsbridge "${WSBRIDGE:-}") && wsbridged=$(program wsbridged "${WSBRIDGED:-}") || exit 1

# A short path: the name of a Unix socket has 107 bytes at most.
dir=$(mktemp -d /tmp/wsbridge-demo.XXXXXX) && cd "$dir" && mkdir bin &&
	ln -s "$wsbridge" "$wsbridged" bin || exit 1
PATH=$dir/bin:$PATH

# Stopping ------------------------------------------------------------------

cat >stop <<END
#!/bin/sh
# Ends the demo: the daemon, the echo server, this directory.
cd "$dir" || exit
for name in wsbridged echo; do
	pid=\$(cat \$name.pid 2>/dev/null) || continue
	case \$(cat /proc/\$pid/comm 2>/dev/null) in wsbridge*) kill "\$pid" ;; esac
	while kill -0 "\$pid" 2>/dev/null && [ "\$(cut -d' ' -f3 /proc/\$pid/stat 2>/dev/null)" != Z ]; do sleep 0.05; done
done
cd / && rm -rf "$dir"
END
chmod +x stop

finished=
on_exit() {
	local status=$?
	[ -n "$finished" ] && return
	exec 2>&1
	for log in echo.log wsbridged.log; do
		[ -s $log ] && printf '%s\n' "--- $log" && tail -n 30 $log
	done
	echo "--- the demo has failed (status $status)"
	./stop
}
trap on_exit EXIT
trap 'exit 130' INT TERM

die() {
	echo "demo: $*" >&2
	exit 1
}

# Showing -------------------------------------------------------------------

say() { printf '\n# %s\n' "$*"; }

# show COMMAND [REALLY]: prints a command line and runs it here, or what stands for it.
show() {
	printf '$ %s\n' "$1"
	eval "${2:-$1}" || die "this failed: $1"
}

# start NAME COMMAND: prints a command line and runs it in a session of its own, so that it stays
# when this script and its terminal go. Output goes to NAME.log.
start() {
	printf '$ %s &\n' "$2"
	# shellcheck disable=SC2086 # a command line without quotes
	setsid $2 >"$1.log" 2>&1 </dev/null &
	echo $! >"$1.pid"
}

# await WHAT COMMAND...: until the command succeeds, ten seconds at most.
await() {
	local what=$1 until=$((SECONDS + 10))
	shift
	until "$@"; do
		[ $SECONDS -lt $until ] || die "waited in vain: $what"
		sleep 0.05
	done
}

# state BRIDGE STATE: is it in this state?
state() { [[ $(wsbridge -s control.sock --json status "$1" 2>&1) == *"\"state\":\"$2\""* ]]; }
not_open() { ! state "$1" open; }
begun() { grep -qs '^listening on' echo.log; }

# The tool that reads and writes a Unix socket. talk.py is for systems without socat.
if command -v socat >/dev/null; then
	talk='socat -' listen='socat -u' to=UNIX-CONNECT: dash=' -' patient='socat -t 20 -'
else
	command -v python3 >/dev/null || die "neither socat nor python3 found: apt-get install socat"
	cat >talk.py <<'END'
# talk.py SOCKET SECONDS: standard input to a Unix socket, what comes back to standard output,
# until the other side ends or is silent for this long after the end of input.
import os, select, socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
sources = [0, s]
while True:
    ready = select.select(sources, [], [], None if 0 in sources else float(sys.argv[2]))[0]
    if not ready:
        break
    if 0 in ready:
        data = os.read(0, 65536)
        s.sendall(data)
        if not data:
            sources.remove(0)
            s.shutdown(socket.SHUT_WR)
    if s in ready:
        data = s.recv(65536)
        if not data:
            break
        os.write(1, data)
END
	talk='python3 talk.py' listen='python3 talk.py' to='' dash=' 20 </dev/null' patient='python3 talk.py'
fi
# For talk.py the seconds stand behind the socket.
after_talk='' after_patient=''
[ -e talk.py ] && after_talk=' 0.5' after_patient=' 20'

# The demo ------------------------------------------------------------------

say "A directory to play in, and the two programs."
show "cd $dir"
echo "\$ PATH=\$PWD/bin:\$PATH"

say "A WebSocket server to talk to (port 0: any free one)."
start echo "wsbridge echo --listen 127.0.0.1:0"
await "the echo server" begun
cat echo.log
url=$(sed -n 's/^listening on //p' echo.log)
address=${url#ws://}
address=${address%/}

cat >demo.json <<END
{
	// Where \`wsbridge\` talks to the daemon.
	"control": { "unix": "$dir/control.sock" },
	"bridges": {
		"echo": { "url": "$url", "endpoint": "$dir/echo.sock" },
		"ticker": { "url": "${url}ticker?interval=500ms", "endpoint": "$dir/ticker.sock" }
	}
}
END
say "Two bridges: a name, where the server is, where the Unix socket shall be."
show "cat demo.json"
show "wsbridge check demo.json"

say "The daemon."
start wsbridged "wsbridged -c $dir/demo.json"
await "the echo bridge" state echo open
await "the ticker bridge" state ticker open
show "wsbridge -s control.sock status"

say "A line that is written is a message that is sent; a message that comes is a line to read."
command="printf 'hello\\n' | $talk ${to}echo.sock$after_talk"
show "$command" "$command | tee reply"
[ "$(cat reply)" = hello ] || die "no echo came back"

say "Many may read, and nobody needs to write: three messages of the ticker."
command="$listen ${to}ticker.sock$dash"
show "$command | head -n 3" "{ $command 2>/dev/null || :; } | head -n 3 | tee reply"
[ "$(grep -c '"n":' reply)" -eq 3 ] || die "not three messages"

say "Commands, too, go to a Unix socket: with wsbridge, or with one line of text."
show "wsbridge -s control.sock send echo 'from the command line'"
show "printf 'version\\n' | $talk ${to}control.sock$after_talk"

say "The server goes away. Clients stay, and what they write waits."
show "kill \$(cat echo.pid)"
await "the bridge to notice" not_open echo
show "wsbridge -s control.sock status"
: >reply
command="printf 'still there?\\n' | $patient ${to}echo.sock$after_patient >reply"
show "$command &" "$command &"
client=$!

say "The server comes back. Nobody has to do anything."
start echo "wsbridge echo --listen $address"
await "the bridge to heal" state echo open
await "the ticker to heal" state ticker open
await "the line that waited" grep -q . reply
show "cat reply"
kill "$client" 2>/dev/null
wait "$client" 2>/dev/null
show "wsbridge -s control.sock status"

finished=yes
if [ -n "$once" ]; then
	say "Done."
	show "./stop"
	exit
fi

hint() { printf '  %-60s # %s\n' "$1" "$2"; }

cat <<END

Both are running still. To go on:

  cd $dir
  export PATH=\$PWD/bin:\$PATH

END
hint "$patient ${to}echo.sock$after_patient" "type lines; all who are connected get the answers"
hint "$listen ${to}ticker.sock$dash" "the ticker"
hint "wsbridge -s control.sock status echo" "one bridge in detail"
hint "wsbridge -s control.sock open more $url -o endpoint=\$PWD/more.sock" "one more bridge"
hint "wsbridge -s control.sock close more" "and away with it"
hint "tail -f wsbridged.log" "what the daemon says"
hint "wsbridge --help" "everything else"
cat <<END

To stop both and remove the directory:

  $dir/stop
END
