# SPDX-License-Identifier: Apache-2.0
# Completion of wsbridge(1) for bash. Made by tests/lint/completions.py.

_wsbridge_bridges() {
	wsbridge "$@" --json status 2>/dev/null |
		grep -o '{"name":"[A-Za-z0-9_.@-]*","state"' | cut -d '"' -f 4
}

# What the value of a switch is: "file", "option", "events", "none"; nothing if it has none.
_wsbridge_value() {
	case $1 in
	:-s | :--socket) echo socket ;;
	status:-s | status:--socket) echo socket ;;
	open:-o | open:--option) echo option ;;
	open:-f | open:--file) echo file ;;
	open:-s | open:--socket) echo socket ;;
	close:--code) echo none ;;
	close:--reason) echo none ;;
	close:-s | close:--socket) echo socket ;;
	send:-F | send:--file) echo file ;;
	send:-s | send:--socket) echo socket ;;
	recv:-n | recv:--number) echo none ;;
	recv:-m | recv:--match) echo none ;;
	recv:-t | recv:--timeout) echo none ;;
	recv:-s | recv:--socket) echo socket ;;
	request:-m | request:--match) echo none ;;
	request:-t | request:--timeout) echo none ;;
	request:-s | request:--socket) echo socket ;;
	wait:-t | wait:--timeout) echo none ;;
	wait:-s | wait:--socket) echo socket ;;
	ping:-t | ping:--timeout) echo none ;;
	ping:-s | ping:--socket) echo socket ;;
	monitor:-e | monitor:--events) echo events ;;
	monitor:-s | monitor:--socket) echo socket ;;
	top:-d | top:--delay) echo none ;;
	top:-n | top:--number) echo none ;;
	top:-s | top:--socket) echo socket ;;
	reconnect:-s | reconnect:--socket) echo socket ;;
	explain:-s | explain:--socket) echo socket ;;
	reload:-s | reload:--socket) echo socket ;;
	log:-s | log:--socket) echo socket ;;
	trace:--for) echo none ;;
	trace:-s | trace:--socket) echo socket ;;
	metrics:-s | metrics:--socket) echo socket ;;
	shutdown:-t | shutdown:--timeout) echo none ;;
	shutdown:-s | shutdown:--socket) echo socket ;;
	version:-s | version:--socket) echo socket ;;
	rpc:-s | rpc:--socket) echo socket ;;
	connect:-t | connect:--text) echo none ;;
	connect:--messages) echo none ;;
	connect:--eof-wait) echo none ;;
	connect:-p | connect:--proxy) echo none ;;
	connect:-s | connect:--subprotocol) echo none ;;
	connect:--origin) echo none ;;
	connect:-H | connect:--header) echo none ;;
	connect:-o | connect:--option) echo option ;;
	probe:-o | probe:--option) echo option ;;
	echo:-l | echo:--listen) echo none ;;
	esac
}

_wsbridge_switches() {
	case $1 in
	'') echo '-s --socket --json -V --version -h --help' ;;
	status) echo '-s --socket --json -h --help' ;;
	open) echo '-o --option -f --file --wait -s --socket --json -h --help' ;;
	close) echo '--code --reason --wait -s --socket --json -h --help' ;;
	send) echo '-b --binary -F --file -q --queue -s --socket --json -h --help' ;;
	recv) echo '-n --number -m --match -t --timeout -s --socket --json -h --help' ;;
	request) echo '-m --match -t --timeout -s --socket --json -h --help' ;;
	wait) echo '-t --timeout -s --socket --json -h --help' ;;
	ping) echo '-t --timeout -s --socket --json -h --help' ;;
	monitor) echo '-e --events -s --socket --json -h --help' ;;
	top) echo '-d --delay -n --number -s --socket --json -h --help' ;;
	reconnect) echo '-s --socket --json -h --help' ;;
	explain) echo '-s --socket --json -h --help' ;;
	reload) echo '-n --dry-run -s --socket --json -h --help' ;;
	log) echo '-s --socket --json -h --help' ;;
	trace) echo '--for -s --socket --json -h --help' ;;
	metrics) echo '-s --socket --json -h --help' ;;
	shutdown) echo '-t --timeout -s --socket --json -h --help' ;;
	version) echo '-s --socket --json -h --help' ;;
	rpc) echo '-s --socket --json -h --help' ;;
	connect) echo '-b --binary -r --raw --stream -t --text --messages --eof-wait -v --verbose --timings -n --nocert -p --proxy -s --subprotocol --origin -H --header -o --option --json -h --help' ;;
	probe) echo '-o --option --json -h --help' ;;
	echo) echo '-l --listen -h --help' ;;
	check) echo '--json -h --help' ;;
	esac
}

# What stands in the place of a command's word, counted from 0.
_wsbridge_word() {
	case $1 in
	:*) echo 'status open close send recv request wait ping monitor top reconnect explain reload log trace metrics shutdown version rpc connect probe echo check' ;;
	status:*) echo 'NAME' ;;
	open:0) echo 'NAME' ;;
	close:0) echo 'NAME' ;;
	send:0) echo 'NAME' ;;
	recv:0) echo 'NAME' ;;
	request:0) echo 'NAME' ;;
	wait:0) echo 'NAME' ;;
	wait:1) echo 'connecting open closing waiting idle closed failed' ;;
	ping:0) echo 'NAME' ;;
	monitor:*) echo 'NAME' ;;
	reconnect:0) echo 'NAME' ;;
	explain:0) echo 'NAME' ;;
	log:0) echo 'error warning notice info debug' ;;
	trace:0) echo 'NAME off' ;;
	rpc:0) echo 'open close send status request recv wait ping subscribe unsubscribe reconnect explain reload log trace metrics shutdown version rpc.discover' ;;
	check:0) echo 'FILE' ;;
	esac
}

_wsbridge_options='url
connect_to
headers
host
origin
user_agent
cookie
cookies
auth.basic.user
auth.basic.password
auth.bearer
subprotocols
redirects
timeouts.connect
timeouts.handshake
timeouts.open
timeouts.close
tls.verify
tls.verify_hostname
tls.ca_file
tls.ca_dir
tls.cert
tls.key
tls.key_password
tls.server_name
tls.min_version
tls.max_version
tls.ciphers
tls.ciphersuites
tls.groups
tls.pin_sha256
tls.keylog_file
tls.ktls
proxy
proxy_password
no_proxy
socket.nodelay
socket.keepalive
socket.keepalive.idle
socket.keepalive.interval
socket.keepalive.count
socket.user_timeout
socket.bind_address
socket.bind_device
socket.mark
socket.rcvbuf
socket.sndbuf
socket.family
max_message
validate_utf8
mask
fragments
compression
compression.client_max_window_bits
compression.server_max_window_bits
compression.client_no_context_takeover
compression.server_no_context_takeover
compression.level
compression.threshold
compression.release_after
sharing
on_open
ping.interval
ping.timeout
ping.payload
ping.proof
heartbeat.interval
heartbeat.message
heartbeat.expect
heartbeat.timeout
idle_timeout
reconnect.when
reconnect.initial
reconnect.max
reconnect.factor
reconnect.jitter
reconnect.reset_after
reconnect.attempts
reconnect.slow
reconnect.fatal_status
reconnect.fatal_close
start
linger
rate.messages
rate.per
rate.burst
outbox.size
outbox.ttl
outbox.on_full
endpoint
endpoints
endpoint.unix
endpoint.fifo.out
endpoint.fifo.in
endpoint.type
endpoint.framing
endpoint.delimiter
endpoint.newlines
endpoint.binary
endpoint.send_as
endpoint.data
endpoint.events
endpoint.mode
endpoint.owner
endpoint.group
endpoint.allow_users
endpoint.allow_groups
endpoint.access
endpoint.max_clients
endpoint.replay
endpoint.queue
endpoint.overflow
endpoint.block_timeout'

_wsbridge() {
	local cur=${COMP_WORDS[COMP_CWORD]} command='' value='' kind='' before='' count=0 i word
	local -a socket=()
	COMPREPLY=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		if [[ $word == = ]]; then # the shell takes KEY=VALUE apart
			value=after
		elif [[ -n $value ]]; then
			[[ $kind == socket ]] && socket=(-s "$word")
			value=''
		elif [[ $word == -* ]]; then
			kind=$(_wsbridge_value "$command:$word")
			value=$kind
		elif [[ -z $command ]]; then
			command=$word
		else
			((count++))
		fi
	done
	if [[ $cur == = || $value == after ]]; then
		[[ $kind == file || $kind == socket ]] || return
		value=$kind cur=${cur#=}
	fi
	case $value in
	file | socket) kind=FILE ;;
	option)
		compopt -o nospace
		mapfile -t COMPREPLY < <(compgen -S = -W "$_wsbridge_options" -- "$cur")
		return
		;;
	events) # with commas between them
		[[ $cur == *,* ]] && before=${cur%,*},
		mapfile -t COMPREPLY < <(compgen -P "$before" -W 'state message open close ping pong error' -- "${cur##*,}")
		return
		;;
	none) return ;;
	*)
		if [[ $cur == -* ]]; then
			mapfile -t COMPREPLY < <(compgen -W "$(_wsbridge_switches "$command")" -- "$cur")
			return
		fi
		kind=$(_wsbridge_word "$command:$count")
		;;
	esac
	case $kind in
	NAME*) mapfile -t COMPREPLY < <(compgen -W "$(_wsbridge_bridges "${socket[@]}")${kind#NAME}" -- "$cur") ;;
	FILE)
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		;;
	*) mapfile -t COMPREPLY < <(compgen -W "$kind" -- "$cur") ;;
	esac
}

complete -F _wsbridge wsbridge
