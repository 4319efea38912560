# SPDX-License-Identifier: Apache-2.0
# Completion of wsbridge(1) for fish. Made by tests/lint/completions.py.

# Prints the command and how many of its words are there; nothing before the command.
function __wsbridge_words
	set -l command ''
	set -l count 0
	set -l value ''
	for word in (commandline -opc)[2..-1]
		if test -n "$value"
			set value ''
			continue
		end
		switch "$command:$word"
			case ':-s' ':--socket'
				set value yes
			case 'status:-s' 'status:--socket'
				set value yes
			case 'open:-o' 'open:--option'
				set value yes
			case 'open:-f' 'open:--file'
				set value yes
			case 'open:-s' 'open:--socket'
				set value yes
			case 'close:--code'
				set value yes
			case 'close:--reason'
				set value yes
			case 'close:-s' 'close:--socket'
				set value yes
			case 'send:-F' 'send:--file'
				set value yes
			case 'send:-s' 'send:--socket'
				set value yes
			case 'recv:-n' 'recv:--number'
				set value yes
			case 'recv:-m' 'recv:--match'
				set value yes
			case 'recv:-t' 'recv:--timeout'
				set value yes
			case 'recv:-s' 'recv:--socket'
				set value yes
			case 'request:-m' 'request:--match'
				set value yes
			case 'request:-t' 'request:--timeout'
				set value yes
			case 'request:-s' 'request:--socket'
				set value yes
			case 'wait:-t' 'wait:--timeout'
				set value yes
			case 'wait:-s' 'wait:--socket'
				set value yes
			case 'ping:-t' 'ping:--timeout'
				set value yes
			case 'ping:-s' 'ping:--socket'
				set value yes
			case 'monitor:-e' 'monitor:--events'
				set value yes
			case 'monitor:-s' 'monitor:--socket'
				set value yes
			case 'top:-d' 'top:--delay'
				set value yes
			case 'top:-n' 'top:--number'
				set value yes
			case 'top:-s' 'top:--socket'
				set value yes
			case 'reconnect:-s' 'reconnect:--socket'
				set value yes
			case 'explain:-s' 'explain:--socket'
				set value yes
			case 'reload:-s' 'reload:--socket'
				set value yes
			case 'log:-s' 'log:--socket'
				set value yes
			case 'trace:--for'
				set value yes
			case 'trace:-s' 'trace:--socket'
				set value yes
			case 'metrics:-s' 'metrics:--socket'
				set value yes
			case 'shutdown:-t' 'shutdown:--timeout'
				set value yes
			case 'shutdown:-s' 'shutdown:--socket'
				set value yes
			case 'version:-s' 'version:--socket'
				set value yes
			case 'rpc:-s' 'rpc:--socket'
				set value yes
			case 'connect:-t' 'connect:--text'
				set value yes
			case 'connect:--messages'
				set value yes
			case 'connect:--eof-wait'
				set value yes
			case 'connect:-p' 'connect:--proxy'
				set value yes
			case 'connect:-s' 'connect:--subprotocol'
				set value yes
			case 'connect:--origin'
				set value yes
			case 'connect:-H' 'connect:--header'
				set value yes
			case 'connect:-o' 'connect:--option'
				set value yes
			case 'probe:-o' 'probe:--option'
				set value yes
			case 'echo:-l' 'echo:--listen'
				set value yes
			case '*:-*'
			case '*'
				if test -z "$command"
					set command $word
				else
					set count (math $count + 1)
				end
		end
	end
	echo "$command:$count"
end

function __wsbridge_at
	string match -q -- $argv[1] (__wsbridge_words)
end

function __wsbridge_bridges
	set -l words (commandline -opc)
	set -l socket
	for i in (seq 2 (count $words))
		switch $words[$i]
			case -s --socket
				set socket -s $words[(math $i + 1)]
			case '--socket=*'
				set socket $words[$i]
		end
	end
	wsbridge $socket --json status 2>/dev/null | grep -o '{"name":"[A-Za-z0-9_.@-]*","state"' | cut -d '"' -f 4
end

complete -c wsbridge -f
complete -c wsbridge -n '__wsbridge_at :0' -s s -l socket -d 'control socket of the daemon' -r -F
complete -c wsbridge -n '__wsbridge_at :0' -l json -d 'print the answer as JSON, one value for each line'
complete -c wsbridge -n '__wsbridge_at :0' -s V -l version -d 'version of this program'
complete -c wsbridge -n '__wsbridge_at :0' -s h -l help -d 'this text'
complete -c wsbridge -n '__wsbridge_at :0' -a status -d 'show all bridges, or one in detail'
complete -c wsbridge -n '__wsbridge_at "status:*"' -s s -l socket -d 'control socket of the daemon' -r -F
complete -c wsbridge -n '__wsbridge_at "status:*"' -l json -d 'print the answer as JSON, one value for each line'
complete -c wsbridge -n '__wsbridge_at "status:*"' -s h -l help -d 'this text'
complete -c wsbridge -n '__wsbridge_at "status:*"' -a '(__wsbridge_bridges)'
complete -c wsbridge -n '__wsbridge_at :0' -a open -d 'make a bridge, or start a closed one'
complete -c wsbridge -n '__wsbridge_at "open:*"' -s o -l option -d 'an option of the bridge: -o ping.interval=5s' -x -a 'url= connect_to= headers= host= origin= user_agent= cookie= cookies= auth.basic.user= auth.basic.password= auth.bearer= subprotocols= redirects= timeouts.connect= timeouts.handshake= timeouts.open= timeouts.close= tls.verify= tls.verify_hostname= tls.ca_file= tls.ca_dir= tls.cert= tls.key= tls.key_password= tls.server_name= tls.min_version= tls.max_version= tls.ciphers= tls.ciphersuites= tls.groups= tls.pin_sha256= tls.keylog_file= tls.ktls= proxy= proxy_password= no_proxy= socket.nodelay= socket.keepalive= socket.keepalive.idle= socket.keepalive.interval= socket.keepalive.count= socket.user_timeout= socket.bind_address= socket.bind_device= socket.mark= socket.rcvbuf= socket.sndbuf= socket.family= max_message= validate_utf8= mask= fragments= compression= compression.client_max_window_bits= compression.server_max_window_bits= compression.client_no_context_takeover= compression.server_no_context_takeover= compression.level= compression.threshold= compression.release_after= sharing= on_open= ping.interval= ping.timeout= ping.payload= ping.proof= heartbeat.interval= heartbeat.message= heartbeat.expect= heartbeat.timeout= idle_timeout= reconnect.when= reconnect.initial= reconnect.max= reconnect.factor= reconnect.jitter= reconnect.reset_after= reconnect.attempts= reconnect.slow= reconnect.fatal_status= reconnect.fatal_close= start= linger= rate.messages= rate.per= rate.burst= outbox.size= outbox.ttl= outbox.on_full= endpoint= endpoints= endpoint.unix= endpoint.fifo.out= endpoint.fifo.in= endpoint.type= endpoint.framing= endpoint.delimiter= endpoint.newlines= endpoint.binary= endpoint.send_as= endpoint.data= endpoint.events= endpoint.mode= endpoint.owner= endpoint.group= endpoint.allow_users= endpoint.allow_groups= endpoint.access= endpoint.max_clients= endpoint.replay= endpoint.queue= endpoint.overflow= endpoint.block_timeout='
complete -c wsbridge -n '__wsbridge_at "open:*"' -s f -l file -d 'options as a JSON object; - is standard input' -r -F
complete -c wsbridge -n '__wsbridge_at "open:*"' -l wait -d 'until it is open or has failed, at most T'
complete -c wsbridge -n '__wsbridge_at "open:*"' -s s -l socket -d 'control socket of the daemon' -r -F
complete -c wsbridge -n '__wsbridge_at "open:*"' -l json -d 'print the answer as JSON, one value for each line'
complete -c wsbridge -n '__wsbridge_at "open:*"' -s h -l help -d 'this text'
complete -c wsbridge -n '__wsbridge_at "open:0"' -a '(__wsbridge_bridges)'
complete -c wsbridge -n '__wsbridge_at :0' -a close -d 'close a bridge and do not connect again'
complete -c wsbridge -n '__wsbridge_at "close:*"' -l code -d 'close code, 1000 by default' -x
complete -c wsbridge -n '__wsbridge_at "close:*"' -l reason -d 'reason, at most 123 bytes' -x
complete -c wsbridge -n '__wsbridge_at "close:*"' -l wait -d 'until it is closed, at most T'
complete -c wsbridge -n '__wsbridge_at "close:*"' -s s -l socket -d 'control socket of the daemon' -r -F
complete -c wsbridge -n '__wsbridge_at "close:*"' -l json -d 'print the answer as JSON, one value for each line'
complete -c wsbridge -n '__wsbridge_at "close:*"' -s h -l help -d 'this text'
complete -c wsbridge -n '__wsbridge_at "close:0"' -a '(__wsbridge_bridges)'
complete -c wsbridge -n '__wsbridge_at :0' -a send -d 'send messages to the upstream'
complete -c wsbridge -n '__wsbridge_at "send:*"' -s b -l binary -d 'a binary message instead of text'
complete -c wsbridge -n '__wsbridge_at "send:*"' -s F -l file -d 'the whole file is the message; - is standard input' -r -F
complete -c wsbridge -n '__wsbridge_at "send:*"' -s q -l queue -d 'into the outbox while the bridge is not open'
complete -c wsbridge -n '__wsbridge_at "send:*"' -s s -l socket -d 'control socket of the daemon' -r -F
complete -c wsbridge -n '__wsbridge_at "send:*"' -l json -d 'print the answer as JSON, one value for each line'
complete -c wsbridge -n '__wsbridge_at "send:*"' -s h -l help -d 'this text'
complete -c wsbridge -n '__wsbridge_at "send:0"' -a '(__wsbridge_bridges)'
complete -c wsbridge -n '__wsbridge_at :0' -a recv -d 'print the next messages from the upstream'
complete -c wsbridge -n '__wsbridge_at "recv:*"' -s n -l number -d 'so many messages, 1 by default' -x
complete -c wsbridge -n '__wsbridge_at "recv:*"' -s m -l match -d 'only messages that match' -x
complete -c wsbridge -n '__wsbridge_at "recv:*"' -s t -l timeout -d 'at most so long; without it for ever' -x
complete -c wsbridge -n '__wsbridge_at "recv:*"' -s s -l socket -d 'control socket of the daemon' -r -F
complete -c wsbridge -n '__wsbridge_at "recv:*"' -l json -d 'print the answer as JSON, one value for each line'
complete -c wsbridge -n '__wsbridge_at "recv:*"' -s h -l help -d 'this text'
complete -c wsbridge -n '__wsbridge_at "recv:0"' -a '(__wsbridge_bridges)'
complete -c wsbridge -n '__wsbridge_at :0' -a request -d 'send a message and print its answer'
complete -c wsbridge -n '__wsbridge_at "request:*"' -s m -l match -d 'what the answer is like: /id=1, ~^ok, some text' -x
complete -c wsbridge -n '__wsbridge_at "request:*"' -s t -l timeout -d 'for the answer, 10s by default' -x
complete -c wsbridge -n '__wsbridge_at "request:*"' -s s -l socket -d 'control socket of the daemon' -r -F
complete -c wsbridge -n '__wsbridge_at "request:*"' -l json -d 'print the answer as JSON, one value for each line'
complete -c wsbridge -n '__wsbridge_at "request:*"' -s h -l help -d 'this text'
complete -c wsbridge -n '__wsbridge_at "request:0"' -a '(__wsbridge_bridges)'
complete -c wsbridge -n '__wsbridge_at :0' -a wait -d 'wait until a bridge is open, or in another state'
complete -c wsbridge -n '__wsbridge_at "wait:*"' -s t -l timeout -d 'at most so long; without it for ever' -x
complete -c wsbridge -n '__wsbridge_at "wait:*"' -s s -l socket -d 'control socket of the daemon' -r -F
complete -c wsbridge -n '__wsbridge_at "wait:*"' -l json -d 'print the answer as JSON, one value for each line'
complete -c wsbridge -n '__wsbridge_at "wait:*"' -s h -l help -d 'this text'
complete -c wsbridge -n '__wsbridge_at "wait:0"' -a '(__wsbridge_bridges)'
complete -c wsbridge -n '__wsbridge_at "wait:1"' -a 'connecting open closing waiting idle closed failed'
complete -c wsbridge -n '__wsbridge_at :0' -a ping -d 'measure the round trip time'
complete -c wsbridge -n '__wsbridge_at "ping:*"' -s t -l timeout -d 'for the pong, 10s by default' -x
complete -c wsbridge -n '__wsbridge_at "ping:*"' -s s -l socket -d 'control socket of the daemon' -r -F
complete -c wsbridge -n '__wsbridge_at "ping:*"' -l json -d 'print the answer as JSON, one value for each line'
complete -c wsbridge -n '__wsbridge_at "ping:*"' -s h -l help -d 'this text'
complete -c wsbridge -n '__wsbridge_at "ping:0"' -a '(__wsbridge_bridges)'
complete -c wsbridge -n '__wsbridge_at :0' -a monitor -d 'follow what happens, an event on a line'
complete -c wsbridge -n '__wsbridge_at "monitor:*"' -s e -l events -d 'only these: state,message,open,close,...' -x -a '(__fish_append , state message open close ping pong error)'
complete -c wsbridge -n '__wsbridge_at "monitor:*"' -s s -l socket -d 'control socket of the daemon' -r -F
complete -c wsbridge -n '__wsbridge_at "monitor:*"' -l json -d 'print the answer as JSON, one value for each line'
complete -c wsbridge -n '__wsbridge_at "monitor:*"' -s h -l help -d 'this text'
complete -c wsbridge -n '__wsbridge_at "monitor:*"' -a '(__wsbridge_bridges)'
complete -c wsbridge -n '__wsbridge_at :0' -a top -d 'watch all bridges on a full screen'
complete -c wsbridge -n '__wsbridge_at "top:*"' -s d -l delay -d 'between two looks, 2s by default' -x
complete -c wsbridge -n '__wsbridge_at "top:*"' -s n -l number -d 'end after so many looks' -x
complete -c wsbridge -n '__wsbridge_at "top:*"' -s s -l socket -d 'control socket of the daemon' -r -F
complete -c wsbridge -n '__wsbridge_at "top:*"' -l json -d 'print the answer as JSON, one value for each line'
complete -c wsbridge -n '__wsbridge_at "top:*"' -s h -l help -d 'this text'
complete -c wsbridge -n '__wsbridge_at :0' -a reconnect -d 'drop the connection of a bridge and dial now'
complete -c wsbridge -n '__wsbridge_at "reconnect:*"' -s s -l socket -d 'control socket of the daemon' -r -F
complete -c wsbridge -n '__wsbridge_at "reconnect:*"' -l json -d 'print the answer as JSON, one value for each line'
complete -c wsbridge -n '__wsbridge_at "reconnect:*"' -s h -l help -d 'this text'
complete -c wsbridge -n '__wsbridge_at "reconnect:0"' -a '(__wsbridge_bridges)'
complete -c wsbridge -n '__wsbridge_at :0' -a explain -d 'what happened to a bridge lately, and why'
complete -c wsbridge -n '__wsbridge_at "explain:*"' -s s -l socket -d 'control socket of the daemon' -r -F
complete -c wsbridge -n '__wsbridge_at "explain:*"' -l json -d 'print the answer as JSON, one value for each line'
complete -c wsbridge -n '__wsbridge_at "explain:*"' -s h -l help -d 'this text'
complete -c wsbridge -n '__wsbridge_at "explain:0"' -a '(__wsbridge_bridges)'
complete -c wsbridge -n '__wsbridge_at :0' -a reload -d 'read the configuration anew'
complete -c wsbridge -n '__wsbridge_at "reload:*"' -s n -l dry-run -d 'only tell what would change'
complete -c wsbridge -n '__wsbridge_at "reload:*"' -s s -l socket -d 'control socket of the daemon' -r -F
complete -c wsbridge -n '__wsbridge_at "reload:*"' -l json -d 'print the answer as JSON, one value for each line'
complete -c wsbridge -n '__wsbridge_at "reload:*"' -s h -l help -d 'this text'
complete -c wsbridge -n '__wsbridge_at :0' -a log -d 'show or set what the daemon logs'
complete -c wsbridge -n '__wsbridge_at "log:*"' -s s -l socket -d 'control socket of the daemon' -r -F
complete -c wsbridge -n '__wsbridge_at "log:*"' -l json -d 'print the answer as JSON, one value for each line'
complete -c wsbridge -n '__wsbridge_at "log:*"' -s h -l help -d 'this text'
complete -c wsbridge -n '__wsbridge_at "log:0"' -a 'error warning notice info debug'
complete -c wsbridge -n '__wsbridge_at :0' -a trace -d 'log handshakes and frames of a bridge for a while'
complete -c wsbridge -n '__wsbridge_at "trace:*"' -l for -d 'so long, 10min by default; 0: no more' -x
complete -c wsbridge -n '__wsbridge_at "trace:*"' -s s -l socket -d 'control socket of the daemon' -r -F
complete -c wsbridge -n '__wsbridge_at "trace:*"' -l json -d 'print the answer as JSON, one value for each line'
complete -c wsbridge -n '__wsbridge_at "trace:*"' -s h -l help -d 'this text'
complete -c wsbridge -n '__wsbridge_at "trace:0"' -a '(__wsbridge_bridges) off'
complete -c wsbridge -n '__wsbridge_at :0' -a metrics -d 'counters and gauges as OpenMetrics text'
complete -c wsbridge -n '__wsbridge_at "metrics:*"' -s s -l socket -d 'control socket of the daemon' -r -F
complete -c wsbridge -n '__wsbridge_at "metrics:*"' -l json -d 'print the answer as JSON, one value for each line'
complete -c wsbridge -n '__wsbridge_at "metrics:*"' -s h -l help -d 'this text'
complete -c wsbridge -n '__wsbridge_at :0' -a shutdown -d 'end the daemon in an orderly way'
complete -c wsbridge -n '__wsbridge_at "shutdown:*"' -s t -l timeout -d 'for closing politely' -x
complete -c wsbridge -n '__wsbridge_at "shutdown:*"' -s s -l socket -d 'control socket of the daemon' -r -F
complete -c wsbridge -n '__wsbridge_at "shutdown:*"' -l json -d 'print the answer as JSON, one value for each line'
complete -c wsbridge -n '__wsbridge_at "shutdown:*"' -s h -l help -d 'this text'
complete -c wsbridge -n '__wsbridge_at :0' -a version -d 'version of the daemon that runs'
complete -c wsbridge -n '__wsbridge_at "version:*"' -s s -l socket -d 'control socket of the daemon' -r -F
complete -c wsbridge -n '__wsbridge_at "version:*"' -l json -d 'print the answer as JSON, one value for each line'
complete -c wsbridge -n '__wsbridge_at "version:*"' -s h -l help -d 'this text'
complete -c wsbridge -n '__wsbridge_at :0' -a rpc -d 'call any method of the control socket'
complete -c wsbridge -n '__wsbridge_at "rpc:*"' -s s -l socket -d 'control socket of the daemon' -r -F
complete -c wsbridge -n '__wsbridge_at "rpc:*"' -l json -d 'print the answer as JSON, one value for each line'
complete -c wsbridge -n '__wsbridge_at "rpc:*"' -s h -l help -d 'this text'
complete -c wsbridge -n '__wsbridge_at "rpc:0"' -a 'open close send status request recv wait ping subscribe unsubscribe reconnect explain reload log trace metrics shutdown version rpc.discover'
complete -c wsbridge -n '__wsbridge_at :0' -a connect -d 'talk to a WebSocket server'
complete -c wsbridge -n '__wsbridge_at "connect:*"' -s b -l binary -d 'binary messages instead of text'
complete -c wsbridge -n '__wsbridge_at "connect:*"' -s r -l raw -d 'as in a pipe, also on a terminal'
complete -c wsbridge -n '__wsbridge_at "connect:*"' -l stream -d 'bytes in and out, no lines; in binary messages'
complete -c wsbridge -n '__wsbridge_at "connect:*"' -s t -l text -d 'send this message first; may come more than once' -x
complete -c wsbridge -n '__wsbridge_at "connect:*"' -l messages -d 'close after N received messages' -x
complete -c wsbridge -n '__wsbridge_at "connect:*"' -l eof-wait -d 'close T after the end of input, 1s by default; or: forever' -x
complete -c wsbridge -n '__wsbridge_at "connect:*"' -s v -l verbose -d 'types, pings, Close; -vv: handshake, frames'
complete -c wsbridge -n '__wsbridge_at "connect:*"' -l timings -d 'seconds since the start before every message'
complete -c wsbridge -n '__wsbridge_at "connect:*"' -s n -l nocert -d 'any certificate will do: -o tls.verify=false'
complete -c wsbridge -n '__wsbridge_at "connect:*"' -s p -l proxy -d '-o proxy=URL' -x
complete -c wsbridge -n '__wsbridge_at "connect:*"' -s s -l subprotocol -d 'ask for it; may come more than once' -x
complete -c wsbridge -n '__wsbridge_at "connect:*"' -l origin -d '-o origin=ORIGIN' -x
complete -c wsbridge -n '__wsbridge_at "connect:*"' -s H -l header -d 'send it; may come more than once' -x
complete -c wsbridge -n '__wsbridge_at "connect:*"' -s o -l option -d 'an option of a bridge: -o timeouts.open=5s' -x -a 'url= connect_to= headers= host= origin= user_agent= cookie= cookies= auth.basic.user= auth.basic.password= auth.bearer= subprotocols= redirects= timeouts.connect= timeouts.handshake= timeouts.open= timeouts.close= tls.verify= tls.verify_hostname= tls.ca_file= tls.ca_dir= tls.cert= tls.key= tls.key_password= tls.server_name= tls.min_version= tls.max_version= tls.ciphers= tls.ciphersuites= tls.groups= tls.pin_sha256= tls.keylog_file= tls.ktls= proxy= proxy_password= no_proxy= socket.nodelay= socket.keepalive= socket.keepalive.idle= socket.keepalive.interval= socket.keepalive.count= socket.user_timeout= socket.bind_address= socket.bind_device= socket.mark= socket.rcvbuf= socket.sndbuf= socket.family= max_message= validate_utf8= mask= fragments= compression= compression.client_max_window_bits= compression.server_max_window_bits= compression.client_no_context_takeover= compression.server_no_context_takeover= compression.level= compression.threshold= compression.release_after= sharing= on_open= ping.interval= ping.timeout= ping.payload= ping.proof= heartbeat.interval= heartbeat.message= heartbeat.expect= heartbeat.timeout= idle_timeout= reconnect.when= reconnect.initial= reconnect.max= reconnect.factor= reconnect.jitter= reconnect.reset_after= reconnect.attempts= reconnect.slow= reconnect.fatal_status= reconnect.fatal_close= start= linger= rate.messages= rate.per= rate.burst= outbox.size= outbox.ttl= outbox.on_full= endpoint= endpoints= endpoint.unix= endpoint.fifo.out= endpoint.fifo.in= endpoint.type= endpoint.framing= endpoint.delimiter= endpoint.newlines= endpoint.binary= endpoint.send_as= endpoint.data= endpoint.events= endpoint.mode= endpoint.owner= endpoint.group= endpoint.allow_users= endpoint.allow_groups= endpoint.access= endpoint.max_clients= endpoint.replay= endpoint.queue= endpoint.overflow= endpoint.block_timeout='
complete -c wsbridge -n '__wsbridge_at "connect:*"' -l json -d 'print the answer as JSON, one value for each line'
complete -c wsbridge -n '__wsbridge_at "connect:*"' -s h -l help -d 'this text'
complete -c wsbridge -n '__wsbridge_at :0' -a probe -d 'connect once, and show every stage of it'
complete -c wsbridge -n '__wsbridge_at "probe:*"' -s o -l option -d 'an option of a bridge: -o tls.verify=false' -x -a 'url= connect_to= headers= host= origin= user_agent= cookie= cookies= auth.basic.user= auth.basic.password= auth.bearer= subprotocols= redirects= timeouts.connect= timeouts.handshake= timeouts.open= timeouts.close= tls.verify= tls.verify_hostname= tls.ca_file= tls.ca_dir= tls.cert= tls.key= tls.key_password= tls.server_name= tls.min_version= tls.max_version= tls.ciphers= tls.ciphersuites= tls.groups= tls.pin_sha256= tls.keylog_file= tls.ktls= proxy= proxy_password= no_proxy= socket.nodelay= socket.keepalive= socket.keepalive.idle= socket.keepalive.interval= socket.keepalive.count= socket.user_timeout= socket.bind_address= socket.bind_device= socket.mark= socket.rcvbuf= socket.sndbuf= socket.family= max_message= validate_utf8= mask= fragments= compression= compression.client_max_window_bits= compression.server_max_window_bits= compression.client_no_context_takeover= compression.server_no_context_takeover= compression.level= compression.threshold= compression.release_after= sharing= on_open= ping.interval= ping.timeout= ping.payload= ping.proof= heartbeat.interval= heartbeat.message= heartbeat.expect= heartbeat.timeout= idle_timeout= reconnect.when= reconnect.initial= reconnect.max= reconnect.factor= reconnect.jitter= reconnect.reset_after= reconnect.attempts= reconnect.slow= reconnect.fatal_status= reconnect.fatal_close= start= linger= rate.messages= rate.per= rate.burst= outbox.size= outbox.ttl= outbox.on_full= endpoint= endpoints= endpoint.unix= endpoint.fifo.out= endpoint.fifo.in= endpoint.type= endpoint.framing= endpoint.delimiter= endpoint.newlines= endpoint.binary= endpoint.send_as= endpoint.data= endpoint.events= endpoint.mode= endpoint.owner= endpoint.group= endpoint.allow_users= endpoint.allow_groups= endpoint.access= endpoint.max_clients= endpoint.replay= endpoint.queue= endpoint.overflow= endpoint.block_timeout='
complete -c wsbridge -n '__wsbridge_at "probe:*"' -l json -d 'print the answer as JSON, one value for each line'
complete -c wsbridge -n '__wsbridge_at "probe:*"' -s h -l help -d 'this text'
complete -c wsbridge -n '__wsbridge_at :0' -a echo -d 'a WebSocket server for trying things out'
complete -c wsbridge -n '__wsbridge_at "echo:*"' -s l -l listen -d 'where to listen, 127.0.0.1:9001 by default' -x
complete -c wsbridge -n '__wsbridge_at "echo:*"' -s h -l help -d 'this text'
complete -c wsbridge -n '__wsbridge_at :0' -a check -d 'is a configuration good? Shows every error'
complete -c wsbridge -n '__wsbridge_at "check:*"' -l json -d 'print the answer as JSON, one value for each line'
complete -c wsbridge -n '__wsbridge_at "check:*"' -s h -l help -d 'this text'
complete -c wsbridge -n '__wsbridge_at "check:0"' -F
