# SPDX-License-Identifier: Apache-2.0
"""Is the other side alive? Pings of the bridge, and those it has to answer."""

import signal
import time

import pytest

import frames
from dumb_server import echo
from harness import slack, wait_until

QUICK = {'initial': 0.02, 'max': 0.05}


def deaf(conn):
    """Reads everything and answers nothing."""
    conn.upgrade()
    conn.drain()


def answer_pings(payload=None, also=b''):
    """payload: another one than the ping's."""
    def script(conn):
        conn.upgrade()
        while (f := conn.frame()).opcode != frames.CLOSE:
            if f.opcode == frames.PING:
                conn.send(also + frames.frame(frames.PONG, f.payload if payload is None else payload))
        conn.send(frames.close(conn.close.code))
    return script


@pytest.mark.parametrize('payload', ['', 'are you there?', 'ü' * 62])
def test_pings_come_with_their_payload(wsbridged, dumb_server, payload):
    server = dumb_server(answer_pings())
    daemon = wsbridged({'b': {'url': server.url(), 'ping': {'interval': 0.1, 'timeout': slack(1), 'payload': payload}}})
    daemon.wait_open()
    conn = server.wait_connection()
    wait_until(lambda: len(conn.of(frames.PING)) >= 4)
    assert {f.payload for f in conn.of(frames.PING)} == {payload.encode()}
    assert all(f.key for f in conn.of(frames.PING))
    bridge = daemon.wait_status('b', lambda b: b['rtt'] is not None)
    assert 0 <= bridge['rtt'] < slack(0.5)
    assert 0 <= bridge['last_rx'] < slack(0.5)
    assert (bridge['epoch'], bridge['rx']['messages'], bridge['tx']['messages']) == (1, 0, 0)


def test_no_rtt_before_the_first_pong(wsbridged, dumb_server):
    daemon = wsbridged({'b': {'url': dumb_server().url()}})
    daemon.wait_open()
    assert daemon.status('b')['rtt'] is None


def test_interval_off_sends_none(wsbridged, dumb_server):
    server = dumb_server(deaf)
    daemon = wsbridged({'b': {'url': server.url(), 'ping': {'interval': 'off', 'timeout': 0.05}}})
    daemon.wait_open()
    time.sleep(0.3)  # nothing is to happen
    assert daemon.status('b')['epoch'] == 1
    assert server.connections[0].frames == []


def test_timeout_off_never_judges(wsbridged, dumb_server):
    server = dumb_server(deaf)
    daemon = wsbridged({'b': {'url': server.url(), 'ping': {'interval': 0.1, 'timeout': 'off'}}})
    daemon.wait_open()
    wait_until(lambda: len(server.wait_connection().of(frames.PING)) >= 3)
    assert daemon.status('b')['epoch'] == 1


def test_a_frozen_server_is_dropped(wsbridged, start_server):
    server = start_server()
    daemon = wsbridged({'b': {'url': server.url(), 'ping': {'interval': slack(0.5), 'timeout': slack(0.5)},
                              'reconnect': {'initial': 0.2, 'max': 0.2}, 'timeouts': {'handshake': 0.3}}})
    daemon.wait_open()
    server.send_signal(signal.SIGSTOP)
    frozen = time.monotonic()
    bridge = daemon.wait_status('b', lambda b: b['state'] != 'open')
    took = time.monotonic() - frozen
    # The ping that is due next, and its time; never before the time of a ping that was just answered.
    assert slack(0.5) - 0.05 <= took <= slack(0.5 + 0.5 + 0.5)
    assert bridge['last_error']['kind'] == 'timeout'
    assert 'no answer to a ping' in bridge['last_error']['message']
    assert bridge['last_close'] == {'code': 1006, 'reason': '', 'clean': False}
    server.send_signal(signal.SIGCONT)
    daemon.wait_open('b')


def test_proof_any_is_any_complete_frame(wsbridged, dumb_server):
    def talk(conn):
        conn.upgrade()
        while conn.frame():
            conn.send(frames.text('not a pong'))

    server = dumb_server(talk)
    daemon = wsbridged({'b': {'url': server.url(), 'ping': {'interval': 0.1, 'timeout': slack(0.2)}}})
    daemon.wait_open()
    wait_until(lambda: len(server.wait_connection().of(frames.PING)) >= 8)
    bridge = daemon.status('b')
    assert (bridge['epoch'], bridge['rtt']) == (1, None)


def test_half_a_frame_proves_nothing(wsbridged, dumb_server):
    def dribble(conn):
        conn.upgrade(behind=frames.frame(frames.BINARY, length=100000))
        while True:
            conn.socket.sendall(b'x')
            time.sleep(0.02)

    server = dumb_server([dribble, echo])
    daemon = wsbridged({'b': {'url': server.url(), 'reconnect': QUICK, 'ping': {'interval': 0.1, 'timeout': 0.2}}})
    daemon.wait_status('b', lambda b: b['epoch'] == 2)
    assert daemon.status('b')['last_error']['kind'] == 'timeout'


@pytest.mark.parametrize('script, alive', [
    (answer_pings(), True),
    (answer_pings(also=frames.text('noise') + frames.frame(frames.PONG, b'older')), True),
    (answer_pings(payload=b'wrong'), False),
    (answer_pings(payload=b'wrong', also=frames.text('noise')), False),
    (deaf, False),
], ids=['pong', 'pong-and-noise', 'wrong-payload', 'wrong-payload-and-noise', 'silence'])
def test_proof_pong_is_the_pong_with_the_payload(wsbridged, dumb_server, script, alive):
    server = dumb_server(script)
    daemon = wsbridged({'b': {'url': server.url(), 'reconnect': {'initial': 60, 'max': 60},
                              'ping': {'interval': 0.1, 'timeout': slack(0.2), 'payload': 'right', 'proof': 'pong'}}})
    conn = server.wait_connection()
    if alive:
        wait_until(lambda: len(conn.of(frames.PING)) >= 6)
        assert daemon.status('b')['state'] == 'open'
    else:
        assert daemon.wait_state('b', 'waiting')['last_error']['kind'] == 'timeout'
        assert len(conn.of(frames.PING)) >= 1


def test_a_daemon_that_was_stopped_itself_declares_nobody_dead(wsbridged, dumb_server):
    server = dumb_server(answer_pings())
    daemon = wsbridged({'b': {'url': server.url(), 'ping': {'interval': 0.1, 'timeout': 0.2}}})
    daemon.wait_open()
    conn = server.wait_connection()
    for _ in range(3):
        seen = len(conn.of(frames.PING))
        wait_until(lambda: len(conn.of(frames.PING)) > seen)
        daemon.send_signal(signal.SIGSTOP)
        time.sleep(0.5)  # longer than interval and timeout together
        daemon.send_signal(signal.SIGCONT)
        wait_until(lambda: len(conn.of(frames.PING)) > seen + 1)
    bridge = daemon.status('b')
    assert (bridge['state'], bridge['epoch'], len(server.connections)) == ('open', 1, 1)


@pytest.mark.parametrize('payload', [b'', b'\x00\xff binary', b'p' * 125])
def test_pings_of_the_server_are_answered(wsbridged, dumb_server, payload):
    def script(conn):
        conn.upgrade(behind=frames.frame(frames.PING, payload))
        conn.drain()

    server = dumb_server(script)
    wsbridged({'b': {'url': server.url()}})
    conn = server.wait_connection()
    wait_until(lambda: conn.of(frames.PONG))
    assert [f.payload for f in conn.frames] == [payload]


@pytest.mark.parametrize('count', [1, 16, 17, 18, 33, 1000])
def test_of_many_pings_at_once_the_newest_is_answered(wsbridged, dumb_server, count):
    """Without waiting for something else to happen (RFC 6455, 5.5.3)."""
    def script(conn):
        conn.upgrade(behind=b''.join(frames.frame(frames.PING, b'%d' % i) for i in range(count)))
        conn.drain()

    server = dumb_server(script)
    daemon = wsbridged({'b': {'url': server.url(), 'ping': {'interval': 'off'}}})
    daemon.wait_open()
    conn = server.wait_connection()
    wait_until(lambda: conn.of(frames.PONG) and conn.of(frames.PONG)[-1].payload == b'%d' % (count - 1), 2)
    numbers = [int(f.payload) for f in conn.of(frames.PONG)]
    assert numbers == sorted(set(numbers))


def test_a_flood_of_pings_costs_no_memory(wsbridged, dumb_server):
    count = 200000

    def flood(conn):
        conn.upgrade()
        for _ in range(count // 1000):
            conn.send(frames.frame(frames.PING, b'p' * 125) * 1000)
        conn.send(frames.frame(frames.PING, b'last'))
        conn.drain()

    server = dumb_server(flood)
    daemon = wsbridged({'b': {'url': server.url(), 'start': 'manual'}})
    before = daemon.rss()
    daemon.call('open', name='b', wait=True)
    conn = server.wait_connection()
    # Of many pings the newest is what must be answered (RFC 6455, 5.5.3).
    wait_until(lambda: any(f.payload == b'last' for f in conn.of(frames.PONG)), 20)
    assert daemon.status('b')['epoch'] == 1
    assert daemon.rss() - before < slack(1) * (4 << 20)


def test_pings_on_demand(wsbridged, dumb_server):
    server = dumb_server(answer_pings())
    daemon = wsbridged({'b': {'url': server.url()}})
    daemon.wait_open()
    assert daemon.call('send', name='b', ping='by hand') == {'bytes': 7, 'queued': False}
    assert daemon.call('send', name='b', pong='unasked') == {'bytes': 7, 'queued': False}
    conn = server.wait_connection()
    wait_until(lambda: len(conn.frames) == 2)
    assert [(f.opcode, f.payload) for f in conn.frames] == [(frames.PING, b'by hand'), (frames.PONG, b'unasked')]
