# SPDX-License-Identifier: Apache-2.0
"""The control socket: each method, both ways of asking, and everything that can be wrong with a line."""

import base64
import json
import os
import socket
import stat
import subprocess
import threading

import pytest

import frames
from bad_lines import BAD_LINES, KINDS
from dumb_server import echo, serve_quietly
from harness import Control, RpcError, free_port, slack, wait_until


@pytest.fixture
def up(wsbridged, server):
    """A daemon with "up", which is open, and "down", which is closed."""
    daemon = wsbridged({'up': {'url': server.url()}, 'down': {'url': server.url(), 'start': 'manual'}})
    daemon.wait_open('up')
    return daemon


def refused(daemon, method, **params):
    with pytest.raises(RpcError) as error:
        daemon.call(method, **params)
    return error.value


# Lines ----------------------------------------------------------------------


@pytest.fixture(scope='module')
def daemon_for_bad_lines(module_daemon, server):
    daemon = module_daemon({'up': {'url': server.url()}, 'down': {'url': server.url(), 'start': 'manual'}})
    daemon.wait_open('up')
    return daemon


@pytest.mark.parametrize('number', range(len(BAD_LINES)))
def test_bad_line(daemon_for_bad_lines, number):
    line, code, message = BAD_LINES[number]
    daemon = daemon_for_bad_lines
    with Control(daemon.control_path) as control:
        answer = control.ask(line)
        assert answer['jsonrpc'] == '2.0' and 'result' not in answer
        error = answer['error']
        assert (error['code'], error['message']) == (code, message)
        assert error['data']['kind'] == KINDS[code]
        # The daemon still serves, on this connection and on others.
        assert control.call('version')['version']
    assert [b['state'] for b in daemon.status()['bridges']] == ['closed', 'open']


def test_there_are_enough_bad_lines():
    assert len(BAD_LINES) >= 60
    assert len({str(line) for line, _, _ in BAD_LINES}) == len(BAD_LINES)


def test_id_of_the_answer_is_that_of_the_request(up):
    for value in (0, -1, 9007199254740993, '', 'x', 'ü', None, 'i' * 128):
        answer = up.control.ask(json.dumps({'id': value, 'method': 'version'}))
        assert answer['id'] == value and 'result' in answer
    answer = up.control.ask(json.dumps({'id': 'x', 'method': 'nope'}))
    assert answer['id'] == 'x' and answer['error']['code'] == -32601


def test_an_error_in_the_middle_spoils_nothing(up):
    up.control.send('{"id":1,"method":"version"}\n{broken\n{"id":2,"method":"version"}\n\n  \nversion\n')
    answers = [up.control.answer() for _ in range(4)]
    assert [a['id'] for a in answers] == [1, None, 2, None]
    assert [('error' in a) for a in answers] == [False, True, False, False]


def test_a_line_above_the_limit_is_skipped_to_its_end(wsbridged):
    daemon = wsbridged(limits={'control_request': '4K'})
    control = daemon.control
    fits = json.dumps({'id': 1, 'method': 'version', 'params': {}}).ljust(4096)
    assert control.ask(fits)['id'] == 1
    for size in (4097, 100000, 3 << 20):
        control.send(b' ' * (size - 12) + b'"version"   \n{"id":2,"method":"version"}\n')
        answer = control.answer()
        assert answer['id'] is None
        assert answer['error']['code'] == -32013
        assert answer['error']['message'] == 'the line is longer than 4096 bytes (limits.control_request)'
        assert control.answer()['id'] == 2


def test_a_line_that_comes_in_pieces(up):
    for byte in b'{"id":1,"method":"version"}\r\n':
        up.control.send(bytes([byte]))
    assert up.control.answer()['id'] == 1


def test_batches(up):
    answers = up.control.ask('[{"id":1,"method":"version"},{"method":"version"},{"id":2,"method":"nope"},17,'
                             '{"id":3,"method":"status","params":{"name":"down"}}]')
    assert [(a['id'], 'result' in a) for a in answers] == [(1, True), (2, False), (None, False), (3, True)]
    whole = '[' + ','.join(f'{{"id":{i},"method":"version"}}' for i in range(64)) + ']'
    assert [a['id'] for a in up.control.ask(whole)] == list(range(64))


def test_a_batch_of_notifications_gets_no_answer(up):
    up.control.send('[{"method":"version"},{"method":"nope"}]\n{"method":"version"}\n{"id":7,"method":"version"}\n')
    assert up.control.answer()['id'] == 7


def test_a_notification_is_carried_out(up):
    up.control.send('{"method":"open","params":{"name":"down"}}\n')
    up.wait_open('down')


def test_simple_calls_are_answered_in_order(up):
    """Also those of two kinds, and with many at once."""
    asked = []
    for i in range(500):
        method = ('version', 'status', 'nope', 'send')[i % 4]
        asked.append({'id': i, 'method': method, 'params': {'name': 'up', 'text': 'x'} if method == 'send' else {}})
    up.control.send(''.join(json.dumps(a) + '\n' for a in asked))
    assert [up.control.answer()['id'] for _ in asked] == list(range(500))


def test_calls_that_wait_hold_nobody_back(wsbridged, server):
    daemon = wsbridged({'down': {'url': f'ws://127.0.0.1:{free_port()}/', 'start': 'manual'}})
    daemon.control.send('{"id":1,"method":"open","params":{"name":"down","wait":0.5}}\n{"id":2,"method":"version"}\n')
    assert daemon.control.answer()['id'] == 2
    answer = daemon.control.answer()
    assert answer['id'] == 1 and answer['error']['code'] == -32005


def test_clients_do_not_see_the_answers_of_others(up):
    with Control(up.control_path) as a, Control(up.control_path) as b:
        for i in range(100):
            a.send(json.dumps({'id': f'a{i}', 'method': 'version'}) + '\n')
            b.send(json.dumps({'id': f'b{i}', 'method': 'version'}) + '\n')
        assert [a.answer()['id'] for _ in range(100)] == [f'a{i}' for i in range(100)]
        assert [b.answer()['id'] for _ in range(100)] == [f'b{i}' for i in range(100)]


def test_after_the_end_of_input_answers_still_come(up):
    with Control(up.control_path) as control:
        control.send('version\nstatus up\n{"id":1,"method":"send","params":{"name":"up","text":"x"}}\n'
                     '{"id":2,"method":"open","params":{"name":"down","wait":true}}\n'
                     '{"id":3,"method":"version"}')  # the last line lacks its newline
        control.half_close()
        answers = [json.loads(line) for line in control.rest_of_lines()]
    assert sorted(str(a['id']) for a in answers) == ['1', '2', '3', 'None', 'None']
    assert all('result' in a for a in answers)


@pytest.mark.parametrize('lines', ['version\n', 'status\nversion\n', '{"id":1,"method":"open","params":{"name":"down",'
                                                                     '"wait":true}}\n'])
def test_printf_into_socat(up, lines):
    done = subprocess.run(['socat', '-t', '5', '-', f'UNIX-CONNECT:{up.control_path}'], input=lines.encode(),
                          capture_output=True, timeout=slack(10), check=True)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == lines.count('\n')
    assert all('result' in a for a in answers)


def test_a_client_that_asks_and_goes(up):
    for _ in range(20):
        with Control(up.control_path) as control:
            control.send('status\n' * 100)
    with Control(up.control_path) as control:
        control.send('{"id":1,"method":"open","params":{"name":"down","wait":5}}\n')
    wait_until(lambda: up.status()['daemon']['control_clients']['now'] == 1)
    up.wait_open('down')


def test_a_client_that_does_not_read_harms_nobody(up):
    with Control(up.control_path) as lazy:
        lazy.socket.setblocking(False)
        request, sent = b'status\n' * 1000, 0
        try:
            while sent < 50 << 20:
                sent += lazy.socket.send(request)
        except BlockingIOError:
            pass
        assert sent < 8 << 20, 'nothing held it back'
        assert up.call('version')
        assert up.rss() < slack(1) * (64 << 20)


def test_control_clients_are_limited(wsbridged):
    daemon = wsbridged(limits={'control_clients': 3})
    assert daemon.call('version')
    others = [Control(daemon.control_path) for _ in range(2)]
    wait_until(lambda: daemon.status()['daemon']['control_clients'] == {'now': 3, 'max': 3})
    with Control(daemon.control_path) as more:
        answer = more.answer()
        assert answer['error']['code'] == -32013 and 'limits.control_clients' in answer['error']['message']
        assert more.line() is None
    others[0].close()
    wait_until(lambda: daemon.status()['daemon']['control_clients']['now'] == 2)
    with Control(daemon.control_path) as again:
        assert again.call('version')
    others[1].close()


# Shorthand ------------------------------------------------------------------


def test_shorthand(up):
    answer = up.control.ask('version')
    assert (answer['jsonrpc'], answer['id']) == ('2.0', None)
    assert answer['result'] == up.call('version')
    assert [b['name'] for b in up.control.ask('status')['result']['bridges']] == ['down', 'up']
    assert [b['name'] for b in up.control.ask('  status \t up  ')['result']['bridges']] == ['up']
    assert [b['name'] for b in up.control.ask('status name=up')['result']['bridges']] == ['up']


@pytest.mark.parametrize('line, expected', [
    ('send up text=plain', 'plain'),
    ('send up text="with blanks and \\u00fc"', 'with blanks and ü'),
    ('send up text={"brackets":1}', '{"brackets":1}'),
    ('send up text=a=b=c', 'a=b=c'),
    ('send up text=', ''),
    ('send up json={"b": 1.10, "a": [1, 2], "b2": "x y"}', '{"b":1.10,"a":[1,2],"b2":"x y"}'),
    ('send up json=12345678901234567', '12345678901234567'),
    ('send up json="a b"', '"a b"'),
    ('send name=up text=named', 'named'),
])
def test_shorthand_values(up, line, expected):
    with up.client('up') as client:
        up.wait_status('up', lambda b: b['clients'])
        assert up.control.ask(line)['result']['queued'] is False
        assert client.line().decode() == expected


def test_shorthand_opens_and_closes(up, server):
    line = (f'open fresh url={server.url("/shorthand")} endpoint.unix={up.path("fresh.sock")} endpoint.mode=0640 '
            'ping.interval=5s headers.X-Test=yes subprotocols=a,b reconnect.max=2s wait=5s')
    result = up.control.ask(line)['result']
    assert (result['name'], result['state'], result['source']) == ('fresh', 'open', 'control')
    assert stat.S_IMODE(os.stat(up.path('fresh.sock')).st_mode) == 0o640
    headers = server.wait_event('open', path='/shorthand')['headers']
    assert ['X-Test', 'yes'] in headers and ['Sec-WebSocket-Protocol', 'a, b'] in headers
    assert up.control.ask('close fresh code=4000 reason="end of day" wait=true')['result']['state'] == 'closed'
    wait_until(lambda: server.select('close', code=4000, reason='end of day'))
    assert not os.path.exists(up.path('fresh.sock'))


# Methods --------------------------------------------------------------------


def test_version(up):
    result = up.call('version')
    assert result.keys() == {'version', 'limits', 'features'}
    assert result['limits'] == {'clients': 256, 'queues': 64 << 20, 'control_request': 1 << 20, 'control_clients': 32,
                                'bridges': 1000}


def test_status(up, server):
    result = up.call('status')
    assert result.keys() == {'daemon', 'bridges'}
    daemon = result['daemon']
    assert daemon['pid'] == up.pid and daemon['config'] == up.conf_path and daemon['bridges'] == 2
    assert abs(daemon['started'] + daemon['uptime'] - os.stat(up.control_path).st_mtime) < 60
    down, bridge = result['bridges']
    wanted = {'name', 'state', 'since', 'url', 'subprotocol', 'compression', 'peer', 'tls', 'handshake', 'attempts',
              'reconnects', 'epoch', 'retry_in', 'last_error', 'last_close', 'rtt', 'last_rx', 'rx', 'tx', 'dropped',
              'outbox', 'clients', 'source'}
    assert wanted <= bridge.keys() and wanted <= down.keys()
    assert (bridge['state'], down['state']) == ('open', 'closed')
    assert bridge['url'] == server.url() and bridge['peer'] == f'127.0.0.1:{server.port}'
    assert bridge['handshake']['status'] == 101 and down['handshake'] is None
    assert bridge['handshake']['headers']['upgrade'].lower() == 'websocket'
    assert (bridge['epoch'], bridge['reconnects'], bridge['attempts'], bridge['source']) == (1, 0, 0, 'file')
    assert (bridge['compression'], bridge['tls'], bridge['last_error']) == (None, None, None)
    assert bridge['rx'] == bridge['tx'] == {'messages': 0, 'bytes': 0}


def test_status_counts_messages(up):
    with up.client('up') as client:
        client.send('12345\n\n')
        client.lines(2)
        one, = up.status('up')['clients']
    assert one['endpoint'] == up.path('up.sock')
    assert (one['pid'], one['uid']) == (os.getpid(), os.getuid())
    assert (one['sent'], one['received'], one['queued'], one['dropped']) == (2, 2, 0, 0)
    assert up.status('up')['rx'] == {'messages': 2, 'bytes': 5}


def test_open_makes_a_bridge_and_close_removes_it(up, server):
    result = up.call('open', name='made', url=server.url(), endpoint=up.path('made.sock'), wait=True)
    assert (result['state'], result['source']) == ('open', 'control')
    with up.client('made') as client:
        client.send('x\n')
        assert client.line() == b'x'
        assert [b['name'] for b in up.status()['bridges']] == ['down', 'made', 'up']
        result = up.call('close', name='made', wait=True)
        assert result['state'] == 'closed'
        assert client.line() is None
    assert [b['name'] for b in up.status()['bridges']] == ['down', 'up']
    assert not os.path.exists(up.path('made.sock'))
    # The name and the path are free again.
    assert up.call('open', name='made', url=server.url(), endpoint=up.path('made.sock'), wait=5)['state'] == 'open'


def test_close_of_a_bridge_from_the_file(up, server):
    with up.client('up') as client:
        up.wait_status('up', lambda b: b['clients'])
        result = up.call('close', name='up', code=4321, reason='grüße', wait=True)
        assert result['state'] == 'closed'
        wait_until(lambda: server.select('close', code=4321, reason='grüße'))
        bridge = up.status('up')
        assert (bridge['state'], bridge['retry_in'], len(bridge['clients'])) == ('closed', None, 1)
        assert bridge['last_close'] == {'code': 4321, 'reason': 'grüße', 'clean': True}
        assert refused(up, 'send', name='up', text='x').kind == 'not_open'
        client.send('kept\n')
        up.wait_status('up', lambda b: b['outbox']['messages'] == 1)
        # Without other keys `open` starts it again, with its clients.
        assert up.call('open', name='up', wait=True)['epoch'] == 2
        assert client.line() == b'kept'


@pytest.mark.parametrize('code', [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 4999])
def test_close_codes_that_are_taken(wsbridged, dumb_server, code):
    """A code is sent or refused; in neither case does it harm the daemon (RFC 6455, 7.4.1)."""
    server = dumb_server(serve_quietly)
    daemon = wsbridged({'b': {'url': server.url()}})
    daemon.wait_open()
    try:
        daemon.call('close', name='b', code=code, wait=True)
    except RpcError as error:
        assert error.kind == 'invalid_option' and error.data['option'] == 'code'
        assert 1012 <= code <= 1014, 'every client may send this code'
        assert daemon.status('b')['state'] == 'open'
    else:
        assert server.connections[0].close.code == code


@pytest.mark.parametrize('code', [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65536, -1])
def test_close_codes_that_are_refused(up, code):
    error = refused(up, 'close', name='up', code=code)
    assert error.kind == 'invalid_option' and error.data['option'] == 'code'
    assert up.status('up')['state'] == 'open'


def test_close_while_it_waits_and_while_it_connects(wsbridged, dumb_server):
    silent = dumb_server(lambda conn: conn.drain())
    daemon = wsbridged({'waits': {'url': f'ws://127.0.0.1:{free_port()}/', 'reconnect': {'initial': 60, 'max': 60}},
                        'connects': {'url': silent.url()}})
    daemon.wait_state('waits', 'waiting')
    silent.wait_connection()
    for name in ('waits', 'connects'):
        assert daemon.call('close', name=name, wait=True)['state'] == 'closed'
        assert daemon.call('close', name=name, wait=True)['state'] == 'closed'  # twice is fine


def test_close_when_the_server_does_not_answer(wsbridged, dumb_server):
    def script(conn):
        conn.upgrade()
        conn.drain()

    daemon = wsbridged({'b': {'url': dumb_server(script).url(), 'timeouts': {'close': 0.4}}})
    daemon.wait_open()
    assert daemon.call('close', name='b')['state'] == 'closing'
    bridge = daemon.wait_state('b', 'closed')
    assert bridge['last_close']['clean'] is False


def test_open_waits_and_fails(wsbridged, dumb_server):
    def refuse(conn):
        conn.upgrade(status='HTTP/1.1 401 Unauthorized', extra=['X-Why: because', 'WWW-Authenticate: Basic'])

    daemon = wsbridged()
    error = refused(daemon, 'open', name='b', url=dumb_server(refuse).url(), wait=True, reconnect={'attempts': 1})
    assert (error.code, error.kind, error.data['status'], error.data['stage']) == (-32010, 'bad_status', 401,
                                                                                   'handshake')
    assert error.data['headers']['x-why'] == 'because'
    assert error.data['bridge'] == 'b' and error.data['retryable'] is False
    error = refused(daemon, 'open', name='c', url=f'ws://127.0.0.1:{free_port()}/', wait=True,
                    reconnect={'attempts': 1})
    assert (error.code, error.kind, error.data['stage'], error.data['retryable']) == (-32007, 'connect', 'connect', True)
    error = refused(daemon, 'open', name='d', url='ws://name.invalid/', wait=True, reconnect={'attempts': 1})
    assert (error.code, error.kind, error.data['stage']) == (-32006, 'address', 'resolve')
    error = refused(daemon, 'open', name='e', url=f'ws://127.0.0.1:{free_port()}/', wait=0.2)
    assert (error.code, error.kind) == (-32005, 'timeout')
    # It goes on trying: waiting was only the call's affair.
    assert daemon.status('e')['state'] in ('waiting', 'connecting')


def test_open_with_an_endpoint_that_cannot_be_made_leaves_nothing(up, server):
    error = refused(up, 'open', name='x', url=server.url(), endpoint='/nonexistent-folder/x.sock')
    assert (error.code, error.kind) == (-32015, 'endpoint')
    error = refused(up, 'open', name='x', url=server.url(), endpoint=up.path('up.sock'))
    assert (error.code, error.kind) == (-32015, 'endpoint')
    assert [b['name'] for b in up.status()['bridges']] == ['down', 'up']


def test_dry_run_changes_nothing(up, server):
    before = up.status()['bridges']
    assert up.call('open', name='x', url=server.url(), dry_run=True) == {'name': 'x', 'dry_run': True}
    assert up.call('open', name='down', dry_run=True)['dry_run']
    assert up.call('close', name='up', dry_run=True)['dry_run']
    assert up.call('reconnect', name='up', dry_run=True)['dry_run']
    assert up.call('shutdown', dry_run=True)['dry_run']
    assert up.call('reload', dry_run=True)['unchanged'] == 2
    assert refused(up, 'open', name='x', url='http://x/', dry_run=True).kind == 'invalid_option'
    after = up.status()['bridges']
    for bridge in before + after:
        bridge.pop('last_rx')
    assert after == before


def test_open_uses_the_defaults_of_the_file(wsbridged, server):
    daemon = wsbridged(defaults={'user_agent': 'default/1', 'headers': {'X-D': '1'}})
    daemon.call('open', name='b', url=server.url('/defaults-of-file'), headers={'x-d': '2', 'X-E': '3'}, wait=True)
    headers = server.wait_event('open', path='/defaults-of-file')['headers']
    assert ['User-Agent', 'default/1'] in headers
    assert [h for h in headers if h[0].lower() in ('x-d', 'x-e')] == [['x-d', '2'], ['X-E', '3']]


def test_the_limit_of_bridges(wsbridged, server):
    daemon = wsbridged({'a': {'url': server.url()}}, limits={'bridges': 2})
    daemon.call('open', name='b', url=server.url())
    error = refused(daemon, 'open', name='c', url=server.url())
    assert (error.code, error.kind) == (-32013, 'overflow')
    assert 'limits.bridges' in error.message


@pytest.mark.parametrize('message, expected, size', [
    ({'text': 'grüße\nzwei'}, ('grüße\nzwei', None), 12),
    ({'text': ''}, ('', None), 0),
    ({'json': {'b': [1, 2.50, 'x'], 'a': None}}, ('{"b":[1,2.5,"x"],"a":null}', None), 26),
    ({'json': 'string'}, ('"string"', None), 8),
    ({'json': None}, ('null', None), 4),
    ({'json': False}, ('false', None), 5),
    ({'binary': 'AAH/'}, (None, 'AAH/'), 3),
    ({'binary': ''}, (None, ''), 0),
])
def test_send(wsbridged, start_server, message, expected, size):
    server = start_server()
    daemon = wsbridged({'b': {'url': server.url('/?log=1')}})
    daemon.wait_open()
    assert daemon.call('send', name='b', **message) == {'bytes': size, 'queued': False}
    event = server.wait_event('message')
    assert (event['text'], event['binary']) == expected


def test_send_keeps_json_as_it_was_typed(wsbridged, start_server):
    """Numbers, order of keys and escapes are the sender's; only white space goes."""
    server = start_server()
    daemon = wsbridged({'b': {'url': server.url('/?log=1')}})
    daemon.wait_open()
    typed = '{ "z": 1.10,\t"a": 9223372036854775807, "e": 1E+2, "u": "\\u00fc \\/" , "d": -0.0 }'
    daemon.control.send('{"id":1,"method":"send","params":{"name":"b","json":' + typed + '}}\n')
    assert 'result' in daemon.control.answer()
    assert server.wait_event('message')['text'] == (
        '{"z":1.10,"a":9223372036854775807,"e":1E+2,"u":"\\u00fc \\/","d":-0.0}')


def test_send_queue(wsbridged, start_server):
    server = start_server()
    daemon = wsbridged({'b': {'url': server.url('/?log=1'), 'start': 'manual', 'outbox': {'size': '1K'}}})
    assert refused(daemon, 'send', name='b', text='x').kind == 'not_open'
    assert daemon.call('send', name='b', text='later', queue=True) == {'bytes': 5, 'queued': True}
    error = refused(daemon, 'send', name='b', text='x' * 1024, queue=True)
    assert (error.code, error.kind) == (-32013, 'overflow')
    daemon.call('open', name='b', wait=True)
    assert server.wait_event('message')['text'] == 'later'
    assert daemon.call('send', name='b', text='now', queue=True) == {'bytes': 3, 'queued': False}


def test_send_is_answered_when_the_frame_is_with_the_kernel(wsbridged, dumb_server):
    """A server that does not read: the answer comes when it reads again, not before."""
    reading = threading.Event()

    def script(conn):
        conn.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        conn.upgrade()
        reading.wait(slack(20))
        conn.drain()

    daemon = wsbridged({'b': {'url': dumb_server(script).url(), 'max_message': '64M'}},
                       limits={'control_request': '64M'})
    daemon.wait_open()
    data = base64.b64encode(b'x' * (12 << 20)).decode()
    try:
        with Control(daemon.control_path) as control:
            writer = threading.Thread(target=control.send, args=(json.dumps(
                {'id': 1, 'method': 'send', 'params': {'name': 'b', 'binary': data}}) + '\n',))
            writer.start()
            assert control.silent(slack(0.3))
            assert daemon.call('version')
            reading.set()
            assert control.answer()['result'] == {'bytes': 12 << 20, 'queued': False}
            writer.join()
    finally:
        reading.set()


def test_a_send_that_is_cut_off_is_an_error(wsbridged, dumb_server):
    stop = threading.Event()

    def script(conn):
        conn.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        conn.upgrade()
        stop.wait(slack(20))
        conn.reset()

    daemon = wsbridged({'b': {'url': dumb_server(script).url(), 'max_message': '64M', 'reconnect': {'initial': 60,
                                                                                                    'max': 60}}},
                       limits={'control_request': '64M'})
    daemon.wait_open()
    data = base64.b64encode(b'x' * (12 << 20)).decode()
    try:
        with Control(daemon.control_path) as control:
            threading.Thread(target=control.send, args=(json.dumps(
                {'id': 1, 'method': 'send', 'params': {'name': 'b', 'binary': data}}) + '\n',)).start()
            assert control.silent(slack(0.3))
            stop.set()
            assert control.answer()['error']['code'] == -32004
    finally:
        stop.set()


def test_reconnect(wsbridged, dumb_server):
    server = dumb_server(echo)
    daemon = wsbridged({'b': {'url': server.url(), 'reconnect': {'initial': 60, 'max': 60}}})
    daemon.wait_open()
    with daemon.client('b') as client:
        daemon.wait_status('b', lambda b: b['clients'])
        daemon.call('reconnect', name='b')
        bridge = daemon.wait_status('b', lambda b: b['epoch'] == 2 and b['state'] == 'open')
        assert (bridge['reconnects'], len(bridge['clients'])) == (1, 1)
        assert server.connections[0].close.code == 1000
        client.send('x\n')
        assert client.line() == b'x'
        # Out of a long wait, too.
        server.connections[1].socket.shutdown(socket.SHUT_RDWR)
        daemon.wait_state('b', 'waiting')
        daemon.call('reconnect', name='b')
        daemon.wait_status('b', lambda b: b['epoch'] == 3)


def test_shutdown(up, server):
    assert up.call('shutdown') == {}
    assert up.wait_exit() == 0
    assert not os.path.exists(up.control_path) and not os.path.exists(up.path('up.sock'))


def test_shutdown_in_shorthand_with_the_end_of_input(up):
    done = subprocess.run(['socat', '-t', '10', '-', f'UNIX-CONNECT:{up.control_path}'], input=b'shutdown timeout=2s\n',
                          capture_output=True, timeout=slack(20), check=True)
    assert json.loads(done.stdout) == {'jsonrpc': '2.0', 'id': None, 'result': {}}
    assert up.wait_exit() == 0


# Rights ---------------------------------------------------------------------

LEVELS = {
    'read': {'status', 'version'},
    'send': {'status', 'version', 'send'},
    'admin': {'status', 'version', 'send', 'open', 'close', 'reconnect', 'reload', 'shutdown'},
}


@pytest.mark.parametrize('level', LEVELS)
def test_rights(wsbridged, server, level):
    daemon = wsbridged({'up': {'url': server.url()}},
                       control=[{'unix': '$DIR/control.sock'}, {'unix': '$DIR/level.sock', 'level': level,
                                                                'mode': '0666'}])
    daemon.wait_open('up')
    assert stat.S_IMODE(os.stat(daemon.path('level.sock')).st_mode) == 0o666
    assert stat.S_IMODE(os.stat(daemon.control_path).st_mode) == 0o600
    calls = {'status': {}, 'version': {}, 'send': {'name': 'up', 'text': 'x'}, 'open': {'name': 'x', 'dry_run': True,
             'url': 'ws://x/'}, 'close': {'name': 'up', 'dry_run': True}, 'reconnect': {'name': 'up', 'dry_run': True},
             'reload': {'dry_run': True}, 'shutdown': {'dry_run': True}}
    with Control(daemon.path('level.sock')) as control:
        for method, params in calls.items():
            if method in LEVELS[level]:
                assert control.call(method, **params)
                continue
            with pytest.raises(RpcError) as error:
                control.call(method, **params)
            right = next(name for name, methods in LEVELS.items() if method in methods)
            assert (error.value.code, error.value.kind) == (-32014, 'denied')
            assert error.value.message == (f'"{method}" needs the right "{right}"; this control socket gives '
                                           f'"{level}"')
        # What is not allowed is not looked at, either.
        if level == 'read':
            answer = control.ask('{"id":1,"method":"close","params":{"name":"nope","bogus":1}}')
            assert answer['error']['code'] == -32014


def test_messages_of_frames_are_not_on_the_control_socket(up):
    """Nothing comes unasked."""
    with up.client('up') as client:
        client.send('x\n')
        client.line()
    assert up.control.silent(0.1)


def test_control_frames_are_counted_apart(wsbridged, dumb_server):
    def script(conn):
        conn.upgrade(behind=frames.frame(frames.PING, b'1') + frames.text('m'))
        conn.drain()

    daemon = wsbridged({'b': {'url': dumb_server(script).url()}})
    bridge = daemon.wait_status('b', lambda b: b['rx']['messages'] == 1)
    assert bridge['rx'] == {'messages': 1, 'bytes': 1}
    assert bridge['tx'] == {'messages': 0, 'bytes': 0}
