# SPDX-License-Identifier: Apache-2.0
"""Whatever a proxy may answer, right or wrong, slowly or too much: what real ones will not do."""

import time

import pytest

from dumb_server import echo
from harness import slack, wait_until
from scripted import answer_connect, connect_proxy, socks4_proxy, socks5_proxy, swallow

OK = b'HTTP/1.1 200 OK\r\n\r\n'
UPGRADED = b'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'


def refusal(status, *headers, body=b'a page'):
    lines = [f'HTTP/1.1 {status} Whatever', f'Content-Length: {len(body)}', *headers]
    return '\r\n'.join(lines).encode() + b'\r\n\r\n' + body


# answer, status, what the sentence says
ANSWERS = {
    'bytes behind the 200': (OK + UPGRADED, None, 'sent data before'),
    'one byte behind the 200': (OK + b'\x16', None, 'sent data before'),
    'a body behind the 200': (b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi', None, 'sent data before'),
    'garbage': (bytes(range(128, 256)) * 20, None, 'HTTP/1.x'),
    'another protocol': (b'SSH-2.0-OpenSSH_9.2p1\r\n', None, 'HTTP/1.x'),
    'TLS': (b'\x15\x03\x01\x00\x02\x02\x16', None, 'TLS'),
    'nothing and the end': (b'', None, 'closed'),
    'half a head and the end': (b'HTTP/1.1 200 OK\r\nVia: ', None, 'closed'),
    'an upgrade': (UPGRADED, 101, '101'),
    'a page': (refusal(301, 'Location: http://127.0.0.1/login'), 301, '301'),
    **{str(status): (refusal(status), status, str(status)) for status in (400, 403, 404, 405, 429, 500, 502, 503, 504)},
    '407 without an offer': (refusal(407), 407, 'password'),
    '407 with an offer': (refusal(407, 'Proxy-Authenticate: Basic realm="x"'), 407, 'password'),
    '407 with Negotiate': (refusal(407, 'Proxy-Authenticate: Negotiate'), 407, ''),
    'an endless header line': (b'HTTP/1.1 200 OK\r\nX: ' + b'x' * 100000, None, 'longer than'),
    'headers without end': (b'HTTP/1.1 200 OK\r\n' + b'X: y\r\n' * 200, None, 'more than 100'),
    'interim answers without end': (b'HTTP/1.1 100 Continue\r\n\r\n' * 20, 100, 'interim'),
    'a head with line feeds only': (b'HTTP/1.1 200 OK\n\n', None, ''),
}


@pytest.mark.parametrize('secure', [False, True], ids=['ws', 'wss'])
@pytest.mark.parametrize('case', ANSWERS, ids=lambda v: v.replace(' ', '-'))
def test_answer_to_connect(bridges, scripted, case, secure):
    data, status, sentence = ANSWERS[case]
    proxy = scripted(answer_connect(data, end='the end' in case))
    error = bridges.refused(f'{"wss" if secure else "ws"}://good.test/', proxy=f'http://127.0.0.1:{proxy.port}',
                            tls={'verify': False})
    assert (error.kind, error.data['stage'], error.data.get('status')) == ('proxy', 'proxy', status), error
    assert sentence in error.message, error
    wait_until(lambda: proxy.connections[0].ended)
    # Neither a request nor a ClientHello went into this tunnel.
    assert proxy.connections[0].rest == b''
    assert b'Sec-WebSocket' not in proxy.connections[0].request


FINE_ANSWERS = {
    'HTTP/1.0': b'HTTP/1.0 200 Connection established\r\n\r\n',
    'any 2xx': b'HTTP/1.1 299 Fine\r\n\r\n',
    'no reason': b'HTTP/1.1 200\r\n\r\n',
    'a Content-Length that means nothing': b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n',
    'a Transfer-Encoding that means nothing': b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
    'interim answers': b'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n' + OK,
    'many headers': b'HTTP/1.1 200 OK\r\n' + b''.join(b'X-%d: %s\r\n' % (i, b'x' * 100) for i in range(90)) + b'\r\n',
}


@pytest.mark.parametrize('case', FINE_ANSWERS, ids=lambda v: v.replace(' ', '-'))
def test_answer_to_connect_that_is_fine(bridges, scripted, certs, case):
    server = scripted(echo, cert=certs['ecdsa'])
    proxy = scripted(connect_proxy(FINE_ANSWERS[case]))
    bridge = bridges.open(server.url(), proxy=f'http://127.0.0.1:{proxy.port}', tls={'ca_file': certs.ca_file})
    assert bridges.echoes(bridge)
    bridges.close(bridge)


def drip(data, pause):
    """A byte at a time, for as long as anybody listens."""
    def script(conn):
        conn.read(1)
        conn.socket.settimeout(pause)
        for byte in data:
            conn.send(bytes([byte]))
            try:
                while True:
                    conn.read(len(conn.rest) + 1)
            except TimeoutError:
                pass
    return script


@pytest.mark.parametrize('scheme', ['http', 'https', 'socks4', 'socks5'])
@pytest.mark.parametrize('answer', [b'', b'HTTP/1.1 200 OK\r\nX: ' + b'x' * 1000], ids=['silent', 'drips'])
def test_proxy_that_is_slow(bridges, scripted, scheme, answer):
    """Progress does not extend a deadline."""
    proxy = scripted(drip(answer, 0.02) if answer and scheme == 'http' else swallow)
    began = time.monotonic()
    error = bridges.refused('ws://127.0.0.1:1/', proxy=f'{scheme}://127.0.0.1:{proxy.port}', timeouts={'open': 0.4},
                            tls={'verify': False})
    assert 0.35 < time.monotonic() - began < slack(1.2)
    assert (error.kind, error.data['stage']) == ('timeout', 'proxy'), error
    assert f'proxy 127.0.0.1:{proxy.port}' in error.message


SOCKS5_CODES = {1: 'general failure', 2: 'not allow', 3: 'network unreachable', 4: 'host unreachable',
                5: 'connection refused', 6: 'time to live', 7: '', 8: 'address', 9: '9', 255: '255'}


@pytest.mark.parametrize('code', SOCKS5_CODES)
def test_socks5_codes(bridges, scripted, code):
    proxy = scripted(socks5_proxy(reply=bytes([5, code, 0, 1, 0, 0, 0, 0, 0, 0])))
    error = bridges.refused('ws://127.0.0.1:1/', proxy=f'socks5://127.0.0.1:{proxy.port}')
    assert (error.kind, error.data['stage']) == ('proxy', 'proxy')
    assert SOCKS5_CODES[code] in error.message, error
    assert proxy.connections[0].rest == b''


@pytest.mark.parametrize('code', [91, 92, 93, 0, 255])
def test_socks4_codes(bridges, scripted, code):
    proxy = scripted(socks4_proxy(code))
    error = bridges.refused('ws://127.0.0.1:1/', proxy=f'socks4://127.0.0.1:{proxy.port}')
    assert (error.kind, error.data['stage']) == ('proxy', 'proxy')
    assert {92: 'identd', 93: 'identd'}.get(code, 'proxy') in error.message
    assert proxy.connections[0].rest == b''


def after(n, data, end=False):
    """Reads n bytes, then says this."""
    def script(conn):
        conn.read(n)
        conn.send(data)
        if not end:
            swallow(conn)
    return script


def end_after_the_request(conn):
    """It reads the request before it goes: closing over unread bytes would be a reset."""
    conn.read(3)
    conn.send(b'\x05\x00')
    conn.read(10)


# script, credentials, what the sentence says
SOCKS5_ODD = {
    'no method fits': (after(3, b'\x05\xff'), None, 'authentication'),
    'no method fits, with a password': (after(4, b'\x05\xff'), ('u', 'p'), 'authentication'),
    'a method that was not offered': (after(3, b'\x05\x02'), None, 'not offered'),
    'GSSAPI': (after(4, b'\x05\x01'), ('u', 'p'), 'not offered'),
    'the password is refused': (socks5_proxy(method=2, status=1), ('u', 'p'), 'refused'),
    'SOCKS4': (after(3, b'\x00\x5a' + b'\0' * 6), None, 'not SOCKS5'),
    'HTTP': (after(3, b'HTTP/1.1 400 Bad Request\r\n\r\n'), None, 'not SOCKS5'),
    'the end at once': (after(3, b'', end=True), None, 'closed'),
    'the end after the method': (end_after_the_request, None, 'closed'),
    'an unknown type of address': (socks5_proxy(reply=b'\x05\0\0\x02' + b'\0' * 20), None, 'address'),
    'bytes behind the reply': (socks5_proxy(reply=b'\x05\0\0\x01' + b'\0' * 6 + b'HTTP'), None, 'sent data before'),
    'bytes behind the method': (after(3, b'\x05\x00' + b'\x05\0\0\x01' + b'\0' * 6), None, 'before it was asked'),
}


@pytest.mark.parametrize('case', SOCKS5_ODD, ids=lambda v: v.replace(' ', '-'))
def test_socks5_that_is_odd(bridges, scripted, case):
    script, credentials, sentence = SOCKS5_ODD[case]
    proxy = scripted(script)
    info = ':'.join(credentials) + '@' if credentials else ''
    error = bridges.refused('ws://127.0.0.1:1/', proxy=f'socks5://{info}127.0.0.1:{proxy.port}')
    assert (error.kind, error.data['stage']) == ('proxy', 'proxy'), error
    assert sentence in error.message, error
    wait_until(lambda: proxy.connections[0].ended)
    assert b'GET' not in proxy.connections[0].rest


@pytest.mark.parametrize('address', [b'\x01' + b'\0' * 4, b'\x04' + b'\0' * 16, b'\x03\x00', b'\x03\xff' + b'x' * 255])
def test_socks5_reply_with_any_address(bridges, scripted, address):
    """Which one is nobody's business, but its end must be found."""
    server = scripted(echo)
    proxy = scripted(socks5_proxy(reply=b'\x05\0\0' + address + b'\0\0'))
    bridge = bridges.open(server.url(), proxy=f'socks5://127.0.0.1:{proxy.port}')
    assert bridges.echoes(bridge)
    bridges.close(bridge)


@pytest.mark.parametrize('cut', range(1, 10))
def test_socks5_reply_that_is_cut(bridges, scripted, cut):
    def script(conn):
        conn.read(3)
        conn.send(b'\x05\0')
        conn.read(10)
        conn.send((b'\x05\0\0\x01' + b'\0' * 6)[:cut])

    proxy = scripted(script)
    error = bridges.refused('ws://127.0.0.1:1/', proxy=f'socks5://127.0.0.1:{proxy.port}')
    assert (error.kind, error.data['stage']) == ('proxy', 'proxy')
    assert 'closed' in error.message


def test_refusals_that_time_does_not_mend_are_retried_slowly(bridges, scripted):
    proxy = scripted(answer_connect(refusal(407)))
    name = bridges.start('ws://good.test/', proxy=f'http://127.0.0.1:{proxy.port}',
                         reconnect={'initial': 0.01, 'max': 20, 'slow': 100, 'jitter': 'none'})
    assert 15 < bridges.daemon.wait_state(name, 'waiting')['retry_in'] <= 20
    bridges.close(name)
