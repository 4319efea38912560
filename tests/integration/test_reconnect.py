# SPDX-License-Identifier: Apache-2.0
"""Every way a connection can end, and what happens next: waiting, trying again, giving up."""

import re
import time
from datetime import datetime

import pytest

import frames
from dumb_server import echo, serve_quietly
from harness import LineSocket, RpcError, free_port, slack, wait_until

QUICK = {'initial': 0.02, 'max': 0.05, 'slow': 0.05}


@pytest.mark.limit(60)
@pytest.mark.parametrize('failed_attempts', [1, 2])
def test_a_killed_server_is_found_again_and_clients_stay(wsbridged, start_server, failed_attempts):
    server = start_server()
    daemon = wsbridged({'b': {'url': server.url()}})
    daemon.wait_open()
    clients = [daemon.client('b') for _ in range(4)]
    daemon.wait_status('b', lambda b: len(b['clients']) == 4)
    server.kill()
    daemon.wait_state('b', 'waiting', 'connecting')
    clients[0].send('written meanwhile 1\n')
    daemon.wait_status('b', lambda b: b['attempts'] >= failed_attempts and b['state'] == 'waiting')
    clients[0].send('written meanwhile 2\n')
    bridge = daemon.wait_status('b', lambda b: b['outbox']['messages'] == 2)
    assert bridge['last_close'] == {'code': 1006, 'reason': '', 'clean': False}
    assert bridge['last_error']['kind'] == 'connect'
    assert 0 <= bridge['retry_in'] <= 2
    server.start()
    back = time.monotonic()
    daemon.wait_open('b')
    assert time.monotonic() - back < slack(2)
    for client in clients:
        assert client.lines(2) == [b'written meanwhile 1', b'written meanwhile 2']
    bridge = daemon.status('b')
    assert (bridge['epoch'], bridge['reconnects'], bridge['attempts']) == (2, 1, 0)
    assert bridge['outbox']['messages'] == 0
    clients[3].send('and on\n')
    assert [c.line() for c in clients] == [b'and on'] * 4
    assert len(bridge['clients']) == 4


def moments(daemon, text):
    """When lines with this text were logged, in seconds."""
    stamp = '%Y-%m-%dT%H:%M:%S.%f'
    return [datetime.strptime(line.split('Z')[0], stamp).timestamp() for line in daemon.log_lines(text)]


def waits(daemon):
    """How long each wait between two attempts was, by the log of transitions."""
    begun, over = moments(daemon, '-> waiting'), moments(daemon, 'waiting -> connecting')
    return [b - a for a, b in zip(begun, over)]


def assert_backoff(found, initial, limit, factor=2, jitter='equal'):
    late = slack(0.08)
    for i, wait in enumerate(found):
        bound = min(initial * factor ** i, limit)
        least = {'equal': bound / 2, 'full': 0, 'none': bound}[jitter]
        # The log counts in milliseconds.
        assert least - 0.002 <= wait <= bound + late, (i, wait, bound, found)


@pytest.mark.limit(60)
def test_equal_jitter_against_a_refusing_server(wsbridged):
    daemon = wsbridged({'b': {'url': f'ws://127.0.0.1:{free_port()}/', 'reconnect': {'initial': 0.1, 'max': 1.6}}},
                       log={'level': 'debug'})
    wait_until(lambda: len(waits(daemon)) >= 10, 15)
    found = waits(daemon)
    assert_backoff(found, 0.1, 1.6)
    # Random, not always the middle: of 10 values in units of their bound some differ by a lot.
    shares = [wait / min(0.1 * 2 ** i, 1.6) for i, wait in enumerate(found)]
    assert max(shares) - min(shares) > 0.05
    bridge = daemon.status('b')
    assert bridge['last_error']['kind'] == 'connect' and bridge['last_error']['stage'] == 'connect'
    assert bridge['last_error']['retryable'] is True
    assert bridge['attempts'] >= 10
    assert [bridge[k] for k in ('epoch', 'peer', 'handshake', 'last_close')] == [0, None, None, None]


@pytest.mark.parametrize('jitter', ['full', 'none'])
def test_other_jitters(wsbridged, jitter):
    reconnect = {'initial': 0.05, 'max': 0.3, 'factor': 3, 'jitter': jitter}
    daemon = wsbridged({'b': {'url': f'ws://127.0.0.1:{free_port()}/', 'reconnect': reconnect}},
                       log={'level': 'debug'})
    wait_until(lambda: len(waits(daemon)) >= 5)
    assert_backoff(waits(daemon), 0.05, 0.3, 3, jitter)


def test_bridges_that_lose_their_server_together_do_not_come_back_together(wsbridged):
    port = free_port()
    bridges = {f'b{i}': {'url': f'ws://127.0.0.1:{port}/', 'reconnect': {'initial': 1, 'max': 1}} for i in range(20)}
    daemon = wsbridged(bridges, limits={'dials_per_second': 0})
    left = wait_until(lambda: [b['retry_in'] for b in daemon.status()['bridges'] if b['retry_in'] is not None
                               and b['retry_in'] >= 0] or None)
    left = wait_until(lambda: (lambda r: r if len(r) == 20 else None)(
        [b['retry_in'] for b in daemon.status()['bridges'] if b['state'] == 'waiting']))
    assert max(left) - min(left) > 0.1
    assert len({round(r, 2) for r in left}) > 8


def close_at_once(conn):
    conn.upgrade()


def close_politely_at_once(conn):
    conn.upgrade(behind=frames.close(1000))
    conn.drain_to_close()


@pytest.mark.limit(60)
@pytest.mark.parametrize('script', [close_at_once, close_politely_at_once])
def test_a_server_that_closes_at_once_gets_no_storm(wsbridged, dumb_server, script):
    server = dumb_server(script)
    daemon = wsbridged({'b': {'url': server.url(), 'reconnect': {'initial': 0.1, 'max': 0.8}}})
    server.wait_connection(8)
    began = [c.began for c in server.connections]
    gaps = [b - a for a, b in zip(began, began[1:])]
    for i, gap in enumerate(gaps):
        assert gap >= min(0.1 * 2 ** i, 0.8) / 2 - 0.01, gaps
    assert daemon.status('b')['epoch'] >= 7


def test_the_delay_starts_over_after_a_connection_that_lasted(wsbridged, dumb_server):
    def last_a_moment(conn):
        conn.upgrade()
        time.sleep(0.15)  # the test is about how long it is open

    server = dumb_server(last_a_moment)
    daemon = wsbridged({'b': {'url': server.url(),
                              'reconnect': {'initial': 0.05, 'max': 10, 'factor': 10, 'reset_after': 0.1}}})
    server.wait_connection(5)
    began = [c.began for c in server.connections]
    assert max(b - a for a, b in zip(began, began[1:])) < slack(0.15 + 0.05 + 0.25)
    assert daemon.status('b')['reconnects'] >= 3


@pytest.mark.parametrize('code, reason', [
    (1000, ''), (1000, 'done'), (1001, 'bye'), (1011, 'grüße 🎉'), (1012, 'restart'), (1013, 'later'), (1014, ''),
    (3000, 'x'), (4001, 'a "quoted" reason'), (4999, 'r' * 123),
])
def test_close_by_the_server(wsbridged, start_server, code, reason):
    server = start_server()
    daemon = wsbridged({'b': {'url': server.url(), 'reconnect': QUICK}})
    daemon.wait_open()
    server.command(close=code, reason=reason)
    bridge = daemon.wait_status('b', lambda b: b['epoch'] == 2)
    assert bridge['last_close'] == {'code': code, 'reason': reason, 'clean': True}
    # The same code came back (RFC 6455, 5.5.1).
    assert server.wait_event('close')['code'] == code
    daemon.log_contains(f'closed by peer ({code} "')


def test_close_without_a_code(wsbridged, dumb_server):
    def script(conn):
        conn.upgrade(behind=frames.close())
        conn.drain_to_close()

    server = dumb_server([script, serve_quietly])
    daemon = wsbridged({'b': {'url': server.url(), 'reconnect': QUICK}})
    bridge = daemon.wait_status('b', lambda b: b['epoch'] == 2)
    assert bridge['last_close'] == {'code': 1005, 'reason': '', 'clean': True}
    assert server.connections[0].close.payload == b''


def test_reason_of_a_close_is_escaped(wsbridged, dumb_server):
    def script(conn):
        conn.upgrade(behind=frames.close(4000, b'\x1b[31mred\n\x00'))
        conn.drain_to_close()

    server = dumb_server([script, serve_quietly])
    daemon = wsbridged({'b': {'url': server.url(), 'reconnect': QUICK}})
    bridge = daemon.wait_status('b', lambda b: b['epoch'] == 2)
    assert bridge['last_close']['code'] == 4000
    for text in (bridge['last_close']['reason'], daemon.log_lines('4000')[0]):
        assert 'red' in text and not re.search(r'[\x00-\x1f]', text)


def test_reset(wsbridged, dumb_server):
    def script(conn):
        conn.upgrade()
        conn.frame()
        conn.reset()

    server = dumb_server([script, echo])
    daemon = wsbridged({'b': {'url': server.url(), 'reconnect': QUICK}})
    daemon.wait_open()
    with daemon.client('b') as client:
        client.send('go\n')
        bridge = daemon.wait_status('b', lambda b: b['epoch'] == 2)
        assert bridge['last_close'] == {'code': 1006, 'reason': '', 'clean': False}
        assert bridge['last_error']['kind'] == 'not_open'
        assert 'reset' in bridge['last_error']['message']
        client.send('again\n')
        assert client.line() == b'again'


@pytest.mark.limit(60)
def test_a_message_that_is_cut_off_is_never_delivered(wsbridged, dumb_server):
    whole = frames.text('x' * 130)

    def cut(n):
        def script(conn):
            conn.upgrade(behind=frames.text('before') + whole[:n])
        return script

    server = dumb_server([cut(n) for n in range(1, len(whole))] + [echo])
    daemon = wsbridged({'b': {'url': server.url(), 'reconnect': {'initial': 0.01, 'max': 0.01}, 'start': 'manual'}})
    with daemon.client('b') as client:
        daemon.wait_status('b', lambda b: b['clients'])
        daemon.call('open', name='b')
        bridge = daemon.wait_status('b', lambda b: b['epoch'] == len(whole) and b['state'] == 'open', 20)
        assert client.lines(len(whole) - 1) == [b'before'] * (len(whole) - 1)
        assert client.silent(0.05)
        assert bridge['rx']['messages'] == len(whole) - 1
        assert daemon.log_lines('of an incomplete message are lost')


def test_close_then_silence(wsbridged, dumb_server):
    def script(conn):
        conn.upgrade(behind=frames.close(1001, b'bye'))
        conn.drain()  # and the connection stays until the client ends it

    server = dumb_server([script, echo])
    daemon = wsbridged({'b': {'url': server.url(), 'reconnect': QUICK, 'timeouts': {'close': 0.3}}})
    bridge = daemon.wait_status('b', lambda b: b['epoch'] == 2)
    assert bridge['last_close'] == {'code': 1001, 'reason': 'bye', 'clean': True}
    first = server.connections[0]
    assert first.close.code == 1001
    wait_until(lambda: first.ended)
    assert first.ended - first.began < slack(1)


def test_close_then_a_flood(wsbridged, dumb_server):
    def script(conn):
        conn.upgrade(behind=frames.close(1001))
        block = frames.frame(frames.BINARY, b'x' * 65000)
        try:
            while True:
                conn.socket.sendall(block * 16)
        except OSError:
            pass

    server = dumb_server([script, echo])
    daemon = wsbridged({'b': {'url': server.url(), 'reconnect': QUICK, 'timeouts': {'close': 0.5}, 'start': 'manual'}})
    before = daemon.rss()
    daemon.call('open', name='b')
    bridge = daemon.wait_status('b', lambda b: b['epoch'] == 2)
    assert bridge['rx']['messages'] == 0
    assert server.connections[1].began - server.connections[0].began < slack(2)
    assert daemon.rss() - before < slack(1) * (4 << 20)


def test_data_before_the_close_is_delivered(wsbridged, dumb_server):
    def script(conn):
        conn.upgrade()
        conn.frame()
        conn.send(b''.join(frames.text(str(i)) for i in range(100)) + frames.close(1000))
        conn.half_close()
        conn.drain()

    server = dumb_server([script, echo])
    daemon = wsbridged({'b': {'url': server.url(), 'reconnect': QUICK}})
    daemon.wait_open()
    with daemon.client('b') as client:
        client.send('go\n')
        assert client.lines(100) == [str(i).encode() for i in range(100)]


# Giving up ------------------------------------------------------------------


def test_attempts(wsbridged):
    daemon = wsbridged({'b': {'url': f'ws://127.0.0.1:{free_port()}/', 'reconnect': {**QUICK, 'attempts': 3}}})
    bridge = daemon.wait_state('b', 'failed')
    assert bridge['attempts'] == 3
    assert bridge['retry_in'] is None
    with pytest.raises(RpcError) as error:
        daemon.call('open', name='b', wait=True)
    assert error.value.kind == 'connect'
    # So many more, and that is the end again.
    assert daemon.wait_state('b', 'failed')['attempts'] == 6


def test_a_bridge_that_has_failed_can_be_started_again(wsbridged, start_server):
    server = start_server()
    server.kill()
    daemon = wsbridged({'b': {'url': server.url(), 'reconnect': {**QUICK, 'attempts': 2}}})
    daemon.wait_state('b', 'failed')
    server.start()
    assert daemon.call('open', name='b', wait=True)['state'] == 'open'


@pytest.mark.parametrize('when, code, again', [
    ('always', 1000, True), ('always', 4000, True), ('abnormal', 1000, False), ('abnormal', 1001, True),
    ('abnormal', 4000, True), ('never', 1000, False), ('never', 4000, False),
])
def test_when(wsbridged, start_server, when, code, again):
    server = start_server()
    daemon = wsbridged({'b': {'url': server.url(), 'reconnect': {**QUICK, 'when': when}}})
    daemon.wait_open()
    server.command(close=code)
    bridge = daemon.wait_status('b', lambda b: b['last_close'] and (b['state'] == 'failed' or b['epoch'] == 2))
    assert (bridge['epoch'] == 2) == again
    if not again:
        assert bridge['state'] == 'failed'
        assert len(server.select('open')) == 1


def test_when_never_and_the_connection_breaks(wsbridged, dumb_server):
    server = dumb_server(close_at_once)
    daemon = wsbridged({'b': {'url': server.url(), 'reconnect': {**QUICK, 'when': 'never'}}})
    daemon.wait_state('b', 'failed')
    assert len(server.connections) == 1


@pytest.mark.limit(60)
def test_what_cannot_be_mended_at_once_waits_slowly(wsbridged, dumb_server):
    def forbid(conn):
        conn.upgrade(status='HTTP/1.1 403 Forbidden')

    def busy(conn):
        conn.upgrade(status='HTTP/1.1 503 Busy')

    reconnect = {'initial': 0.02, 'max': 0.2, 'slow': 0.8}
    slow, quick = dumb_server(forbid), dumb_server(busy)
    daemon = wsbridged({'slow': {'url': slow.url(), 'reconnect': reconnect},
                        'quick': {'url': quick.url(), 'reconnect': reconnect}})
    slow.wait_connection(5)
    gaps = [b.began - a.began for a, b in zip(slow.connections, slow.connections[1:])]
    for gap, bound in zip(gaps, (0.2, 0.4, 0.8, 0.8)):
        assert bound / 2 - 0.01 <= gap <= bound + slack(0.15), gaps
    gaps = [b.began - a.began for a, b in zip(quick.connections, quick.connections[1:])]
    assert max(gaps) <= 0.2 + slack(0.15), gaps
    error = daemon.status('slow')['last_error']
    assert (error['kind'], error['status'], error['retryable']) == ('bad_status', 403, False)
    error = daemon.status('quick')['last_error']
    assert (error['kind'], error['status'], error['retryable']) == ('bad_status', 503, True)


# The outbox -----------------------------------------------------------------


def down(wsbridged, **outbox):
    return wsbridged({'b': {'url': f'ws://127.0.0.1:{free_port()}/', 'outbox': outbox}})


def test_outbox_rejects_when_it_is_full(wsbridged):
    daemon = down(wsbridged, size='4K')
    with daemon.client('b') as client:
        client.send(b'x' * 1000 + b'\n')
        daemon.wait_status('b', lambda b: b['outbox']['messages'] == 1)
        client.send((b'x' * 1000 + b'\n') * 9)
        bridge = daemon.wait_status('b', lambda b: b['outbox']['messages'] + b['outbox']['rejected'] == 10)
    assert 1 <= bridge['outbox']['messages'] <= 4
    assert bridge['outbox']['bytes'] == 1000 * bridge['outbox']['messages']
    assert bridge['dropped'] == bridge['outbox']['rejected']
    daemon.log_contains('the outbox is full')


def test_outbox_drops_the_oldest(wsbridged, start_server):
    server = start_server()
    daemon = wsbridged({'b': {'url': server.url(), 'start': 'manual',
                              'outbox': {'size': '4K', 'on_full': 'drop-oldest'}}})
    with daemon.client('b') as client:
        client.send(b''.join(b'%d %s\n' % (i, b'x' * 500) for i in range(100)))
        bridge = daemon.wait_status('b', lambda b: b['outbox']['messages'] + b['outbox']['dropped'] == 100)
        kept = bridge['outbox']['messages']
        assert 1 <= kept <= 8
        daemon.call('open', name='b', wait=True)
        numbers = [int(line.split(b' ')[0]) for line in client.lines(kept)]
        assert numbers == list(range(100 - kept, 100))


def test_outbox_of_size_zero_refuses_at_once(wsbridged):
    daemon = down(wsbridged, size=0)
    with daemon.client('b') as client:
        client.send('a\n')
        daemon.wait_status('b', lambda b: b['outbox']['rejected'] == 1)


def test_outbox_ttl(wsbridged, start_server):
    server = start_server()
    daemon = wsbridged({'b': {'url': server.url(), 'start': 'manual', 'outbox': {'ttl': 0.2}}})
    with daemon.client('b') as client:
        client.send('old 1\nold 2\n')
        daemon.wait_status('b', lambda b: b['outbox']['messages'] == 2)
        daemon.wait_status('b', lambda b: b['outbox']['expired'] == 2)
        client.send('new\n')
        daemon.wait_status('b', lambda b: b['outbox']['messages'] == 1)
        daemon.call('open', name='b', wait=True)
        if daemon.status('b')['outbox']['expired'] == 2:  # else the machine was too slow for it
            assert client.line() == b'new'


def test_a_slow_server_holds_back_the_clients_and_nothing_is_lost(wsbridged, dumb_server):
    """More is written than all buffers take while the server does not read; then it reads."""
    count, text = 3000, b'y' * 10000
    reading = []

    def script(conn):
        conn.upgrade()
        wait_until(lambda: reading, 20)
        conn.drain()

    server = dumb_server(script)
    daemon = wsbridged({'b': {'url': server.url()}})
    daemon.wait_open()
    with LineSocket(daemon.path('b.sock')) as client:
        client.socket.setblocking(False)
        data = b''.join(b'%d %s\n' % (i, text) for i in range(count))
        sent = 0
        end = time.monotonic() + slack(20)
        stuck = time.monotonic()
        while sent < len(data) and time.monotonic() < end:
            try:
                sent += client.socket.send(data[sent:sent + 65536])
                stuck = time.monotonic()
            except BlockingIOError:
                if not reading and time.monotonic() - stuck > slack(0.3):
                    reading.append(True)
                time.sleep(0.002)
        assert sent == len(data)
    assert reading, 'the client was never held back'
    conn = server.wait_connection()
    wait_until(lambda: len(conn.of(frames.TEXT)) == count, 20)
    assert [f.payload.split(b' ')[0] for f in conn.of(frames.TEXT)] == [b'%d' % i for i in range(count)]
    assert daemon.status('b')['dropped'] == 0
