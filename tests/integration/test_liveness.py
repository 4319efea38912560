# SPDX-License-Identifier: Apache-2.0
"""
Dead links are found in time, and living ones are left alone: frozen, silent and cut-off servers,
heartbeats, silence, a daemon that was itself stopped, and big messages on slow lines. What single
pings do is in test_ping.py.
"""

import json
import signal
import socket
import threading
import time

import pytest

import frames
from dumb_server import serve_quietly
from fixtures import INSIDE_PORT, inside, namespace  # noqa: F401
from harness import LineSocket, slack, wait_until
from namespace import IPV4
from scripted import drop

INTERVAL, TIMEOUT = 0.5, 0.5
PING = {'interval': INTERVAL, 'timeout': slack(TIMEOUT)}
NO_PING = {'interval': 'off'}
LATER = {'initial': 60, 'max': 60}


def dead_in_time(began):
    """Not before a ping that had just been answered could be missed, and within the time that is promised."""
    took = time.monotonic() - began
    assert slack(TIMEOUT) - 0.05 <= took <= slack(INTERVAL + TIMEOUT + 1), took


# Servers that do not answer ---------------------------------------------------


def answer_for_a_while(conn):
    """Answers pings until `conn.mute` is set, and says nothing afterwards; not even to a Close."""
    conn.mute = threading.Event()
    conn.upgrade()
    while True:
        f = conn.frame()
        if f.opcode == frames.PING and not conn.mute.is_set():
            conn.send(frames.frame(frames.PONG, f.payload))


@pytest.mark.parametrize('proof', ['any', 'pong'])
def test_a_server_that_falls_silent(wsbridged, dumb_server, proof):
    server = dumb_server([answer_for_a_while, serve_quietly])
    daemon = wsbridged({'b': {'url': server.url(), 'ping': {**PING, 'proof': proof}, 'reconnect': LATER}})
    daemon.wait_status('b', lambda b: b['rtt'] is not None)
    conn = server.connections[0]
    conn.mute.set()
    began = time.monotonic()
    bridge = daemon.wait_state('b', 'waiting')
    dead_in_time(began)
    assert (bridge['last_error']['kind'], bridge['last_error']['retryable']) == ('timeout', True)
    assert bridge['last_close'] == {'code': 1006, 'reason': '', 'clean': False}
    assert 'no answer to a ping within' in bridge['last_error']['message']
    assert bridge['srtt'] > 0
    ended = [e for e in daemon.call('explain', name='b')['history'] if e['event'] == 'ended']
    assert [(e['kind'], e['close_code']) for e in ended] == [('timeout', 1006)] and ended[0]['open_for'] > 0


@pytest.mark.parametrize('lost', [['tcp dport'], ['tcp dport', 'tcp sport']], ids=['to-server', 'both'])
def test_half_open(namespace, inside, lost):  # noqa: F811
    """Packets vanish: nobody closes, nobody resets."""
    server = inside.serve(IPV4)
    daemon = inside({'b': {'url': server.url('/').replace('127.0.0.1', IPV4), 'ping': PING,
                           'timeouts': {'open': 0.3}, 'reconnect': {'initial': 0.1, 'max': 0.1}}})
    daemon.wait_status('b', lambda b: b['rtt'] is not None)
    with daemon.client('b') as client:
        namespace.lose_packets(*(f'{way} {INSIDE_PORT}' for way in lost))
        began = time.monotonic()
        client.send('into the dark\n')
        bridge = daemon.wait_status('b', lambda b: b['state'] != 'open')
        dead_in_time(began)
        assert bridge['last_error']['kind'] == 'timeout'
        # The message and a ping: nobody knows whether they arrived, and they are not sent again.
        assert bridge['unacked'] >= len('into the dark') + 6
        bridge = daemon.wait_status('b', lambda b: b['last_error'].get('stage'))  # the next attempt has failed, too
        assert bridge['last_error']['stage'] in ('connect', 'handshake')
        client.send('kept\n')
        daemon.wait_status('b', lambda b: b['outbox']['messages'] == 1)
        namespace.heal()
        daemon.wait_open('b')
        assert client.line() == b'kept'
        assert client.silent(0.05)


def test_a_daemon_that_was_stopped_reads_before_it_judges(wsbridged, dumb_server):
    """A ping is out when it stops, and one of two servers answers meanwhile: its own sleep is no silence."""
    def script(answers):
        def run(conn):
            conn.go_on = threading.Event()
            conn.upgrade()
            while True:
                f = conn.frame()
                assert conn.go_on.wait(slack(20))
                if answers and f.opcode == frames.PING:
                    conn.send(frames.frame(frames.PONG, f.payload))
        return run

    alive, dead = dumb_server(script(True)), dumb_server(script(False))
    ping = {'interval': 1, 'timeout': 1, 'proof': 'pong'}
    daemon = wsbridged({'alive': {'url': alive.url(), 'reconnect': LATER, 'ping': ping},
                        'dead': {'url': dead.url(), 'reconnect': LATER, 'ping': ping}})
    conns = [alive.wait_connection(), dead.wait_connection()]
    wait_until(lambda: all(c.of(frames.PING) for c in conns))
    daemon.send_signal(signal.SIGSTOP)
    for conn in conns:
        conn.go_on.set()
    time.sleep(5)  # much longer than interval and timeout together
    daemon.send_signal(signal.SIGCONT)
    began = time.monotonic()
    assert daemon.wait_state('dead', 'waiting')['last_error']['kind'] == 'timeout'
    assert time.monotonic() - began < slack(2)
    wait_until(lambda: len(conns[0].of(frames.PING)) >= 2)
    bridge = daemon.status('alive')
    assert (bridge['state'], bridge['epoch'], bridge['last_error']) == ('open', 1, None)
    assert bridge['srtt'] >= 3  # that ping took the whole time


# Big messages and slow lines --------------------------------------------------


@pytest.mark.limit(40)
def test_pings_overtake_a_big_message(wsbridged, scripted):
    """8 MiB to a server that reads slowly: pings of both sides pass between its frames."""
    size, begun = 8 << 20, threading.Event()

    def script(conn):
        conn.upgrade()
        while (f := conn.frame()).opcode != frames.CLOSE:
            if f.opcode == frames.PING:
                conn.send(frames.frame(frames.PONG, f.payload))
            elif f.opcode in (frames.TEXT, frames.CONTINUATION):
                if len(conn.frames) == 40:
                    conn.send(frames.frame(frames.PING, b'are you busy?'))
                    begun.set()
                time.sleep(0.004)  # the line is slow
        conn.send(frames.close(1000))

    server = scripted(script)
    # Little may wait in the kernels, so that it is the daemon that has the most of the message.
    server.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32768)
    daemon = wsbridged({'b': {'url': server.url(), 'socket': {'sndbuf': '32K'}, 'reconnect': LATER,
                              'ping': {'interval': 0.3, 'timeout': slack(1), 'payload': 'p', 'proof': 'pong'}}})
    daemon.wait_open()
    conn = server.connections[0]
    text = b'0123456789abcdef' * (size // 16)
    with LineSocket(daemon.path('b.sock')) as client:
        client.send(text + b'\nlast\n')
        assert begun.wait(slack(20))
        wait_until(lambda: any(f.payload == b'last' for f in conn.frames[-50:]), 20)  # pings may follow
    data = [f for f in conn.frames if f.opcode in (frames.TEXT, frames.CONTINUATION)]
    assert b''.join(f.payload for f in data[:-1]) == text
    assert max(len(f.payload) for f in data) <= 16384
    assert [f.opcode for f in data] == [frames.TEXT] + [frames.CONTINUATION] * (len(data) - 2) + [frames.TEXT]
    assert [f.fin for f in data] == [False] * (len(data) - 2) + [True] * 2
    between = conn.frames[conn.frames.index(data[0]):conn.frames.index(data[-2])]
    pongs = [i for i, f in enumerate(between) if f.opcode == frames.PONG]
    assert [between[i].payload for i in pongs] == [b'are you busy?']
    # In the kernels' buffers there is room for some frames, but not for many.
    assert pongs[0] < 40 + 40, pongs
    pings = [f for f in between if f.opcode == frames.PING]
    assert len(pings) >= 3 and all(f.key and f.payload == b'p' for f in pings)
    bridge = daemon.status('b')
    assert (bridge['state'], bridge['epoch'], bridge['tx']['messages']) == ('open', 1, 2)
    assert bridge['rtt'] is not None


# Heartbeats and silence -------------------------------------------------------

HEARTBEAT = {'interval': 0.2, 'message': {'json': {'op': 'ping'}}, 'timeout': slack(0.4),
             'expect': {'pointer': '/op', 'equals': 'pong'}}


def beat_back(conn):
    """Answers heartbeats until `conn.mute` is set; then it talks about something else."""
    conn.mute = threading.Event()
    conn.upgrade()
    while (f := conn.frame()).opcode != frames.CLOSE:
        if f.opcode == frames.PING:
            conn.send(frames.frame(frames.PONG, f.payload))
        elif f.opcode == frames.TEXT:
            conn.text('{"op":"noise"}' if conn.mute.is_set() else '{"op":"pong"}')
    conn.send(frames.close(conn.close.code))


def test_heartbeat_with_an_answer(wsbridged, dumb_server):
    server = dumb_server(beat_back)
    daemon = wsbridged({'b': {'url': server.url(), 'heartbeat': HEARTBEAT, 'ping': {'interval': 0.1},
                              'reconnect': {'initial': 0.05, 'max': 0.05}}})
    with daemon.client('b') as client:
        conn = server.wait_connection()
        wait_until(lambda: len(conn.of(frames.TEXT)) >= 4)
        assert {f.payload for f in conn.of(frames.TEXT)} == {b'{"op":"ping"}'}
        assert client.lines(2) == [b'{"op":"pong"}'] * 2
        assert daemon.status('b')['epoch'] == 1
        # Pongs and other messages still come: they are not the answer.
        conn.mute.set()
        began = time.monotonic()
        bridge = daemon.wait_status('b', lambda b: b['last_error'])
        took = time.monotonic() - began
        assert slack(0.4) - 0.05 <= took <= slack(0.2 + 0.4 + 1)
        assert bridge['last_error']['kind'] == 'timeout'
        assert 'no answer to a heartbeat within' in bridge['last_error']['message']
        daemon.wait_status('b', lambda b: b['epoch'] == 2 and b['state'] == 'open')
        second = server.wait_connection(2)
        wait_until(lambda: len(second.of(frames.TEXT)) >= 3)


def test_heartbeat_without_an_answer_concludes_nothing(wsbridged, dumb_server):
    def deaf(conn):
        conn.upgrade()
        conn.drain()

    server = dumb_server(deaf)
    daemon = wsbridged({'b': {'url': server.url(), 'ping': NO_PING, 'reconnect': LATER,
                              'heartbeat': {'interval': 0.1, 'message': {'binary': 'AAE='}}}})
    conn = server.wait_connection()
    wait_until(lambda: len(conn.of(frames.BINARY)) >= 5)
    assert {f.payload for f in conn.of(frames.BINARY)} == {b'\0\1'}
    bridge = daemon.status('b')
    assert (bridge['state'], bridge['epoch']) == ('open', 1)


def test_no_heartbeat_stands_between_fragments(wsbridged, dumb_server):
    """RFC 6455, 5.4: only control frames may."""
    server = dumb_server(beat_back)
    daemon = wsbridged({'b': {'url': server.url(), 'heartbeat': {'interval': 0.1, 'message': 'beat'}, 'ping': NO_PING,
                              'endpoint': {'framing': 'json'}}})
    daemon.wait_open()
    conn = server.wait_connection()
    with daemon.client('b') as client:
        client.send(json.dumps({'type': 'text', 'data': 'first, ', 'fin': False}) + '\n')
        wait_until(lambda: [f for f in conn.of(frames.TEXT) if not f.fin])
        begun = len(conn.frames)
        time.sleep(0.35)  # three heartbeats are due
        assert len(conn.frames) == begun
        client.send(json.dumps({'type': 'text', 'data': 'last'}) + '\n')
        wait_until(lambda: len(conn.frames) >= begun + 3)
    at = next(i for i, f in enumerate(conn.frames) if not f.fin)
    assert [(f.opcode, f.fin, f.payload) for f in conn.frames[at:at + 3]] == [
        (frames.TEXT, False, b'first, '), (frames.CONTINUATION, True, b'last'), (frames.TEXT, True, b'beat')]


def test_idle_timeout(wsbridged, dumb_server):
    """Pings and pongs are no messages."""
    def talk(conn):
        conn.mute = threading.Event()
        conn.upgrade()
        while not conn.mute.wait(0.05):
            conn.text('tick')
        conn.send(frames.frame(frames.PING, b''))
        while True:
            f = conn.frame()
            conn.send(frames.frame(frames.PONG, f.payload) if f.opcode == frames.PING else b'')

    server = dumb_server(talk)
    daemon = wsbridged({'b': {'url': server.url(), 'idle_timeout': slack(0.4), 'ping': {'interval': 0.1},
                              'reconnect': LATER}})
    daemon.wait_status('b', lambda b: b['rx']['messages'] >= 12)  # longer than idle_timeout
    assert daemon.status('b')['epoch'] == 1
    server.connections[0].mute.set()
    began = time.monotonic()
    bridge = daemon.wait_state('b', 'waiting')
    assert slack(0.4) - 0.1 <= time.monotonic() - began <= slack(1.4)
    assert bridge['last_error']['kind'] == 'timeout' and 'no message for' in bridge['last_error']['message']
    assert server.connections[0].of(frames.PING)


def test_nothing_is_judged_while_a_slow_client_holds_up_reading(wsbridged, dumb_server):
    """The answers lie in the kernel, and nobody looks at them: that is no silence of the server."""
    def flood(conn):
        conn.upgrade()
        block = frames.text('x' * 1000) * 100
        while True:
            conn.socket.sendall(block)

    server = dumb_server(flood)
    daemon = wsbridged({'b': {'url': server.url(), 'reconnect': LATER,
                              'ping': {'interval': 0.1, 'timeout': 0.1}, 'idle_timeout': 0.3,
                              'endpoint': {'queue': '4K', 'overflow': 'block', 'block_timeout': 30}}})
    daemon.wait_open()
    with daemon.client('b') as client:
        daemon.wait_status('b', lambda b: b['paused'])
        time.sleep(1)  # several times what they have
        bridge = daemon.status('b')
        assert (bridge['state'], bridge['epoch'], bridge['paused']) == ('open', 1, True)
        assert client.line() == b'x' * 1000
        drop(server.connections[0])
