# SPDX-License-Identifier: Apache-2.0
"""
What becomes of local messages when the upstream comes and goes: the order stays, nothing goes out
twice, and what is lost is told. How the outbox is bounded is in test_reconnect.py, too.
"""

import json
import os
import socket
import time

import pytest

import frames
from dumb_server import DumbServer, echo, serve_quietly
from fixtures import INSIDE_PORT, inside, namespace  # noqa: F401
from harness import RpcError, b64, slack, wait_until
from namespace import IPV4
from scripted import drop, listen_at

QUICK = {'initial': 0.02, 'max': 0.05}
NO_PING = {'interval': 'off'}


def texts(*conns):
    return [f.payload for conn in conns for f in conn.of(frames.TEXT)]


# Order ------------------------------------------------------------------------


def test_order_over_reconnects(wsbridged, folder):
    """Two clients and the control socket, while the server is there, gone, there, gone."""
    path = os.path.join(folder, 'server')
    daemon = wsbridged({'b': {'url': f'ws+unix://{path}:/', 'reconnect': QUICK}})
    count, seen = 0, []
    with daemon.client('b') as one, daemon.client('b') as two:
        for _ in range(4):
            # While it is down: everything waits, in order.
            for _ in range(5):
                for send in (lambda n: one.send(f'{n}\n'), lambda n: two.send(f'{n}\n'),
                             lambda n: daemon.call('send', name='b', text=str(n), queue=True)):
                    send(count)
                    count += 1
                    daemon.wait_status('b', lambda b, n=count: b['outbox']['messages'] == n - len(seen))
            server = DumbServer(echo, listen_at(path))
            # While it is up: what comes later does not pass what waited.
            for _ in range(5):
                one.send(f'{count}\n')
                count += 1
            wait_until(lambda: server.connections and len(texts(*server.connections)) == count - len(seen))
            seen += texts(*server.connections)
            server.stop()
            os.unlink(path)
            daemon.wait_state('b', 'waiting', 'connecting')
    assert [int(n) for n in seen] == list(range(count))
    bridge = daemon.status('b')
    assert (bridge['dropped'], bridge['tx']['messages'], bridge['unsent']) == (0, count, 0)


def test_nothing_goes_out_twice(wsbridged, dumb_server):
    """The connection is cut again and again in the middle of a stream of messages."""
    cuts, count = 12, 0

    def cut(n):
        def script(conn):
            conn.upgrade()
            while len(conn.frames) < n:
                conn.frame()
            conn.reset()
        return script

    server = dumb_server([cut(50 + 37 * i) for i in range(cuts)] + [serve_quietly])
    daemon = wsbridged({'b': {'url': server.url(), 'reconnect': QUICK, 'outbox': {'size': '16M'}, 'ping': NO_PING}},
                       limits={'dials_per_second': 0})
    daemon.wait_open()
    end = time.monotonic() + slack(20)
    with daemon.client('b') as client:
        while len(server.connections) <= cuts and time.monotonic() < end:
            client.send(b''.join(b'%d %s\n' % (i, b'y' * (i % 300)) for i in range(count, count + 100)))
            count += 100
            time.sleep(0.002)  # so that the stream lasts longer than the cuts
        assert len(server.connections) == cuts + 1
        client.send('last\n')
        last = server.connections[-1]
        wait_until(lambda: any(f.payload == b'last' for f in last.frames[-50:]))
        bridge = daemon.status('b')
    assert (bridge['state'], bridge['epoch']) == ('open', cuts + 1)
    got = texts(*server.connections)[:-1]
    numbers = [int(t.split()[0]) for t in got]
    assert numbers == sorted(set(numbers)), 'not in order, or one twice'
    assert all(t == b'%d %s' % (i, b'y' * (i % 300)) for t, i in zip(got, numbers))
    # Each was given to the kernel once; a cut leaves one hole, and there are no others.
    assert (bridge['tx']['messages'], bridge['dropped']) == (count + 1, 0)
    holes = sum(b != a + 1 for a, b in zip([-1] + numbers, numbers + [count]))
    assert holes <= cuts and len(numbers) < count


def test_a_message_that_was_cut_off_is_not_repeated(wsbridged, dumb_server):
    def script(conn):
        conn.upgrade()
        wait_until(lambda: len(conn.rest) or conn.socket.recv(1000, socket.MSG_PEEK))
        conn.reset()

    server = dumb_server([script, echo])
    daemon = wsbridged({'b': {'url': server.url(), 'reconnect': QUICK, 'socket': {'sndbuf': '16K'}}})
    daemon.wait_open()
    with daemon.client('b') as client:
        client.send(b'x' * (6 << 20) + b'\n')  # more than all the kernels' buffers take
        bridge = daemon.wait_status('b', lambda b: b['epoch'] == 2 and b['state'] == 'open')
        client.send('next\n')
        assert client.line() == b'next'
    assert texts(server.connections[1]) == [b'next']
    # Most of it never left, and that is told.
    assert 1 << 20 < bridge['unsent'] <= (6 << 20) + 8192
    daemon.log_contains('were not sent any more')


def test_unsent_and_unacked_are_nothing_after_an_orderly_end(wsbridged, start_server):
    server = start_server()
    daemon = wsbridged({'b': {'url': server.url(), 'reconnect': QUICK}})
    daemon.wait_open()
    with daemon.client('b') as client:
        for epoch in (2, 3):
            client.send('hello\n')
            assert client.line() == b'hello'
            server.command(close=1000)
            bridge = daemon.wait_status('b', lambda b, e=epoch: b['epoch'] == e and b['state'] == 'open')
    assert bridge['unsent'] == 0
    assert bridge['unacked'] <= 64  # a Close
    assert not daemon.log_lines('never acknowledged')


def test_unacked(namespace, inside):  # noqa: F811
    """The kernel has taken it, and no packet arrives: nobody knows, so it is told and not repeated."""
    server = inside.serve(IPV4)
    daemon = inside({'b': {'url': f'ws://{IPV4}:{INSIDE_PORT}/', 'reconnect': QUICK, 'ping': NO_PING,
                           'timeouts': {'connect': 0.3}, 'compression': False}})
    daemon.wait_open()
    with daemon.client('b') as client:
        client.send('arrives\n')
        assert client.line() == b'arrives'
        namespace.lose_packets(f'tcp dport {INSIDE_PORT}')
        client.send('x' * 5000 + '\n')
        daemon.wait_status('b', lambda b: b['tx']['messages'] == 2)
        server.kill()
        daemon.call('reconnect', name='b')
        bridge = daemon.wait_status('b', lambda b: b['unacked'])
        assert 5000 <= bridge['unacked'] <= 5200
        namespace.heal()
        server.start()
        daemon.wait_open('b')
        client.send('next\n')
        assert client.line() == b'next'
    daemon.log_contains('were sent but never acknowledged')


# Bounds -----------------------------------------------------------------------


def ask(client, name, text):
    client.send(json.dumps({'type': 'text', 'data': text, 'id': name}) + '\n')


def answers(client, count):
    found = [json.loads(line) for line in client.lines(count)]
    return {a['id']: a.get('error', {}).get('kind', a['type']) for a in found}


JSON = {'framing': 'json', 'events': ['error', 'ack']}


def test_who_asks_is_told_what_became_of_it(wsbridged, dumb_server):
    """ttl, both policies and size 0, on the json framing with ids."""
    server = dumb_server(echo)
    bridge = {'url': server.url(), 'start': 'manual', 'endpoint': JSON}
    daemon = wsbridged({
        'ttl': {**bridge, 'outbox': {'ttl': 0.1}},
        'reject': {**bridge, 'outbox': {'size': 200}},
        'oldest': {**bridge, 'outbox': {'size': 200, 'on_full': 'drop-oldest'}},
        'none': {**bridge, 'outbox': {'size': 0}},
    })
    clients = {name: daemon.client(name) for name in ('ttl', 'reject', 'oldest', 'none')}
    for client in clients.values():
        for i in range(3):
            ask(client, i, f'm{i}' + 'x' * 30)
    # 96 bytes each with what a message costs: two of them fit.
    assert answers(clients['ttl'], 3) == {0: 'timeout', 1: 'timeout', 2: 'timeout'}
    assert answers(clients['reject'], 1) == {2: 'not_open'}
    assert answers(clients['oldest'], 1) == {0: 'overflow'}
    assert answers(clients['none'], 3) == {0: 'not_open', 1: 'not_open', 2: 'not_open'}
    counted = {name: daemon.status(name)['outbox'] for name in clients}
    assert [(o['messages'], o['expired'], o['dropped'], o['rejected']) for o in counted.values()] == [
        (0, 3, 0, 0), (2, 0, 0, 1), (2, 0, 1, 0), (0, 0, 0, 3)]
    assert [daemon.status(name)['dropped'] for name in clients] == [3, 1, 1, 3]
    for name in ('reject', 'oldest'):
        daemon.call('open', name=name, wait=True)
    assert answers(clients['reject'], 2) == {0: 'ack', 1: 'ack'}
    assert answers(clients['oldest'], 2) == {1: 'ack', 2: 'ack'}
    wait_until(lambda: len(texts(*server.connections)) == 4)
    for client in clients.values():
        client.close()


def test_a_ttl_is_for_each_message(wsbridged, dumb_server):
    server = dumb_server(echo)
    daemon = wsbridged({'b': {'url': server.url(), 'start': 'manual', 'outbox': {'ttl': slack(1)}}})
    with daemon.client('b') as client:
        client.send('old\n')
        daemon.wait_status('b', lambda b: b['outbox']['messages'] == 1)
        time.sleep(slack(0.6))
        client.send('new\n')
        daemon.wait_status('b', lambda b: b['outbox']['messages'] == 2)
        bridge = daemon.wait_status('b', lambda b: b['outbox']['messages'] == 1)
        assert bridge['outbox']['expired'] == 1
        daemon.call('open', name='b', wait=True)
        assert client.line() == b'new'


def test_control_socket(wsbridged, start_server):
    server = start_server()
    daemon = wsbridged({'b': {'url': server.url('/silent?log=1'), 'start': 'manual', 'outbox': {'size': 210}}})
    with pytest.raises(RpcError) as refused:
        daemon.call('send', name='b', text='now or never')
    assert refused.value.kind == 'not_open'
    assert daemon.call('send', name='b', text='a', queue=True) == {'bytes': 1, 'queued': True}
    assert daemon.call('send', name='b', binary=b64(b'\0'), queue=True) == {'bytes': 1, 'queued': True}
    assert daemon.call('send', name='b', json={'x': 1}, queue=True) == {'bytes': 7, 'queued': True}
    with pytest.raises(RpcError) as refused:
        daemon.call('send', name='b', text='no room', queue=True)
    assert refused.value.kind in ('overflow', 'not_open')
    daemon.call('open', name='b', wait=True)
    server.wait_event('message', 3)
    sent = [(e['text'], e['binary']) for e in server.select('message')]
    assert sent == [('a', None), (None, 'AA=='), ('{"x":1}', None)]


# Rate -------------------------------------------------------------------------


def timed(conn):
    conn.times = []
    conn.upgrade()
    while (f := conn.frame()).opcode != frames.CLOSE:
        if f.opcode == frames.TEXT:
            conn.times.append(time.monotonic())
    conn.send(frames.close(1000))


@pytest.mark.parametrize('rate, per_second, burst', [
    ({'messages': 50}, 50, 50), ({'messages': 40, 'burst': 5}, 40, 5),
    ({'messages': 10, 'per': 0.2, 'burst': 1}, 50, 1),
])
def test_rate(wsbridged, dumb_server, rate, per_second, burst):
    count = burst + per_second
    server = dumb_server(timed)
    daemon = wsbridged({'b': {'url': server.url(), 'rate': rate, 'ping': {'interval': 0.1}, 'on_open': ['free'] * 60}})
    daemon.wait_open()
    conn = server.connections[0]
    with daemon.client('b') as client:
        wait_until(lambda: len(conn.of(frames.TEXT)) == 60)  # they do not count
        began = time.monotonic()
        client.send(b''.join(b'%d\n' % i for i in range(count)))
        bridge = daemon.status('b')
        wait_until(lambda: len(conn.of(frames.TEXT)) == 60 + count)
    assert texts(conn)[60:] == [b'%d' % i for i in range(count)]
    at = [t - began for t in conn.times[60:]]
    # However late the server looks, none may come before its time.
    early = [(i, t) for i, t in enumerate(at) if t < (i + 1 - burst) / per_second - 0.02]
    assert not early
    assert at[burst - 1] < slack(0.5) and at[-1] < count / per_second - burst / per_second + slack(0.6)
    assert bridge['dropped'] == 0


def test_what_is_over_the_rate_waits_in_the_outbox(wsbridged, dumb_server):
    server = dumb_server(echo)
    daemon = wsbridged({'b': {'url': server.url(), 'rate': {'messages': 2, 'per': 60},
                              'outbox': {'size': 200}, 'reconnect': QUICK}})
    daemon.wait_open()
    with daemon.client('b') as client:
        client.send('a\nb\nc\nd\n')
        assert client.lines(2) == [b'a', b'b']
        daemon.wait_status('b', lambda b: b['outbox']['messages'] == 2)
        with pytest.raises(RpcError) as refused:
            daemon.call('send', name='b', text='now')
        assert refused.value.kind == 'overflow'
        assert daemon.call('send', name='b', text='e', queue=True)['queued'] is True
        client.send('too much\n')
        bridge = daemon.wait_status('b', lambda b: b['outbox']['rejected'] == 1)
        assert bridge['outbox']['messages'] == 3 and bridge['dropped'] == 1
        # A new connection is no new allowance.
        drop(server.connections[0])
        bridge = daemon.wait_status('b', lambda b: b['epoch'] == 2 and b['state'] == 'open')
        assert client.silent(0.1) and bridge['outbox']['messages'] == 3
        # Pings are not held up by it.
        assert daemon.call('send', name='b', ping='p')['queued'] is False


def test_what_comes_later_does_not_pass_what_waits(wsbridged, dumb_server):
    """Whoever sends at the moment when the next token is there."""
    server = dumb_server(timed)
    daemon = wsbridged({'b': {'url': server.url(), 'rate': {'messages': 40, 'burst': 1}}})
    daemon.wait_open()
    conn = server.connections[0]
    with daemon.client('b') as first, daemon.client('b') as second:
        first.send(b''.join(b'%d\n' % i for i in range(30)))
        daemon.wait_status('b', lambda b: b['outbox']['messages'] >= 25)
        while len(texts(conn)) < 30:
            second.send('later\n')
            time.sleep(0.0005)
        assert texts(conn)[:30] == [b'%d' % i for i in range(30)]
