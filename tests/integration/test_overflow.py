# SPDX-License-Identifier: Apache-2.0
"""
Slow clients, by the books: what a client of the json framing received and the gaps it was told of
are, in order, exactly what was sent, whatever the policy is and whatever the other clients do.
"""

import os
import random
import socket
import threading
import time

import pytest

import frames
from harness import wait_until
from records import attach

COUNT, TEXT = 10000, 'x' * 150
HEAD, GAP = b'{"type":"text","seq":', b'{"type":"gap","dropped":'


def messages(count=COUNT):
    return b''.join(frames.text(f'{i} {TEXT}') for i in range(1, count + 1))


class Client:
    """reads: as fast as it can; crawls: a little now and then; stops: not at all; dies: in the middle."""

    def __init__(self, path, manner, dice):
        self.manner, self.data, self.ended = manner, bytearray(), False
        self.life = dice.randint(1, 150000)  # less than the kernel keeps for it
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.socket.setblocking(False)

    def read(self, all_read):
        """Once, as its manner is; all_read: everybody who lives reads now."""
        try:
            data = self.socket.recv(1 << 18 if all_read or self.manner == 'reads' else 2000)
        except BlockingIOError:
            return
        except ConnectionResetError:
            data = b''
        self.data += data
        self.ended = not data
        if self.manner == 'dies' and len(self.data) > self.life:
            self.close()

    def close(self):
        self.ended = True
        self.socket.close()

    def books(self):
        """(received, dropped), both in messages; fails if they do not add up to what was sent."""
        received = dropped = 0
        whole, _, rest = bytes(self.data).rpartition(b'\n')
        for line in whole.split(b'\n') if whole else []:
            if line.startswith(HEAD):
                seq = int(line[len(HEAD):line.index(b',', len(HEAD))])
                assert seq == received + dropped + 1, f'{seq} behind {received} + {dropped}'
                assert line.endswith(b'"data":"%d %s"}' % (seq, TEXT.encode())), line
                received += 1
            else:
                assert line.startswith(GAP), line
                n, first, last = (int(part.rpartition(b':')[2]) for part in line[:-1].split(b',')[1:])
                assert (first, last) == (received + dropped + 1, received + dropped + n), line
                dropped += n
        assert self.ended or not rest
        return received, dropped


class Crowd:
    """Clients of all manners, read in a thread of their own."""

    def __init__(self, daemon, counts, name='b'):
        dice = random.Random(3)
        path = daemon.path(f'{name}.sock')
        self.clients = [Client(path, manner, dice) for manner, count in counts.items() for _ in range(count)]
        daemon.wait_status(name, lambda b: len(b['clients']) == len(self.clients))
        self.all_read = self.over = False
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        while not self.over:
            for client in self.clients:
                if not client.ended and (self.all_read or client.manner != 'stops'):
                    client.read(self.all_read)
            time.sleep(0.001)

    def of(self, *manners):
        return [c for c in self.clients if c.manner in manners]

    def everybody_reads(self):
        self.all_read = True

    def stop(self):
        self.over = True
        self.thread.join()
        for client in self.clients:
            client.socket.close()


@pytest.fixture
def crowd(serve):
    """crowd(counts, endpoint): a daemon, its connection and clients that will get nothing but messages and gaps."""
    made = []

    def start(counts, endpoint, **options):
        daemon, _, conn = serve(answer_pings, {'events': ['gap'], 'queue': '64K', **endpoint}, **options)
        made.append(Crowd(daemon, counts))
        return daemon, conn, made[-1]

    yield start
    for one in made:
        one.stop()


def answer_pings(conn):
    conn.upgrade()
    while (f := conn.frame()).opcode != frames.CLOSE:
        if f.opcode == frames.PING:
            conn.send(frames.frame(frames.PONG, f.payload))
    conn.send(frames.close(1000))


def send_all(conn, data):
    """In a thread, because the daemon may stop reading for some time."""
    thread = threading.Thread(target=lambda: conn.send(data))
    thread.start()
    return thread


def wait_received(daemon, count=COUNT, timeout=20):
    return daemon.wait_status('b', lambda b: b['rx']['messages'] == count, timeout)


def settle(daemon, crowd, conn):
    """Everybody reads, and then one more message makes that all have been told of their last gap."""
    crowd.everybody_reads()
    daemon.wait_status('b', lambda b: sum(e['pending'] for e in b['endpoints']) == 0)
    conn.text(f'{COUNT + 1} {TEXT}')
    end = b'"data":"%d %s"}\n' % (COUNT + 1, TEXT.encode())
    wait_until(lambda: all(c.ended or c.data.endswith(end) for c in crowd.clients), 20, 'all have the last message')


MANNERS = {'reads': 40, 'crawls': 8, 'stops': 8, 'dies': 8}


@pytest.mark.parametrize('overflow', ['drop-oldest', 'drop-newest'])
def test_received_and_gaps_are_what_was_sent(crowd, overflow):
    daemon, conn, clients = crowd(MANNERS, {'overflow': overflow})
    send_all(conn, messages()).join()
    bridge = wait_received(daemon)
    slow = [c for c in bridge['clients'] if c['slow']]
    assert len(slow) >= 8 and all(c['queued'] > 0 for c in slow)
    assert {(c['pid'], c['uid']) for c in slow} == {(os.getpid(), os.getuid())}
    assert max(c['queued'] for c in bridge['clients']) <= 65536 + 1024
    wait_until(lambda: daemon.log_lines(f'pid {os.getpid()} uid {os.getuid()}: does not read fast enough'))
    settle(daemon, clients, conn)
    living = clients.of('reads', 'crawls', 'stops')
    assert not any(c.ended for c in living)
    books = [c.books() for c in living]
    assert {received + dropped for received, dropped in books} == {COUNT + 1}
    assert all(c.books()[1] > 0 for c in clients.of('stops'))
    for client in clients.of('dies'):
        client.books()
    bridge = daemon.wait_status('b', lambda b: len(b['clients']) == len(living))
    # The daemon's own books say the same.
    assert sorted((c['sent'], c['dropped']) for c in bridge['clients']) == sorted(books)
    assert bridge['dropped'] >= sum(dropped for _, dropped in books)
    assert not any(c['slow'] for c in bridge['clients'])
    assert (bridge['epoch'], bridge['seq']) == (1, COUNT + 1)


def test_disconnect_ends_slow_clients_and_nobody_else(crowd):
    daemon, conn, clients = crowd(MANNERS, {'overflow': 'disconnect', 'queue': '256K'})
    send_all(conn, messages()).join()
    wait_received(daemon)
    me = f'pid {os.getpid()} uid {os.getuid()}'
    wait_until(lambda: daemon.log_lines(f'{me}: does not read fast enough: disconnected'))
    settle(daemon, clients, conn)
    for client in clients.clients:
        received, dropped = client.books()
        assert dropped == 0 and (client.ended or received == COUNT + 1)
    assert all(c.ended and 0 < c.books()[0] < COUNT for c in clients.of('stops'))
    alive = [c for c in clients.clients if not c.ended]
    bridge = daemon.wait_status('b', lambda b: len(b['clients']) == len(alive))
    assert bridge['dropped'] > 0 and all(c['dropped'] == 0 for c in bridge['clients'])


def test_block_loses_nothing(crowd):
    """Those who crawl hold up everybody, and nobody misses anything."""
    daemon, conn, clients = crowd({'reads': 48, 'crawls': 8, 'dies': 8}, {'overflow': 'block', 'block_timeout': '20s'},
                                  ping={'interval': 0.1, 'timeout': 0.2, 'proof': 'pong'})
    sender = send_all(conn, messages())
    daemon.wait_status('b', lambda b: b['paused'], what='reading waits')
    wait_until(lambda: daemon.log_lines(f'reading waits for pid {os.getpid()} uid {os.getuid()}'))
    clients.everybody_reads()
    sender.join()
    wait_received(daemon)
    settle(daemon, clients, conn)
    for client in clients.of('reads', 'crawls'):
        assert not client.ended and client.books() == (COUNT + 1, 0)
    for client in clients.of('dies'):
        assert client.books()[1] == 0
    bridge = daemon.status('b')
    assert (bridge['dropped'], bridge['epoch'], bridge['paused']) == (0, 1, False)


def test_block_ends_for_one_that_never_reads(crowd):
    """And the server is not called dead meanwhile, however short its time for a pong is."""
    daemon, conn, clients = crowd({'reads': 10, 'crawls': 2, 'stops': 1}, {'overflow': 'block', 'block_timeout': '2s'},
                                  ping={'interval': 0.1, 'timeout': 0.2, 'proof': 'pong'})
    began = time.monotonic()
    sender = send_all(conn, messages())
    daemon.wait_status('b', lambda b: b['paused'] and any(c['slow'] for c in b['clients']))
    seen = daemon.wait_status('b', lambda b: len(b['clients']) == 12)
    assert time.monotonic() - began > 2
    assert seen['state'] == 'open'
    sender.join()
    wait_received(daemon)
    settle(daemon, clients, conn)
    for client in clients.of('reads', 'crawls'):
        assert not client.ended and client.books() == (COUNT + 1, 0)
    stopped, = clients.of('stops')
    assert stopped.ended and 0 < stopped.books()[0] < COUNT
    assert daemon.log_lines(f'pid {os.getpid()} uid {os.getuid()}: has not read enough for block_timeout')
    bridge = daemon.status('b')
    assert (bridge['epoch'], bridge['reconnects'], bridge['state']) == (1, 0, 'open')
    assert bridge['dropped'] > 0 and all(c['dropped'] == 0 for c in bridge['clients'])


def test_a_limit_for_all_queues(wsbridged, dumb_server):
    """What is dropped for its sake is counted and told in the same way."""
    server = dumb_server(answer_pings)
    endpoint = {'framing': 'json', 'events': ['gap'], 'queue': '1M'}
    daemon = wsbridged({'b': {'url': server.url(), 'endpoint': endpoint}}, limits={'queues': '256K'})
    daemon.wait_open()
    conn = server.wait_connection()
    clients = Crowd(daemon, {'reads': 4, 'stops': 12})
    try:
        sender = send_all(conn, messages())
        most = 0
        while daemon.status('b')['rx']['messages'] < COUNT:
            most = max(most, daemon.status()['daemon']['queued']['now'])
        sender.join()
        most = max(most, daemon.status()['daemon']['queued']['now'])
        assert 0 < most <= 256 * 1024 + 1024
        settle(daemon, clients, conn)
        books = [c.books() for c in clients.clients]
        assert {received + dropped for received, dropped in books} == {COUNT + 1}
        assert sorted((c['sent'], c['dropped']) for c in daemon.status('b')['clients']) == sorted(books)
        assert daemon.status()['daemon']['queued']['now'] == 0
    finally:
        clients.stop()


def test_a_gap_stands_where_the_messages_were(serve):
    """With a client that stops and goes on again and again."""
    daemon, _, conn = serve(endpoint={'events': ['gap'], 'queue': '4K'})
    client = attach(daemon)
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    expected, gaps = 1, 0
    for _ in range(10):
        before = daemon.status('b')['dropped']
        while daemon.status('b')['dropped'] == before:
            conn.send(b''.join(frames.text(TEXT) for _ in range(200)))
        conn.text('mark')
        while (record := client.record()).get('data') != 'mark':
            first = record['seq'] if record['type'] == 'text' else record['from']
            assert first == expected
            gaps += record['type'] == 'gap'
            expected = record.get('to', first) + 1
        assert record['seq'] == expected
        expected += 1
    assert gaps >= 10
