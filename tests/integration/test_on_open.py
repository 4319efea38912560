# SPDX-License-Identifier: Apache-2.0
"""
The steps of on_open: dialogues that a server wants before anything else, on every connection. The
server here is a gateway, which challenges, checks the answer and then echoes.
"""

import json
import os
import threading
import time

import pytest

import frames
from dumb_server import echo
from harness import RpcError, slack, wait_until
from scripted import drop

QUICK = {'initial': 0.02, 'max': 0.05, 'slow': 0.05}
CHALLENGE = {'expect': {'pointer': '/op', 'equals': 'challenge'}, 'capture': {'nonce': '/nonce'}}
WELCOME = {'expect': {'pointer': '/op', 'equals': 'welcome'}, 'timeout': 10}
SUBSCRIBE = {'json': {'op': 'subscribe', 'channels': ['trades']}}


def login_with(path):
    return {'json': {'op': 'login', 'nonce': '${nonce}', 'token': '${token}'}, 'secrets': {'token': {'file': path}}}


def write_token(path, text):
    with open(path + '.new', 'w', encoding='utf-8') as f:
        f.write(text + '\n')
    os.rename(path + '.new', path)


class Gateway:
    """The script of one. `tokens`: what it takes; `gate`: it welcomes nobody while this is not set."""

    def __init__(self, *tokens):
        self.tokens = list(tokens)
        self.nonces = 9007199254740993  # one that a double cannot hold
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, conn):
        conn.upgrade()
        conn.nonce, self.nonces = self.nonces, self.nonces + 1
        conn.text('{"op":"news","n":1}')
        conn.text('{"op":"challenge","nonce":%d}' % conn.nonce)
        login = json.loads(conn.frame().payload)
        if login.get('nonce') != conn.nonce or login.get('token') not in self.tokens:
            conn.send(frames.close(4003, b'bad login'))
            conn.drain_to_close()
            return
        assert self.gate.wait(slack(20))
        conn.text('{"op":"welcome"}')
        while (f := conn.frame()).opcode != frames.CLOSE:
            if f.opcode == frames.TEXT:
                conn.text(f.payload)
        conn.send(frames.close(conn.close.code))

    @staticmethod
    def said(conn):
        return [f.payload.decode() for f in conn.of(frames.TEXT)]


@pytest.fixture
def token_path(folder):
    return os.path.join(folder, 'token')


def login_text(conn, token):
    return '{"op":"login","nonce":%d,"token":"%s"}' % (conn.nonce, token)


SUBSCRIBE_TEXT = '{"op":"subscribe","channels":["trades"]}'


def test_a_login_is_repeated_with_the_token_of_the_moment(wsbridged, dumb_server, token_path):
    gateway = Gateway('t-1', 't-2 ü"\\', 't-3')
    server = dumb_server(gateway)
    write_token(token_path, 't-1')
    daemon = wsbridged({'b': {'url': server.url(), 'reconnect': QUICK, 'start': 'manual',
                              'on_open': [CHALLENGE, login_with(token_path), WELCOME, SUBSCRIBE]}})
    said = []
    with daemon.client('b') as client:
        daemon.wait_status('b', lambda b: b['clients'])
        daemon.call('open', name='b')
        for i, next_token in enumerate(['t-2 ü"\\', 't-3', None]):
            bridge = daemon.wait_status('b', lambda b: b['epoch'] == i + 1 and b['state'] == 'open')
            client.send(f'local {i + 1}\n')
            # News comes through; challenge and welcome are the bridge's own affair.
            assert client.lines(3) == [b'{"op":"news","n":1}', SUBSCRIBE_TEXT.encode(), b'local %d' % (i + 1)]
            conn = server.connections[i]
            said.append(Gateway.said(conn))
            if next_token:
                write_token(token_path, next_token)
                drop(conn)
        assert client.silent(0.05)
    assert (bridge['reconnects'], len(server.connections)) == (2, 3)
    for i, token in enumerate(['t-1', 't-2 ü\\"\\\\', 't-3']):
        assert said[i] == [login_text(server.connections[i], token), SUBSCRIBE_TEXT, f'local {i + 1}']
    assert 't-3' not in daemon.log() + json.dumps(daemon.call('explain', name='b')) + json.dumps(daemon.status())


def test_a_token_that_is_not_taken_counts_as_a_failed_attempt(wsbridged, dumb_server, token_path):
    server = dumb_server(Gateway('good'))
    write_token(token_path, 'stale')
    daemon = wsbridged({'b': {'url': server.url(), 'reconnect': QUICK,
                              'on_open': [CHALLENGE, login_with(token_path), WELCOME]}})
    bridge = daemon.wait_status('b', lambda b: b['epoch'] >= 3)
    assert bridge['attempts'] >= 3 and bridge['reconnects'] == 0
    error = bridge['last_error']
    assert (error['stage'], error['kind'], error['close_code']) == ('open', 'not_open', 4003)
    assert 'bad login' in error['message'] and 'stale' not in error['message']
    write_token(token_path, 'good')
    bridge = daemon.wait_state('b', 'open')
    assert bridge['attempts'] == 0


def test_what_local_clients_send_waits_for_the_last_step(wsbridged, dumb_server, token_path):
    gateway = Gateway('t')
    gateway.gate.clear()
    server = dumb_server(gateway)
    write_token(token_path, 't')
    daemon = wsbridged({'b': {'url': server.url(), 'start': 'manual',
                              'on_open': [CHALLENGE, login_with(token_path), WELCOME, SUBSCRIBE]}})
    with daemon.client('b') as client:
        daemon.wait_status('b', lambda b: b['clients'])
        daemon.call('open', name='b')
        conn = server.wait_connection()
        wait_until(lambda: Gateway.said(conn))
        client.send('early 1\nearly 2\n')
        bridge = daemon.wait_status('b', lambda b: b['outbox']['messages'] == 2)
        assert (bridge['state'], bridge['epoch'], bridge['reconnects']) == ('connecting', 1, 0)
        with pytest.raises(RpcError) as refused:
            daemon.call('send', name='b', text='not now')
        assert refused.value.kind == 'not_open'
        assert daemon.call('send', name='b', text='early 3', queue=True)['queued'] is True
        assert client.line() == b'{"op":"news","n":1}'
        conn.text('{"op":"news","n":2}')  # while the steps go on
        assert client.line() == b'{"op":"news","n":2}'
        assert Gateway.said(conn) == [login_text(conn, 't')]
        gateway.gate.set()
        daemon.wait_open('b')
        client.send('late\n')
        assert client.lines(5) == [SUBSCRIBE_TEXT.encode(), b'early 1', b'early 2', b'early 3', b'late']


@pytest.mark.parametrize('deliver', [True, False])
def test_deliver(wsbridged, dumb_server, deliver):
    def script(conn):
        conn.upgrade(behind=frames.text('noise') + frames.text('ready now') + frames.text('more noise'))
        conn.drain()

    step = {'expect': {'contains': 'ready'}, **({'deliver': True} if deliver else {})}
    daemon = wsbridged({'b': {'url': dumb_server(script).url(), 'start': 'manual', 'on_open': [step]}})
    with daemon.client('b') as client:
        daemon.wait_status('b', lambda b: b['clients'])
        daemon.call('open', name='b', wait=True)
        assert client.lines(3 if deliver else 2) == [b'noise'] + [b'ready now'] * deliver + [b'more noise']
        assert client.silent(0.05)
        assert daemon.status('b')['rx']['messages'] == (3 if deliver else 2)


@pytest.mark.parametrize('value, in_text', [
    ('7', '7'), ('9007199254740993', '9007199254740993'), ('1.50', '1.50'), ('1e3', '1e3'), ('true', 'true'),
    ('null', 'null'), ('"s"', 's'), ('"\\u00fc \\"q\\""', 'ü "q"'), ('{"a": [1, 2.0]}', '{"a": [1, 2.0]}'),
])
def test_captured_values_go_out_as_they_came(wsbridged, dumb_server, value, in_text):
    def script(conn):
        conn.upgrade(behind=frames.text('{"d":[0,{"v":%s}]}' % value))
        conn.drain()

    server = dumb_server(script)
    steps = [{'expect': {'regex': '^[{]"d"'}, 'capture': {'v': '/d/1/v'}},
             {'json': {'v': '${v}', 'in': 'is ${v}', 'not': '$${v}'}}, {'text': 'v=${v};'}]
    daemon = wsbridged({'b': {'url': server.url(), 'on_open': steps}})
    daemon.wait_open()
    conn = server.wait_connection()
    wait_until(lambda: len(conn.of(frames.TEXT)) == 2)
    first, second = [f.payload.decode() for f in conn.of(frames.TEXT)]
    assert first.startswith('{"v":%s,"in":' % value)
    assert (json.loads(first)['in'], json.loads(first)['not']) == (f'is {in_text}', '${v}')
    assert second == f'v={in_text};'


def silent_server(conn):
    """Talks, but says nothing that is expected."""
    conn.upgrade(behind=frames.text('{"op":"hello"}') + frames.text('no JSON'))
    conn.drain_to_close()
    conn.send(frames.close(conn.close.code))


@pytest.mark.parametrize('step, timeouts, kind, said', [
    ({'expect': {'pointer': '/op', 'equals': 'welcome'}, 'timeout': 0.2}, {}, 'timeout', 'on_open[1]'),
    ({'expect': {'contains': 'welcome'}}, {'open': 0.3}, 'timeout', 'timeouts.open'),
    ({'expect': {'contains': 'hello'}, 'capture': {'x': '/nothing'}}, {}, 'protocol', 'on_open[1]'),
    ({'expect': {'contains': 'no JSON'}, 'capture': {'x': '/op'}}, {}, 'protocol', 'on_open[1]'),
], ids=['expect', 'open', 'capture', 'no-json'])
def test_a_step_that_fails(wsbridged, dumb_server, step, timeouts, kind, said):
    server = dumb_server(silent_server)
    daemon = wsbridged({'b': {'url': server.url(), 'start': 'manual', 'reconnect': {**QUICK, 'attempts': 3},
                              'timeouts': timeouts, 'on_open': ['hello', step]}})
    with pytest.raises(RpcError) as caught:
        daemon.call('open', name='b', wait=True)
    assert (caught.value.kind, caught.value.data['stage']) == (kind, 'open')
    bridge = daemon.wait_state('b', 'failed')
    error = bridge['last_error']
    assert (error['kind'], error['stage']) == (kind, 'open') and said in error['message']
    assert (bridge['attempts'], bridge['epoch'], bridge['reconnects']) == (3, 3, 0)
    for conn in server.connections:
        wait_until(lambda conn=conn: conn.ended)
        assert [f.opcode for f in conn.frames] == [frames.TEXT, frames.CLOSE]
        assert conn.close.code == 1000 and conn.close.key
    history = daemon.call('explain', name='b')['history']
    assert not [e for e in history if e['event'] == 'opened' or e.get('state') == 'open']
    ends = [e for e in history if e['event'] == 'ended']
    assert [(e['kind'], e['stage']) for e in ends] == [(kind, 'open')] * 3
    assert [e['retry_in'] is None for e in ends] == [False, False, True]


def test_a_server_that_goes_in_the_middle(wsbridged, dumb_server):
    def script(conn):
        conn.upgrade()
        conn.frame()

    server = dumb_server([script, script, echo])
    steps = ['hello', {'expect': {'contains': 'hello'}}]
    daemon = wsbridged({'b': {'url': server.url(), 'reconnect': QUICK, 'on_open': steps}})
    bridge = daemon.wait_state('b', 'open')
    assert (bridge['epoch'], bridge['reconnects']) == (3, 0)
    assert (bridge['last_error']['kind'], bridge['last_error']['stage']) == ('not_open', 'open')


def test_wait(wsbridged, dumb_server):
    times = []

    def script(conn):
        conn.upgrade()
        while conn.frame().opcode == frames.TEXT:
            times.append(time.monotonic())

    # The whole time for opening is shorter than the wait, which it does not count.
    daemon = wsbridged({'b': {'url': dumb_server(script).url(), 'timeouts': {'open': slack(0.5)}, 'start': 'manual',
                              'on_open': ['a', {'wait': slack(0.6)}, 'b']}})
    daemon.call('open', name='b')
    wait_until(lambda: times)
    assert daemon.status('b')['state'] == 'connecting'
    bridge = daemon.wait_state('b', 'open')
    wait_until(lambda: len(times) == 2)
    assert slack(0.6) - 0.02 <= times[1] - times[0] <= slack(1.6)
    assert bridge['last_error'] is None


def test_a_secret_that_cannot_be_read_fails_the_attempt_before_it_connects(wsbridged, dumb_server, token_path):
    server = dumb_server(Gateway('t'))
    daemon = wsbridged({'b': {'url': server.url(), 'reconnect': QUICK,
                              'on_open': [CHALLENGE, login_with(token_path), WELCOME]}})
    bridge = daemon.wait_status('b', lambda b: b['attempts'] >= 2)
    assert 'on_open[1].secrets.token' in bridge['last_error']['message']
    assert server.connections == []
    write_token(token_path, 't')
    daemon.wait_open('b')


def test_close_and_reconnect_while_the_steps_go_on(wsbridged, dumb_server):
    server = dumb_server(silent_server)
    daemon = wsbridged({'b': {'url': server.url(), 'on_open': ['hello', {'expect': {'contains': 'welcome'}}]}})
    wait_until(lambda: server.wait_connection().frames)
    daemon.call('reconnect', name='b')
    wait_until(lambda: server.wait_connection(2).frames)
    assert daemon.call('close', name='b', code=4000, reason='bye', wait=slack(5))['state'] == 'closed'
    assert [(c.close.code, c.close.reason) for c in server.connections] == [(1000, b''), (4000, b'bye')]


def test_the_daemon_ends_while_the_steps_go_on(wsbridged, dumb_server):
    server = dumb_server(silent_server)
    daemon = wsbridged({'b': {'url': server.url(), 'on_open': ['hello', {'expect': {'contains': 'welcome'}}]}})
    conn = server.wait_connection()
    wait_until(lambda: conn.frames)
    began = time.monotonic()
    assert daemon.stop() == 0
    assert time.monotonic() - began < slack(3)
    wait_until(lambda: conn.close)
    assert conn.close.code == 1001


def test_private_connections_log_in_one_by_one(wsbridged, dumb_server, token_path):
    gateway = Gateway('t-1', 't-2')
    server = dumb_server(gateway)
    write_token(token_path, 't-1')
    daemon = wsbridged({'b': {'url': server.url(), 'sharing': 'private', 'linger': 0.1,
                              'on_open': [CHALLENGE, login_with(token_path), WELCOME]}})
    with daemon.client('b') as first:
        first.send('early\n')
        assert first.lines(2) == [b'{"op":"news","n":1}', b'early']
        write_token(token_path, 't-2')
        with daemon.client('b') as second:
            second.send('mine\n')
            assert second.lines(2) == [b'{"op":"news","n":1}', b'mine']
            write_token(token_path, 'stale')
            with daemon.client('b') as third:
                third.send('lost\n')
                # Refused: it gets what there was, and is disconnected; the others stay.
                assert third.rest_of_lines() == [b'{"op":"news","n":1}']
            first.send('still there\n')
            assert first.line() == b'still there'
    conns = server.connections
    assert Gateway.said(conns[0]) == [login_text(conns[0], 't-1'), 'early', 'still there']
    assert Gateway.said(conns[1]) == [login_text(conns[1], 't-2'), 'mine']
    assert Gateway.said(conns[2]) == [login_text(conns[2], 'stale')]


def test_what_json_clients_see(wsbridged, dumb_server, token_path):
    """`open` comes when the steps are done; of an attempt whose steps fail, they get an error and no `close`."""
    gateway = Gateway('good')
    server = dumb_server(gateway)
    write_token(token_path, 'stale')
    daemon = wsbridged({'b': {'url': server.url(), 'start': 'manual', 'endpoint': {'framing': 'json'},
                              'reconnect': {'initial': slack(0.5), 'max': slack(0.5)},
                              'on_open': [CHALLENGE, login_with(token_path), WELCOME]}})
    with daemon.client('b') as client:
        daemon.wait_status('b', lambda b: b['clients'])
        daemon.call('open', name='b')
        seen = [json.loads(line) for line in client.lines(2)]
        gateway.gate.clear()
        write_token(token_path, 'good')
        seen.append(json.loads(client.line()))
        assert client.silent(0.1) and daemon.status('b')['state'] == 'connecting'
        gateway.gate.set()
        seen.append(json.loads(client.line()))
    assert [e['type'] for e in seen] == ['text', 'error', 'text', 'open']
    assert [(e['seq'], e['epoch']) for e in seen if e['type'] == 'text'] == [(1, 1), (2, 2)]
    assert (seen[1]['error']['stage'], seen[1]['error']['close_code']) == ('open', 4003)
    assert (seen[3]['epoch'], seen[3]['url']) == (2, server.url())


def test_a_refused_login_can_be_the_end(wsbridged, dumb_server, token_path):
    server = dumb_server(Gateway('good'))
    write_token(token_path, 'bad')
    daemon = wsbridged({'b': {'url': server.url(), 'reconnect': {**QUICK, 'fatal_close': [4003]},
                              'on_open': [CHALLENGE, login_with(token_path), WELCOME]}})
    bridge = daemon.wait_state('b', 'failed')
    assert (bridge['last_error']['stage'], bridge['last_error']['close_code']) == ('open', 4003)
    assert len(server.connections) == 1
    daemon.log_contains('giving up (reconnect.fatal_close has 4003)')


@pytest.mark.parametrize('option', [{'fatal_close': [1000]}, {'when': 'abnormal'}], ids=['fatal', 'abnormal'])
def test_our_own_close_after_a_failed_step_is_not_the_servers(wsbridged, dumb_server, option):
    """It has code 1000, which the server repeats; that is no end in order."""
    server = dumb_server([silent_server, silent_server, echo])
    daemon = wsbridged({'b': {'url': server.url(), 'reconnect': {**QUICK, **option},
                              'on_open': ['hello', {'expect': {'regex': '^hello'}, 'timeout': 0.1}]}})
    bridge = daemon.wait_state('b', 'open', 'failed')
    assert (bridge['state'], bridge['epoch']) == ('open', 3)
