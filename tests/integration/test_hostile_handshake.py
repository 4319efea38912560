# SPDX-License-Identifier: Apache-2.0
"""
Answers to the handshake that are made to cost time or memory, over plain TCP, TLS and proxies. That
each broken answer is refused is shown in test_violations.py; here it is how little that takes.
"""

import threading
import time

import pytest

import frames
from dumb_server import echo, serve_quietly
from fixtures import assert_little_memory
from harness import slack, wait_until
from scripted import connect_proxy, swallow

HEAD = b'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
MEGA = 1 << 20


@pytest.fixture(params=['ws', 'wss', 'proxy'])
def serve(request, bridges, scripted, certs):
    """serve(script): (URL, options) of a server with this script, behind what the parameter says."""
    def start(script):
        server = scripted(script, cert=certs['ecdsa'] if request.param == 'wss' else None)
        options = {'tls': {'ca_file': certs.ca_file}}
        if request.param == 'proxy':
            options['proxy'] = f'http://127.0.0.1:{scripted(connect_proxy()).port}'
        return {'url': server.url(), **options}

    # What is allocated once is no matter here.
    bridges.close(bridges.open(**start(serve_quietly)))
    return start


class Watch:
    """What the daemon takes meanwhile, and whether it still answers others."""

    def __init__(self, daemon):
        self.daemon = daemon

    def __enter__(self):
        self.rss, self.cpu = self.daemon.rss(), self.daemon.cpu_seconds()
        self.most, self.slowest, self.over = self.rss, 0, False
        self.thread = threading.Thread(target=self._look)
        self.thread.start()
        return self

    def _look(self):
        with type(self.daemon.control)(self.daemon.control_path) as control:
            while not self.over:
                began = time.monotonic()
                control.call('version')
                self.slowest = max(self.slowest, time.monotonic() - began)
                self.most = max(self.most, self.daemon.rss())
                time.sleep(0.01)  # ten looks in a tenth of a second are enough

    def __exit__(self, *args):
        self.over = True
        self.thread.join()
        self.cpu = self.daemon.cpu_seconds() - self.cpu

    def assert_cheap(self, memory=2 * MEGA, cpu=0.3):
        assert_little_memory(self.most - self.rss, memory)
        assert self.cpu < slack(cpu)
        assert self.slowest < slack(0.2)


def drip(data, pause=0.01):
    """A byte at a time, as long as the client is there."""
    def script(conn):
        conn.read_request()
        conn.socket.settimeout(pause)
        for byte in data:
            conn.socket.sendall(bytes([byte]))
            try:
                conn.read(1)
            except TimeoutError:
                pass
    return script


@pytest.mark.parametrize('timeouts', [{'handshake': 0.4}, {'open': 0.4}])
def test_header_drip(bridges, serve, timeouts):
    options = serve(drip(HEAD + b'X: y\r\n' * 1000))
    began = time.monotonic()
    with Watch(bridges.daemon) as watch:
        error = bridges.refused(**options, timeouts=timeouts)
    assert (error.kind, error.data['stage']) == ('timeout', 'handshake'), error
    assert 0.35 < time.monotonic() - began < slack(1)
    watch.assert_cheap()


def test_slow_but_in_time(bridges, serve):
    """A whole answer, byte by byte."""
    def script(conn):
        conn.read_request()
        answer = HEAD + f'Sec-WebSocket-Accept: {conn.accept_value()}\r\n\r\n'.encode()
        for byte in answer:
            conn.send(bytes([byte]))
        while (f := conn.frame()).opcode != frames.CLOSE:
            conn.send(frames.frame(f.opcode, f.payload))
        conn.send(frames.close(1000))

    bridge = bridges.open(**serve(script))
    assert bridges.echoes(bridge)
    bridges.close(bridge)


def pour(first, chunk, total):
    """So much of it, as fast as it goes."""
    def script(conn):
        conn.read_request()
        conn.send(first)
        try:
            for _ in range(total // len(chunk)):
                conn.socket.sendall(chunk)
        except OSError:
            pass
    return script


FLOODS = {
    '20 MB header line': (pour(HEAD + b'X: ', b'x' * MEGA, 20 * MEGA), 'protocol', 'longer than 8192'),
    '20 MB status line': (pour(b'HTTP/1.1 101 ', b'x' * MEGA, 20 * MEGA), 'protocol', 'longer than 4096'),
    '20 MB of headers': (pour(HEAD, b'X: yyyyyyyyyyyyyyy\r\n' * 50000, 20 * MEGA), 'protocol', 'more than 100'),
    '20 MB of long headers': (pour(HEAD, (b'X: ' + b'y' * 8000 + b'\r\n') * 100, 20 * MEGA), 'protocol', 'longer than'),
    '20 MB of zeros': (pour(b'', b'\0' * MEGA, 20 * MEGA), 'protocol', 'not HTTP'),
    '20 MB of empty lines': (pour(b'', b'\r\n' * 500000, 20 * MEGA), 'protocol', ''),
    '20 MB of interim answers': (pour(b'', b'HTTP/1.1 100 Continue\r\n\r\n' * 40000, 20 * MEGA), 'protocol', 'interim'),
    '20 MB of body': (pour(b'HTTP/1.1 500 No\r\nContent-Length: 99999999\r\n\r\n', b'x' * MEGA, 20 * MEGA),
                      'bad_status', '500'),
    '20 MB of body without length': (pour(b'HTTP/1.1 500 No\r\n\r\n', b'x' * MEGA, 20 * MEGA), 'bad_status', '500'),
}


@pytest.mark.parametrize('case', FLOODS, ids=lambda v: v.replace(' ', '-'))
def test_flood(bridges, serve, case):
    script, kind, sentence = FLOODS[case]
    options = serve(script)
    began = time.monotonic()
    with Watch(bridges.daemon) as watch:
        error = bridges.refused(**options)
    assert error.kind == kind and sentence in error.message, error
    assert time.monotonic() - began < slack(1.5)
    watch.assert_cheap()


def lines(count):
    """An upgrade with so many header lines in all."""
    def script(conn):
        conn.upgrade(extra=[f'X-{i}: y' for i in range(count - 3)])
        conn.drain_to_close()
    return script


def test_100_and_101_header_lines(bridges, serve):
    bridges.close(bridges.open(**serve(lines(100))))
    error = bridges.refused(**serve(lines(101)))
    assert error.kind == 'protocol' and 'more than 100 header lines' in error.message


@pytest.mark.parametrize('second', ['right', 'wrong', 'in one line'])
@pytest.mark.parametrize('order', ['first', 'last'])
def test_two_accept_headers(bridges, serve, second, order):
    def script(conn):
        conn.read_request()
        right = conn.accept_value()
        values = [right, {'right': right, 'wrong': 'A' * 28, 'in one line': None}[second]]
        if second == 'in one line':
            values = [f'{right}, {right}']
        conn.upgrade(Sec_WebSocket_Accept=values if order == 'first' else values[::-1])
        conn.drain()

    error = bridges.refused(**serve(script))
    assert (error.kind, error.data['stage']) == ('protocol', 'handshake')
    assert 'Sec-WebSocket-Accept' in error.message


def interim(count):
    def script(conn):
        conn.read_request()
        for i in range(count):
            conn.send(b'HTTP/1.1 10%d Later\r\nX: %s\r\n\r\n' % (i % 4 if i % 4 != 1 else 0, b'y' * 1000))
        serve_quietly(conn)
    return script


@pytest.mark.parametrize('count, taken', [(5, True), (6, False), (1000, False)])
def test_interim_answers(bridges, serve, count, taken):
    if taken:
        bridges.close(bridges.open(**serve(interim(count))))
    else:
        error = bridges.refused(**serve(interim(count)))
        assert (error.kind, error.data['stage']) == ('protocol', 'handshake') and 'interim' in error.message


def test_interim_answers_do_not_extend_the_deadline(bridges, serve):
    options = serve(drip(b'HTTP/1.1 100 Continue\r\n\r\n' * 100))
    began = time.monotonic()
    error = bridges.refused(**options, timeouts={'handshake': 0.3})
    assert (error.kind, error.data['stage']) == ('timeout', 'handshake')
    assert time.monotonic() - began < slack(1)


def test_cookie_flood(wsbridged, scripted):
    """Thousands of cookies, attempt after attempt: the jar has a bound, and so has the request."""
    serial = iter(range(1000000))

    def script(conn):
        conn.read_request()
        cookies = [f'Set-Cookie: c{next(serial)}={"v" * 300}' for _ in range(90)]
        conn.upgrade(extra=cookies)

    server = scripted(script)
    daemon = wsbridged({'b': {'url': server.url(), 'reconnect': {'initial': 0.01, 'max': 0.01}}})
    server.wait_connection(5)
    before = daemon.rss()
    server.wait_connection(60, timeout=20)
    assert_little_memory(daemon.rss() - before, MEGA)
    assert len(server.connections[-2].request) < 64 * 1024


def test_large_cookie_is_not_kept(wsbridged, scripted):
    server = scripted([lambda conn: conn.upgrade(extra=[f'Set-Cookie: big={"v" * 5000}', 'Set-Cookie: small=1']), echo])
    daemon = wsbridged({'b': {'url': server.url(), 'reconnect': {'initial': 0.01, 'max': 0.01}}})
    daemon.wait_status('b', lambda b: b['epoch'] == 2)
    assert server.connections[1].header('cookie') == 'small=1'


def test_many_attempts_leave_nothing(wsbridged, scripted, certs):
    """Descriptors and memory after two hundred handshakes that failed in many ways."""
    scripts = [FLOODS['20 MB header line'][0], lines(101), interim(6), swallow, lambda conn: conn.reset()]
    servers = [scripted(scripts, cert=certs['ecdsa']), scripted(scripts)]
    for server in servers:
        server.scripts = [lambda conn, server=server: scripts[len(server.connections) % len(scripts)](conn)]
    quick = {'initial': 0.01, 'max': 0.01, 'slow': 0.01}
    daemon = wsbridged({f'b{i}': {'url': s.url(), 'reconnect': quick, 'timeouts': {'open': 0.1}, 'start': 'manual',
                                  'tls': {'ca_file': certs.ca_file}} for i, s in enumerate(servers)})
    wait_until(lambda: daemon.status()['daemon']['control_clients']['now'] == 1)  # ours
    fds = daemon.n_fds()
    for i in range(2):
        daemon.call('open', name=f'b{i}')
    for server in servers:
        server.wait_connection(20, timeout=20)
    before = daemon.rss()
    for server in servers:
        server.wait_connection(100, timeout=30)
    for i in range(2):
        daemon.call('close', name=f'b{i}', wait=True)
    wait_until(lambda: daemon.n_fds() <= fds, what='no descriptor is left')
    assert_little_memory(daemon.rss() - before, MEGA)
