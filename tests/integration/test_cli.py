# SPDX-License-Identifier: Apache-2.0
"""The commands that talk to the daemon: what each prints, for people and as JSON, and how it ends."""

import json
import os
import pty
import re
import subprocess

import pytest

import frames
from cli import CONNECTION, DENIED, ENDPOINT, ERROR, NAME, NOT_OPEN, PAYLOAD, TIMEOUT, UNREACHABLE, USAGE, fails
from dumb_server import echo
from harness import WRAPPER, LineSocket, free_port, programs, slack, wait_until


# status ---------------------------------------------------------------------


def test_status_is_a_table(wsbridge, up, server):
    with up.client('up') as client:
        client.send('x\n')
        client.line()
        done = wsbridge(up, 'status')
    assert (done.returncode, done.stderr) == (0, '')
    lines = done.stdout.splitlines()
    assert lines[0].split() == ['NAME', 'STATE', 'SINCE', 'URL', 'CLIENTS', 'RX', 'TX', 'RTT']
    rows = {line.split()[0]: line.split() for line in lines[1:]}
    assert rows['up'][1] == 'open' and rows['up'][3:7] == [server.url(), '1', '1', '1']
    assert rows['down'][1] == 'closed' and rows['down'][4:7] == ['0', '0', '0']
    assert '\x1b' not in done.stdout


def test_status_says_why_a_bridge_is_not_open(wsbridge, wsbridged):
    daemon = wsbridged({'b': {'url': f'ws://127.0.0.1:{free_port()}/', 'reconnect': {'initial': 60, 'max': 60}}})
    daemon.wait_state('b', 'waiting')
    done = wsbridge(daemon, 'status')
    assert 'Connection refused' in done.stdout and 'next attempt in' in done.stdout
    done = wsbridge(daemon, 'status', 'b')
    assert 'Connection refused' in done.stdout and 'next attempt in' in done.stdout


def test_status_of_one_bridge_in_detail(wsbridge, up, server):
    with up.client('up') as client:
        client.send('12345\n')
        client.line()
        done = wsbridge(up, 'status', 'up')
    assert (done.returncode, done.stderr) == (0, '')
    assert done.stdout.startswith('up: open for ')
    for text in (server.url(), f'127.0.0.1:{server.port}', up.path('up.sock'), '1 messages, 5 B', str(os.getpid())):
        assert text in done.stdout


def test_status_of_several(wsbridge, up):
    done = wsbridge(up, 'status', 'up', 'down')
    assert [line.split()[0] for line in done.stdout.splitlines()] == ['NAME', 'up', 'down']
    done = wsbridge(up, 'status', 'up', 'nope')
    assert done.returncode == NAME
    assert 'up' in done.stdout and done.stderr == 'wsbridge: status: no bridge "nope"\n'


def test_status_as_json(wsbridge, up):
    done = wsbridge(up, '--json', 'status')
    assert done.returncode == 0 and done.stdout.count('\n') == 1
    result = json.loads(done.stdout)
    assert [b['name'] for b in result['bridges']] == ['down', 'up'] and result['daemon']['pid'] == up.pid
    done = wsbridge(up, 'status', 'up', 'down', '--json')
    assert [json.loads(line)['bridges'][0]['name'] for line in done.stdout.splitlines()] == ['up', 'down']


def test_status_without_bridges(wsbridge, wsbridged):
    done = wsbridge(wsbridged(), 'status')
    assert (done.returncode, done.stdout) == (0, 'no bridges\n')


def on_terminal(*argv, columns=80):
    """What a command prints when its standard output is a terminal."""
    main, other = pty.openpty()
    subprocess.run(['stty', 'cols', str(columns)], stdin=other, check=True)
    process = subprocess.Popen(argv, stdout=other, stderr=subprocess.PIPE, env={**os.environ, 'TERM': 'xterm', 'COLUMNS': ''})
    os.close(other)
    out = b''
    try:
        while data := os.read(main, 65536):
            out += data
    except OSError:
        pass
    process.communicate(timeout=slack(10))
    os.close(main)
    return out.decode().replace('\r\n', '\n')


def test_status_on_a_terminal(wsbridged, server, dumb_server):
    """Colours, no line above the width, and nothing that a peer could do to the screen."""
    def script(conn):
        conn.upgrade(behind=frames.close(4000, b'\x1b[2J\x07evil'))
        conn.drain_to_close()

    daemon = wsbridged({'up': {'url': server.url('/' + 'long' * 40)},
                        'b': {'url': dumb_server(script).url(), 'reconnect': {'initial': 60, 'max': 60}}})
    daemon.wait_open('up')
    daemon.wait_state('b', 'waiting')
    for words in (['status'], ['status', 'b']):
        out = on_terminal(*WRAPPER, programs.wsbridge, '-s', daemon.control_path, *words)
        plain = re.sub(r'\x1b\[[0-9;]*m', '', out)
        assert plain != out and 'evil' in plain
        assert not re.search(r'[\x00-\x09\x0b-\x1f]', plain)
        if words == ['status']:
            assert max(map(len, plain.splitlines())) <= 80


# open, close, reconnect -----------------------------------------------------


def test_open_and_close(wsbridge, up, server):
    done = wsbridge(up, 'open', 'new', server.url('/cli'), '-o', f'endpoint={up.path("new.sock")}', '-o',
                    'headers.X-Cli=yes', '-o', 'subprotocols=a,b', '-o', 'ping.interval=5s', '-o', 'endpoint.mode=0666',
                    '--wait')
    assert (done.returncode, done.stdout, done.stderr) == (0, 'new: open\n', '')
    headers = server.wait_event('open', path='/cli')['headers']
    assert ['X-Cli', 'yes'] in headers and ['Sec-WebSocket-Protocol', 'a, b'] in headers
    assert os.stat(up.path('new.sock')).st_mode & 0o777 == 0o666
    done = wsbridge(up, 'close', 'new', '--code', '4123', '--reason', 'end of day', '--wait')
    assert (done.returncode, done.stdout, done.stderr) == (0, 'new: closed\n', '')
    wait_until(lambda: server.select('close', code=4123, reason='end of day'))
    fails(wsbridge(up, 'close', 'new'), NAME, 'close: no bridge "new"')


def test_open_from_a_file(wsbridge, up, server):
    path = up.path('new.json')
    with open(path, 'w', encoding='utf-8') as f:
        json.dump({'url': server.url('/file'), 'user_agent': 'from-file/1', 'headers': {'X-A': '1'},
                   'endpoint': up.path('new.sock')}, f)
    done = wsbridge(up, '--json', 'open', 'new', '-f', path, '-o', 'headers.X-B=2', '--wait=5s')
    result = json.loads(done.stdout)
    assert (result['name'], result['state'], result['source']) == ('new', 'open', 'control')
    headers = server.wait_event('open', path='/file')['headers']
    for pair in (['User-Agent', 'from-file/1'], ['X-A', '1'], ['X-B', '2']):
        assert pair in headers
    with open(path, encoding='utf-8') as f:
        done = wsbridge(up, 'open', 'other', '-f', '-', '-o', f'endpoint={up.path("other.sock")}', stdin=f)
    assert done.returncode == 0


@pytest.mark.parametrize('words, status, sentence', [
    (['open', 'up'], NAME, 'open: bridge "up" is open already'),
    (['open', 'up', 'ws://h/'], NAME, 'open: there is a bridge "up" already (open)'),
    (['open', 'nope'], NAME, 'open: no bridge "nope" (give a "url" to make one)'),
    (['open', 'x', 'http://h/'], USAGE, 'open: url: the URL begins with http://; write ws://'),
    (['open', 'x', 'ws://h/', '-o', 'ping.interval=1x'], USAGE,
     'open: ping.interval: "1x" is not a duration: the unit must be one of us, ms, s, min, h, d, w, month, y'),
    (['open', 'x', 'ws://h/', '-o', 'endpoint=/nonexistent-folder/x'], ENDPOINT,
     'open: bridge "x": open /nonexistent-folder/x.lock: No such file or directory'),
    (['close', 'nope'], NAME, 'close: no bridge "nope"'),
    (['close', 'dwon'], NAME, 'close: no bridge "dwon"; did you mean "down"?'),
    (['close', 'up', '--code', '1005'], USAGE, None),
    (['send', 'nope', 'x'], NAME, 'send: no bridge "nope"'),
    (['send', 'down', 'x'], NOT_OPEN, 'send: bridge "down" is closed'),
    (['send', 'up', '\udcff'], PAYLOAD, 'send: the text is not valid UTF-8 (--binary sends bytes as they are)'),
    (['reconnect', 'down'], NOT_OPEN, 'reconnect: bridge "down" is closed: use "open"'),
    (['rpc', 'nope'], USAGE, 'rpc: no method "nope"; did you mean "open"?'),
    (['rpc', 'status', '{"nam":1}'], USAGE, 'rpc: unknown parameter "nam"; did you mean "name"?'),
])
def test_what_the_daemon_refuses(wsbridge, up, words, status, sentence):
    done = wsbridge(up, *words)
    if sentence is None:
        assert done.returncode == status and done.stderr.startswith('wsbridge: close: code: must be ')
        return
    fails(done, status, sentence)


def test_open_that_fails(wsbridge, wsbridged, dumb_server):
    def refuse(conn):
        conn.upgrade(status='HTTP/1.1 403 Forbidden')

    daemon = wsbridged()
    port = free_port()
    once = ['-o', 'reconnect.attempts=1', '--wait']
    done = wsbridge(daemon, 'open', 'a', f'ws://127.0.0.1:{port}/', *once)
    assert done.returncode == CONNECTION and 'Connection refused' in done.stderr
    done = wsbridge(daemon, 'open', 'b', dumb_server(refuse).url(), *once)
    fails(done, CONNECTION, 'open: bridge "b": the server answered with status 403')
    done = wsbridge(daemon, 'open', 'c', 'ws://name.invalid/', *once)
    assert done.returncode == CONNECTION and 'name.invalid' in done.stderr
    done = wsbridge(daemon, 'open', 'd', f'ws://127.0.0.1:{port}/', '--wait=200ms')
    assert done.returncode == TIMEOUT and 'is not open after 200ms' in done.stderr


def test_open_without_wait_says_what_is_known(wsbridge, wsbridged):
    done = wsbridge(wsbridged(), 'open', 'a', f'ws://127.0.0.1:{free_port()}/')
    assert (done.returncode, done.stdout) == (0, 'a: connecting\n')


def test_reconnect(wsbridge, up):
    done = wsbridge(up, 'reconnect', 'up')
    assert done.returncode == 0 and done.stdout.startswith('up: ')
    up.wait_status('up', lambda b: b['epoch'] == 2)


# send -----------------------------------------------------------------------


@pytest.fixture
def log(wsbridged, start_server):
    """A daemon with the open bridge "b", and what its server has heard."""
    server = start_server()
    daemon = wsbridged({'b': {'url': server.url('/silent?log=1')}})
    daemon.wait_open()
    return daemon, server


def heard(server, count):
    server.wait_event('message', count)
    return [e['text'] if e['binary'] is None else e['binary'] for e in server.select('message')]


def test_send(wsbridge, log):
    daemon, server = log
    done = wsbridge(daemon, 'send', 'b', 'hello', 'world', '', '--', '--dashes')
    assert (done.returncode, done.stdout, done.stderr) == (0, 'b: sent 1 message, 21 B\n', '')
    done = wsbridge(daemon, '--json', 'send', 'b', 'ü')
    assert json.loads(done.stdout) == {'bytes': 2, 'queued': False}
    assert wsbridge(daemon, 'send', 'b', '').returncode == 0
    assert heard(server, 3) == ['hello world  --dashes', 'ü', '']


def test_send_lines_of_standard_input(wsbridge, log):
    daemon, server = log
    text = ''.join(f'{i}\n' for i in range(1000))
    done = wsbridge(daemon, 'send', 'b', '-', input=text)
    assert (done.returncode, done.stdout) == (0, 'b: sent 1000 messages, 2.8 KiB\n')
    done = wsbridge(daemon, 'send', 'b', input='one\n\nlast without newline')
    assert (done.returncode, done.stdout) == (0, 'b: sent 3 messages, 23 B\n')
    assert heard(server, 1003) == [str(i) for i in range(1000)] + ['one', '', 'last without newline']


def test_send_stops_at_the_line_that_is_wrong(wsbridge, log):
    daemon, server = log
    done = wsbridge(daemon, 'send', 'b', '-', input='one\ntwo\n\udcff\nfour\n')
    assert done.returncode == PAYLOAD
    assert done.stderr == 'wsbridge: send: line 3: the text is not valid UTF-8 (--binary sends bytes as they are)\n'
    assert done.stdout == 'b: sent 2 messages, 6 B\n'
    assert heard(server, 2) == ['one', 'two']


def test_send_no_nul(wsbridge, log):
    """JSON can name it, but the daemon's reader of JSON takes none in a string."""
    daemon, server = log
    done = wsbridge(daemon, 'send', 'b', '-', input='one\nt\0wo\n')
    assert done.returncode == PAYLOAD
    assert done.stderr == ('wsbridge: send: line 2: the text has a NUL character, which the daemon does not take '
                           '(--binary sends bytes as they are)\n')
    assert wsbridge(daemon, 'send', '-b', 'b', '-', input='t\0wo\n').returncode == 0
    assert heard(server, 2) == ['one', 'dAB3bw==']


def test_send_a_file(wsbridge, log):
    daemon, server = log
    path = daemon.path('file')
    with open(path, 'wb') as f:
        f.write(b'two\nlines\n')
    assert wsbridge(daemon, 'send', 'b', '--file', path).returncode == 0
    with open(path, 'wb') as f:
        f.write(b'\x00\xff\n')
    assert wsbridge(daemon, 'send', 'b', '--binary', '-F', path).stdout == 'b: sent 1 message, 3 B\n'
    with open(path, 'rb') as f:
        assert wsbridge(daemon, 'send', 'b', '-b', '-F', '-', stdin=f).returncode == 0
    assert wsbridge(daemon, 'send', 'b', '--binary', 'text').returncode == 0
    assert heard(server, 4) == ['two\nlines\n', 'AP8K', 'AP8K', 'dGV4dA==']
    fails(wsbridge(daemon, 'send', 'b', '--file', path), PAYLOAD,
          'send: the text is not valid UTF-8 (--binary sends bytes as they are)')
    fails(wsbridge(daemon, 'send', 'b', '--file', daemon.path('none')), USAGE,
          f'send: {daemon.path("none")}: No such file or directory')


def test_send_queue(wsbridge, up):
    done = wsbridge(up, 'send', 'down', 'later', '--queue')
    assert (done.returncode, done.stdout) == (0, 'down: queued 1 message, 5 B\n')
    assert up.status('down')['outbox']['messages'] == 1


def test_send_too_much(wsbridge, log):
    daemon, _ = log
    path = daemon.path('file')
    with open(path, 'wb') as f:
        f.write(b'x' * (2 << 20))
    done = wsbridge(daemon, 'send', 'b', '--file', path)
    assert done.returncode == PAYLOAD
    assert 'limits.control_request' in done.stderr


# The rest -------------------------------------------------------------------


def test_reload(wsbridge, up, server):
    up.write({'bridges': {'up': {'url': server.url()}, 'new': {'url': server.url()}}})
    done = wsbridge(up, 'reload', '--dry-run')
    assert done.returncode == 0
    assert done.stdout == ('nothing was changed; a reload would give:\nadded: new\nremoved: down\n'
                           'unchanged: 1\n')
    done = wsbridge(up, 'reload')
    assert (done.returncode, done.stdout) == (0, 'added: new\nremoved: down\nunchanged: 1\n')
    done = wsbridge(up, '--json', 'reload')
    assert json.loads(done.stdout) == {'added': [], 'changed': [], 'removed': [], 'unchanged': 2}
    assert wsbridge(up, 'reload').stdout == 'no differences; unchanged: 2\n'


def test_reload_of_a_bad_file_shows_every_error(wsbridge, up):
    up.write_text('{"log": {"level": "loud"}, "bogus": 1}')
    fails(wsbridge(up, 'reload'), USAGE,
          f'reload: {up.conf_path}:1:19: log.level: expected "error", "warning", "notice", "info" or "debug"',
          f'reload: {up.conf_path}:1:28: bogus: unknown key')
    assert up.status('up')['state'] == 'open'


def test_version(wsbridge, up):
    done = wsbridge(up, 'version')
    assert done.stdout.startswith(f'wsbridged {up.call("version")["version"]}\n')
    assert json.loads(wsbridge(up, 'version', '--json').stdout) == up.call('version')


def test_rpc(wsbridge, up):
    done = wsbridge(up, 'rpc', 'status', '{"name": "up"}')
    assert json.loads(done.stdout)['bridges'][0]['name'] == 'up' and done.stdout.count('\n') > 10
    done = wsbridge(up, '--json', 'rpc', 'send', '{"name":"up","text":"x"}')
    assert done.stdout == '{"bytes":1,"queued":false}\n'


def test_shutdown(wsbridge, up):
    done = wsbridge(up, 'shutdown', '--timeout', '2s')
    assert (done.returncode, done.stdout, done.stderr) == (0, 'wsbridged has ended\n', '')
    assert up.wait_exit() == 0


def test_rights(wsbridge, wsbridged, server):
    daemon = wsbridged({'up': {'url': server.url()}}, control=[{'unix': '$DIR/control.sock'},
                                                               {'unix': '$DIR/read.sock', 'level': 'read'}])
    daemon.wait_open()
    done = wsbridge(None, '-s', daemon.path('read.sock'), 'send', 'up', 'x')
    fails(done, DENIED, 'send: "send" needs the right "send"; this control socket gives "read"')
    assert wsbridge(None, '-s', daemon.path('read.sock'), 'status').returncode == 0


def test_a_full_disk_is_no_success(up):
    with open('/dev/full', 'w', encoding='ascii') as full:
        done = subprocess.run([*WRAPPER, programs.wsbridge, '-s', up.control_path, 'status'], stdout=full,
                              stderr=subprocess.PIPE, timeout=slack(10), check=False)
    assert done.returncode == ERROR
    assert b'standard output: No space left on device' in done.stderr


def test_a_daemon_that_ends_in_the_middle(wsbridge, wsbridged, dumb_server):
    daemon = wsbridged({'b': {'url': dumb_server(lambda conn: conn.drain()).url(), 'start': 'manual'}})
    waiting = subprocess.Popen([*WRAPPER, programs.wsbridge, '-s', daemon.control_path, 'open', 'b', '--wait=60'],
                               stderr=subprocess.PIPE, text=True)
    daemon.wait_state('b', 'connecting')
    daemon.kill()
    daemon.expected_status = -9
    _, err = waiting.communicate(timeout=slack(10))
    assert waiting.returncode == UNREACHABLE
    assert err == f'wsbridge: {daemon.control_path}: wsbridged ended without an answer\n'


def test_a_second_client_of_the_tool_does_not_disturb_the_first(up):
    """`wsbridge` asks on a connection of its own; a local client goes on."""
    with LineSocket(up.path('up.sock')) as client:
        client.send('a\n')
        assert client.line() == b'a'
        subprocess.run([*WRAPPER, programs.wsbridge, '-s', up.control_path, 'status'], check=True,
                       stdout=subprocess.DEVNULL, timeout=slack(10))
        client.send('b\n')
        assert client.line() == b'b'


def test_messages_sent_by_hand_come_back_to_all(wsbridge, wsbridged, dumb_server):
    daemon = wsbridged({'b': {'url': dumb_server(echo).url()}})
    daemon.wait_open()
    with daemon.client('b') as client:
        daemon.wait_status('b', lambda b: b['clients'])
        assert wsbridge(daemon, 'send', 'b', 'from the command line').returncode == 0
        assert client.line() == b'from the command line'
