# SPDX-License-Identifier: Apache-2.0
"""Metrics by HTTP: one small server, on a Unix socket or a loopback address, that nothing holds up."""

import http.client
import os
import re
import signal
import socket
import stat

import pytest

from harness import RpcError, free_port, slack, wait_until
from openmetrics import parse, value


def raw(address, data, end=False):
    """All that comes back for these bytes."""
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    with socket.socket(family) as s:
        s.settimeout(slack(20))
        s.connect(address)
        s.sendall(data)
        if end:
            s.shutdown(socket.SHUT_WR)
        return b''.join(iter(lambda: s.recv(65536), b''))


def request(line='GET /metrics HTTP/1.1', host='localhost', more=''):
    return f'{line}\r\n' .encode() + (f'Host: {host}\r\n'.encode() if host is not None else b'') + \
        f'{more}\r\n'.encode()


def read(answer):
    """Status, fields, body."""
    head, _, body = answer.partition(b'\r\n\r\n')
    status, *lines = head.decode().split('\r\n')
    fields = dict(line.split(': ', 1) for line in lines)
    assert len(fields) == len(lines)
    assert fields['Connection'] == 'close'
    assert re.fullmatch(r'\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT', fields['Date'])
    return status, fields, body


@pytest.fixture(scope='module')
def daemon(module_daemon):
    port = free_port()
    made = module_daemon({'b': {'url': 'ws://127.0.0.1:9/', 'start': 'manual'}}, metrics={'listen': f'127.0.0.1:{port}'})
    made.address = ('127.0.0.1', port)
    return made


def test_tcp(daemon):
    connection = http.client.HTTPConnection(*daemon.address, timeout=slack(20))
    connection.request('GET', '/metrics', headers={'Accept': 'application/openmetrics-text'})
    response = connection.getresponse()
    assert (response.status, response.version) == (200, 11)
    assert response.getheader('Content-Type') == daemon.call('metrics')['content_type']
    families = parse(response.read().decode())
    assert value(families, 'wsbridge_bridges') == 1
    assert value(families, 'wsbridge_bridge_attempts', bridge='b') == 0
    connection.close()


@pytest.mark.parametrize('line, host, status', [
    ('GET /metrics HTTP/1.1', 'localhost', 200),
    ('GET /metrics?name[]=x HTTP/1.1', 'LOCALHOST:9469', 200),
    ('GET /metrics HTTP/1.1', '127.0.0.1:1', 200),
    ('GET /metrics HTTP/1.1', '[::1]:9469', 200),
    ('GET /metrics HTTP/1.0', None, 200),
    ('HEAD /metrics HTTP/1.1', 'localhost', 200),
    ('GET / HTTP/1.1', 'localhost', 404),
    ('GET /metricsx HTTP/1.1', 'localhost', 404),
    ('GET //metrics HTTP/1.1', 'localhost', 404),
    ('POST /metrics HTTP/1.1', 'localhost', 405),
    ('get /metrics HTTP/1.1', 'localhost', 405),
    ('GET /metrics HTTP/1.1', None, 400),
    ('GET /metrics HTTP/1.1', 'a\r\nHost: b', 400),
    ('GET /metrics HTTP/2.0', 'localhost', 400),
    ('GET  /metrics HTTP/1.1', 'localhost', 400),
    ('hello', 'localhost', 400),
    # Names that somebody else may have made to lead here.
    ('GET /metrics HTTP/1.1', 'evil.example', 403),
    ('GET /metrics HTTP/1.1', 'localhost.evil.example', 403),
    ('GET /metrics HTTP/1.1', '127.0.0.1.evil.example', 403),
    ('GET /metrics HTTP/1.1', 'dead.beef:80', 403),
    ('GET /metrics HTTP/1.1', '', 403),
])
def test_requests(daemon, line, host, status):
    found, fields, body = read(raw(daemon.address, request(line, host)))
    assert found.startswith(f'HTTP/1.1 {status} ')
    assert int(fields['Content-Length']) == len(body) or line.startswith('HEAD')
    if line.startswith('HEAD'):
        assert body == b'' and int(fields['Content-Length']) > 100
    elif status == 200:
        parse(body.decode())
    else:
        assert fields['Content-Type'] == 'text/plain; charset=utf-8'
    assert ('Allow' in fields) == (status == 405)


def test_byte_by_byte_and_with_more_behind(daemon):
    with socket.create_connection(daemon.address, timeout=slack(20)) as s:
        for byte in request():
            s.sendall(bytes([byte]))
        s.sendall(request() * 100)
        answer = b''.join(iter(lambda: s.recv(65536), b''))
    assert answer.count(b'HTTP/1.1 ') == 1
    parse(read(answer)[2].decode())


def test_the_end_of_input_behind_the_request(daemon):
    assert read(raw(daemon.address, request(), end=True))[0] == 'HTTP/1.1 200 OK'
    assert raw(daemon.address, b'GET /metr', end=True) == b''


def test_too_much(daemon):
    assert read(raw(daemon.address, request(more='X: ' + 'x' * 9000 + '\r\n')))[0] == 'HTTP/1.1 400 Bad Request'


def steady_fds(daemon):
    """Descriptors of the daemon, once those of clients that have left are gone."""
    seen = []

    def steady():
        seen.append(daemon.n_fds())
        return len(seen) >= 50 and len(set(seen[-50:])) == 1

    wait_until(steady)
    return seen[-1]


def test_connections_are_few_and_short(daemon):
    assert daemon.call('version')
    before = steady_fds(daemon)
    idle = [socket.create_connection(daemon.address, timeout=slack(30)) for _ in range(16)]
    try:
        wait_until(lambda: daemon.n_fds() == before + 16)
        with socket.create_connection(daemon.address, timeout=slack(20)) as s:
            assert s.recv(1) == b''  # one too many
        idle.pop().close()
        wait_until(lambda: daemon.n_fds() == before + 15)
        assert read(raw(daemon.address, request()))[0] == 'HTTP/1.1 200 OK'
        assert idle[0].recv(1) == b''  # asked nothing within 10 s
        wait_until(lambda: daemon.n_fds() == before)
    finally:
        for s in idle:
            s.close()
    assert daemon.call('version')


def test_unix(wsbridged):
    daemon = wsbridged(metrics={'unix': '$DIR/metrics', 'mode': '0660'})
    path = daemon.path('metrics')
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o660
    # There is no browser on this way, so that names do not matter.
    status, _, body = read(raw(path, request(host='any.example')))
    assert status == 'HTTP/1.1 200 OK'
    parse(body.decode())
    daemon.send_signal(signal.SIGTERM)
    assert daemon.wait_exit() == 0
    assert not os.path.exists(path)


def test_reload(wsbridged):
    """The same place is left alone, another one is made, none is none."""
    port = free_port()
    daemon = wsbridged(metrics={'unix': '$DIR/one'})
    before = os.stat(daemon.path('one')).st_ino
    daemon.call('reload')
    assert os.stat(daemon.path('one')).st_ino == before
    daemon.write({'metrics': {'unix': '$DIR/one', 'mode': '0644'}})
    daemon.call('reload')
    assert stat.S_IMODE(os.stat(daemon.path('one')).st_mode) == 0o644
    daemon.write({'metrics': {'listen': f'127.0.0.1:{port}'}})
    daemon.call('reload')
    assert not os.path.exists(daemon.path('one'))
    assert read(raw(('127.0.0.1', port), request()))[0] == 'HTTP/1.1 200 OK'
    daemon.write({})
    daemon.call('reload')
    with pytest.raises(ConnectionRefusedError):
        raw(('127.0.0.1', port), request())


def test_a_place_that_is_taken(wsbridged):
    """Is no second daemon: the exit status is 1; and after a reload the rest goes on."""
    with socket.create_server(('127.0.0.1', 0)) as taken:
        metrics = {'listen': f'127.0.0.1:{taken.getsockname()[1]}'}
        daemon = wsbridged(start=False, metrics=metrics)
        daemon.expected_status = 1
        daemon.start(ready=False)
        assert daemon.wait_exit() == 1
        daemon.log_contains(f'metrics: bind {metrics["listen"]}: Address already in use')
        other = wsbridged()
        other.write({'metrics': metrics})
        other.call('reload')
        other.log_contains('Address already in use')
        assert other.call('version')


def test_only_for_this_machine(wsbridged):
    daemon = wsbridged()
    for address in ('0.0.0.0:9469', '192.0.2.1:9469', '[::]:9469', '127.0.0.1', '127.0.0.1:0', 'localhost:9469'):
        daemon.write({'metrics': {'listen': address}})
        with pytest.raises(RpcError) as error:
            daemon.call('reload')
        assert 'metrics.listen: must be a loopback address and a port' in error.value.message
