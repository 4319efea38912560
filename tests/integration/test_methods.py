# SPDX-License-Identifier: Apache-2.0
"""The methods of the control socket, one by one, and who may call them."""

import base64
import json
import os
import socket
import stat
import subprocess
import threading
import time

import pytest

import frames
from dumb_server import echo, serve_quietly
from harness import Control, RpcError, free_port, slack, wait_until


def refused(daemon, method, **params):
    with pytest.raises(RpcError) as error:
        daemon.call(method, **params)
    return error.value


def test_version(up):
    result = up.call('version')
    assert result.keys() == {'version', 'limits', 'features'}
    assert {'ws', 'wss', 'permessage-deflate', 'fifo', 'framing-json'} <= set(result['features'])
    assert result['limits'] == {'clients': 256, 'queues': 64 << 20, 'control_request': 1 << 20, 'control_clients': 32,
                                'control_stall': 30, 'bridges': 1000, 'dials_per_second': 20, 'tls_handshakes': 10}


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
    assert (error.code, error.kind, error.data['stage']) == (-32007, 'connect', 'connect')
    assert error.data['retryable'] is True
    error = refused(daemon, 'open', name='d', url='ws://name.invalid/', wait=True, reconnect={'attempts': 1})
    assert (error.code, error.kind, error.data['stage']) == (-32006, 'address', 'resolve')


def test_open_waits_for_the_first_attempt_or_for_a_time(wsbridged):
    """In either case the bridge goes on trying: waiting was only the call's affair."""
    daemon = wsbridged()
    url = f'ws://127.0.0.1:{free_port()}/'
    began = time.monotonic()
    error = refused(daemon, 'open', name='a', url=url, wait=True)
    assert (error.code, error.kind) == (-32007, 'connect')
    assert time.monotonic() - began < slack(1)
    error = refused(daemon, 'open', name='b', url=url, wait=0.2)
    assert (error.code, error.kind) == (-32005, 'timeout')
    assert error.data['last_error']['kind'] == 'connect'
    assert {daemon.status(name)['state'] for name in 'ab'} <= {'waiting', 'connecting'}


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
