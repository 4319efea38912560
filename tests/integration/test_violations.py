# SPDX-License-Identifier: Apache-2.0
"""
Servers that break the protocol: each case is answered with the right close code or named with the
right error, and then the bridge connects again. One daemon for all cases: each opens a bridge.
"""

import itertools
import struct

import pytest

import frames
from dumb_server import DumbServer, serve_quietly
from frames import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, frame, text
from harness import slack, wait_until

MAX_MESSAGE = 100000
names = (f'case-{i}' for i in itertools.count())


@pytest.fixture(scope='module')
def daemon(module_daemon):
    return module_daemon(limits={'bridges': 10000})


def run_case(daemon, scripts, **options):
    """Opens a bridge to a server with these scripts; returns name and server."""
    server = DumbServer(scripts)
    name = next(names)
    daemon.call('open', name=name, url=server.url('/case'), endpoint=daemon.path(f'{name}.sock'),
                **{'max_message': MAX_MESSAGE, 'reconnect': {'initial': 0.01, 'max': 0.02, 'slow': 0.02}, **options})
    return name, server


def finish_case(daemon, name, server):
    daemon.call('close', name=name, wait=True)
    server.stop()
    assert not server.errors, server.errors


# After the upgrade ----------------------------------------------------------


def fragments(opcode, *payloads):
    """One message."""
    last = len(payloads) - 1
    return b''.join(frame(CONTINUATION if i else opcode, p, fin=i == last) for i, p in enumerate(payloads))


VIOLATIONS = {
    # RFC 6455, 5.2
    'reserved bit 1': (frame(TEXT, b'x', rsv=4), 1002, 'a frame has a reserved bit set'),
    'reserved bit 2': (frame(TEXT, b'x', rsv=2), 1002, 'a frame has a reserved bit set'),
    'reserved bit 3': (frame(BINARY, b'x', rsv=1), 1002, 'a frame has a reserved bit set'),
    'reserved bits of a ping': (frame(PING, b'', rsv=7), 1002, 'a frame has a reserved bit set'),
    'reserved bit of a continuation': (frame(TEXT, b'x', fin=False) + frame(CONTINUATION, b'x', rsv=4), 1002,
                                       'a frame has a reserved bit set'),
    **{f'opcode {i}': (frame(i, b'x'), 1002, 'a frame has a reserved opcode')
       for i in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)},
    'length 126 in 16 bits is fine, 125 is not': (frame(TEXT, b'x' * 125, form=16), 1002,
                                                  'a frame length is longer than necessary'),
    'length 65535 in 64 bits': (frame(BINARY, b'x' * 65535, form=64), 1002, 'a frame length is longer than necessary'),
    'length 0 in 64 bits': (frame(BINARY, b'', form=64), 1002, 'a frame length is longer than necessary'),
    'highest bit of the length': (frame(BINARY, b'', form=64, length=1 << 63), 1002,
                                  'a frame length has its highest bit set'),
    # RFC 6455, 5.1
    'masked': (frame(TEXT, b'x', mask=b'abcd'), 1002, 'a frame from the server is masked'),
    'masked with zeros': (frame(TEXT, b'x', mask=b'\0\0\0\0'), 1002, 'a frame from the server is masked'),
    'masked ping': (frame(PING, b'', mask=b'abcd'), 1002, 'a frame from the server is masked'),
    # RFC 6455, 5.4 and 5.5
    'continuation of nothing': (frame(CONTINUATION, b'x'), 1002, 'a continuation frame continues nothing'),
    'continuation of nothing, unfinished': (frame(CONTINUATION, b'x', fin=False), 1002,
                                            'a continuation frame continues nothing'),
    'continuation after the end': (fragments(TEXT, b'a', b'b') + frame(CONTINUATION, b'c'), 1002,
                                   'a continuation frame continues nothing'),
    'text inside a message': (frame(TEXT, b'a', fin=False) + text('b'), 1002,
                              'a message begins inside a fragmented one'),
    'binary inside a message': (frame(TEXT, b'a', fin=False) + frame(BINARY, b'b', fin=False), 1002,
                                'a message begins inside a fragmented one'),
    'fragmented ping': (frame(PING, b'a', fin=False), 1002, 'a control frame is fragmented'),
    'fragmented pong': (frame(PONG, b'a', fin=False), 1002, 'a control frame is fragmented'),
    'fragmented close': (frame(CLOSE, b'\x03\xe8', fin=False), 1002, 'a control frame is fragmented'),
    'ping of 126 bytes': (frame(PING, b'x' * 126), 1002, 'a control frame is longer than 125 bytes'),
    'pong in 64 bits': (frame(PONG, b'x' * 70000), 1002, 'a control frame is longer than 125 bytes'),
    'close of 126 bytes': (frame(CLOSE, b'\x03\xe8' + b'x' * 124), 1002, 'a control frame is longer than 125 bytes'),
    # RFC 6455, 5.5.1 and 7.4
    'close of one byte': (frame(CLOSE, b'\x03'), 1002, 'a Close has a body of one byte'),
    **{f'close code {code}': (frames.close(code), 1002, f'a Close has the code {code}, which must not be sent')
       for code in (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535)},
    'close reason that is not UTF-8': (frames.close(1000, b'\xff'), 1007, 'the reason in a Close is not UTF-8'),
    'close reason that is cut': (frames.close(1000, 'ü'.encode()[:1]), 1007, 'the reason in a Close is not UTF-8'),
    # RFC 6455, 8.1
    **{f'text {name}': (text(data), 1007, 'a text message is not UTF-8') for name, data in {
        'of a lone continuation byte': b'ok \x80',
        'with FF': b'\xff',
        'that ends in a character': b'ok \xe4\xb8',
        'with a surrogate': b'\xed\xa0\x80',
        'with an overlong slash': b'\xc0\xaf',
        'with an overlong NUL': b'\xe0\x80\x80',
        'beyond U+10FFFF': b'\xf4\x90\x80\x80',
        'with five bytes': b'\xf8\x88\x80\x80\x80',
    }.items()},
    'character cut by the last fragment': (fragments(TEXT, b'a', b'\xe4\xb8', b''), 1007,
                                           'a text message is not UTF-8'),
    'bad byte in the first of two fragments': (frame(TEXT, b'a\xff', fin=False), 1007, 'a text message is not UTF-8'),
    'bad byte before the rest has come': (frame(TEXT, b'a\xff', length=60000, form=16), 1007,
                                          'a text message is not UTF-8'),
    # interface: max_message
    'message too big': (frame(BINARY, b'x' * (MAX_MESSAGE + 1)), 1009, 'a message is longer than 100000 bytes'),
    'message too big by its header alone': (frame(BINARY, b'', form=64, length=1 << 40), 1009,
                                            'a message is longer than 100000 bytes'),
    'fragments too big': (fragments(BINARY, *[b'x' * 10000] * 11), 1009, 'a message is longer than 100000 bytes'),
    'too many fragments': (frame(TEXT, b'', fin=False) + frame(CONTINUATION, b'', fin=False) * 131072, 1009,
                           'a message has too many fragments'),
}

KINDS = {1002: 'protocol', 1007: 'payload', 1009: 'overflow'}


@pytest.mark.parametrize('violation', VIOLATIONS, ids=lambda v: v.replace(' ', '-'))
def test_violation(daemon, violation):
    data, code, sentence = VIOLATIONS[violation]

    def script(conn):
        conn.upgrade(behind=text('good'))
        # The case where it stands whole in one read is another than this one, byte by byte.
        if len(data) < 64:
            for i in range(len(data)):
                conn.send(data[i:i + 1])
        else:
            conn.send(data)
        conn.drain()

    name, server = run_case(daemon, [script, serve_quietly])
    bridge = daemon.wait_status(name, lambda b: b['epoch'] == 2)
    first = server.connections[0]
    assert first.close is not None, first.frames
    assert first.close.code == code
    assert [f.opcode for f in first.frames if f.opcode not in (PONG,)] == [CLOSE]
    error = bridge['last_error']
    assert (error['message'], error['kind'], error['close_code']) == (sentence, KINDS[code], code)
    assert error['retryable'] == (KINDS[code] == 'overflow')
    # What came before it counts.
    assert bridge['rx']['messages'] >= 1
    assert bridge['last_close'] == {'code': 1006, 'reason': '', 'clean': False}
    finish_case(daemon, name, server)


def test_violation_in_one_segment_with_the_upgrade(daemon):
    def script(conn):
        conn.upgrade(behind=text('a') + frame(3, b'x') + text('never'))
        conn.drain()

    name, server = run_case(daemon, [script, serve_quietly])
    bridge = daemon.wait_status(name, lambda b: b['epoch'] == 2)
    assert server.connections[0].close.code == 1002
    assert bridge['rx']['messages'] == 1
    finish_case(daemon, name, server)


def test_a_server_that_goes_on_after_our_verdict_still_gets_it(daemon):
    """Closing at once would reset the connection, and the Close could be lost."""
    def script(conn):
        conn.upgrade(behind=frame(3, b'x'))
        for _ in range(50):
            conn.send(frame(BINARY, b'x' * 50000))
        conn.drain()

    name, server = run_case(daemon, [script, serve_quietly])
    daemon.wait_status(name, lambda b: b['epoch'] == 2)
    assert server.connections[0].close.code == 1002
    finish_case(daemon, name, server)


FINE = {
    'text of 126 bytes in 16 bits': text('x' * 126),
    'text of 65536 bytes in 64 bits': text('x' * 65536),
    'message of exactly max_message': frame(BINARY, b'x' * MAX_MESSAGE),
    'fragments of exactly max_message': fragments(BINARY, *[b'x' * 20000] * 5),
    'empty fragments': fragments(TEXT, b'', b'', b'x', b''),
    'character cut by fragments': fragments(TEXT, b'\xe4', b'\xb8', b'\x96'),
    'largest and least characters': text('\x00\x7f\x80\u07ff\u0800\uffff\U00010000\U0010ffff\ufdd0'),
    'binary that is no UTF-8': frame(BINARY, bytes(range(256))),
    'pong nobody asked for': frame(PONG, b'x' * 125) + text('x'),
    'ping inside a message': frame(TEXT, b'a', fin=False) + frame(PING, b'') + frame(CONTINUATION, b''),
}


@pytest.mark.parametrize('fine', FINE, ids=lambda v: v.replace(' ', '-'))
def test_what_is_unusual_but_right(daemon, fine):
    def script(conn):
        conn.upgrade(behind=FINE[fine])
        conn.drain_to_close()
        conn.send(frames.close(1000))

    name, server = run_case(daemon, script)
    bridge = daemon.wait_status(name, lambda b: b['rx']['messages'] == 1)
    assert (bridge['state'], bridge['last_error']) == ('open', None)
    finish_case(daemon, name, server)
    assert server.connections[0].close.code == 1000


def test_validate_utf8_off(daemon):
    def script(conn):
        conn.upgrade(behind=text(b'\xff\xfe'))
        conn.drain_to_close()

    name, server = run_case(daemon, script, validate_utf8=False)
    assert daemon.wait_status(name, lambda b: b['rx']['messages'] == 1)['state'] == 'open'
    finish_case(daemon, name, server)


def test_nothing_follows_our_close(daemon):
    """Lines that are written while a bridge closes are not sent behind the Close (RFC 6455, 5.5.1)."""
    def script(conn):
        conn.upgrade()
        conn.drain_to_close()
        conn.drain()  # and it never answers

    name, server = run_case(daemon, script, timeouts={'close': 0.3})
    daemon.wait_open(name)
    with daemon.client(name) as client:
        daemon.wait_status(name, lambda b: b['clients'])
        daemon.call('close', name=name)
        client.send(b'late\n' * 100)
        wait_until(lambda: server.connections[0].ended)
    assert [f.opcode for f in server.connections[0].frames] == [CLOSE]
    server.stop()


# The handshake --------------------------------------------------------------


def status(code, text='Whatever', extra=(), body=b'', version='HTTP/1.1'):
    def script(conn):
        conn.read_request()
        lines = [f'{version} {code} {text}', f'Content-Length: {len(body)}', *extra]
        conn.send('\r\n'.join(lines).encode() + b'\r\n\r\n' + body)
        conn.drain()
    return script


def raw(data, end=None):
    """end: a method of the connection that ends it."""
    def script(conn):
        conn.read_request()
        conn.send(data)
        if end:
            end(conn)
        else:
            conn.drain()
    return script


def changed(**headers):
    def script(conn):
        conn.upgrade(**headers)
        conn.drain()
    return script


def interim(count, then):
    def script(conn):
        conn.read_request()
        conn.send(b'HTTP/1.1 100 Continue\r\n\r\n' * count)
        then(conn)
    return script


def accept(change):
    def script(conn):
        conn.read_request()
        conn.upgrade(Sec_WebSocket_Accept=change(conn.accept_value()))
        conn.drain()
    return script


def header_lines(*lines):
    def script(conn):
        conn.upgrade(extra=lines)
        conn.drain()
    return script


def reset(conn):
    conn.reset()


def end(conn):
    conn.end()


SWITCH = 'the response does not upgrade to websocket'
NOT_HTTP = 'the answer is not HTTP/1.x'
OK_HEAD = b'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'

HANDSHAKES = {
    **{f'status {code}': (status(code, extra=extra), 'bad_status', f'the server answered with status {code}')
       for code, extra in [(200, ()), (204, ()), (301, ('Location: ws://127.0.0.1:1/',)), (302, ('Location: /x',)),
                           (401, ('WWW-Authenticate: Basic realm="x"',)), (403, ()), (404, ()), (408, ()), (426, ()),
                           (429, ('Retry-After: 1',)), (500, ()), (503, ()), (599, ()), (999, ())]},
    'status 200 with a large body': (status(200, body=b'x' * 3000000), 'bad_status',
                                     'the server answered with status 200'),
    'wrong accept': (accept(lambda v: 'A' * 28), 'protocol', 'Sec-WebSocket-Accept does not answer our key'),
    'accept in another case': (accept(str.swapcase), 'protocol', 'Sec-WebSocket-Accept does not answer our key'),
    'accept without padding': (accept(lambda v: v.rstrip('=')), 'protocol',
                               'Sec-WebSocket-Accept does not answer our key'),
    'empty accept': (accept(lambda v: ''), 'protocol', 'Sec-WebSocket-Accept does not answer our key'),
    'no accept': (accept(lambda v: None), 'protocol', 'the response lacks Sec-WebSocket-Accept'),
    'two accepts': (accept(lambda v: [v, v]), 'protocol', 'the response has more than one Sec-WebSocket-Accept'),
    'no upgrade': (changed(Upgrade=None), 'protocol', SWITCH),
    'upgrade to h2c': (changed(Upgrade='h2c'), 'protocol', SWITCH),
    'upgrade to a list': (changed(Upgrade='websocket, h2c'), 'protocol', SWITCH),
    'two upgrades': (changed(Upgrade=['websocket', 'websocket']), 'protocol', SWITCH),
    'upgrade to websockets': (changed(Upgrade='websockets'), 'protocol', SWITCH),
    'no connection': (changed(Connection=None), 'protocol', 'the response lacks "Connection: Upgrade"'),
    'connection close': (changed(Connection='close'), 'protocol', 'the response lacks "Connection: Upgrade"'),
    'connection upgraded': (changed(Connection='upgraded, x-upgrade'), 'protocol',
                            'the response lacks "Connection: Upgrade"'),
    'subprotocol that was not offered': (changed(Sec_WebSocket_Protocol='other'), 'protocol',
                                         'the server chose a subprotocol that was not offered'),
    'subprotocol in another case': (changed(Sec_WebSocket_Protocol='CHAT'), 'protocol',
                                    'the server chose a subprotocol that was not offered'),
    'list of subprotocols': (changed(Sec_WebSocket_Protocol='chat, news'), 'protocol',
                             'the server chose a subprotocol that was not offered'),
    'two subprotocols': (changed(Sec_WebSocket_Protocol=['chat', 'news']), 'protocol',
                         'the response has more than one Sec-WebSocket-Protocol'),
    'extension': (changed(Sec_WebSocket_Extensions='x-webkit-deflate-frame'), 'protocol',
                  'the server uses an extension that was not offered'),
    'extension twice': (changed(Sec_WebSocket_Extensions='permessage-deflate, permessage-deflate'), 'protocol',
                        'the server chose permessage-deflate twice'),
    'extension with an unknown parameter': (
        changed(Sec_WebSocket_Extensions='permessage-deflate; mystery=1'), 'protocol',
        'the server\'s answer to permessage-deflate: unknown parameter "mystery"'),
    'HTTP/1.0': (lambda conn: (conn.upgrade(status='HTTP/1.0 101 Switching Protocols'), conn.drain()), 'protocol',
                 'the response is HTTP/1.0'),
    'HTTP/2.0': (raw(b'HTTP/2.0 101 Switching Protocols\r\n\r\n'), 'protocol', NOT_HTTP),
    'frames of HTTP/2': (raw(b'\0\0\x12\x04\0\0\0\0\0' + b'\0' * 18), 'protocol', NOT_HTTP),
    'another protocol': (raw(b'SSH-2.0-OpenSSH_9.2p1\r\n'), 'protocol', NOT_HTTP),
    'garbage without a line end': (raw(bytes(range(128, 256)) * 100), 'protocol', NOT_HTTP),
    'a TLS alert': (raw(b'\x15\x03\x01\x00\x02\x02\x16'), 'protocol',
                    'the answer is TLS where plain HTTP was expected'),
    'no status': (raw(b'HTTP/1.1\r\n\r\n'), 'protocol', 'the status line has no status'),
    'status in letters': (raw(b'HTTP/1.1 abc OK\r\n\r\n'), 'protocol', 'the status is not a number'),
    'status of four digits': (raw(b'HTTP/1.1 1010 OK\r\n\r\n'), 'protocol',
                              'the status is not a number of three digits'),
    'status 099': (raw(b'HTTP/1.1 099 OK\r\n\r\n'), 'protocol', 'the status is not a number of three digits'),
    'line feeds only': (raw(OK_HEAD.replace(b'\r', b'') + b'\n'), 'protocol', 'a line of the response ends without CR'),
    'folded header': (header_lines('X-A: b', ' c'), 'protocol', 'header line 5 of the response is folded'),
    'header without colon': (header_lines('nonsense'), 'protocol', 'header line 4 of the response has no colon'),
    'space before the colon': (header_lines('X-A : b'), 'protocol',
                               'header line 4 of the response has white space before the colon'),
    'header name that is no token': (header_lines('X(A): b'), 'protocol',
                                     'the name in header line 4 of the response is not a token'),
    'control character in a header': (header_lines('X-A: b\x00c'), 'protocol',
                                      'header line 4 of the response has a control character'),
    'flood of headers': (header_lines(*[f'X-{i}: x' for i in range(200)]), 'protocol',
                         'the response has more than 100 header lines'),
    'endless header line': (raw(OK_HEAD + b'X: ' + b'x' * 100000), 'protocol',
                            'a header line of the response is longer than 8192 bytes'),
    'endless status line': (raw(b'HTTP/1.1 101 ' + b'x' * 100000), 'protocol',
                            'the first line of the response is longer than 4096 bytes'),
    'large head': (header_lines(*[f'X-{i}: {"x" * 8000}' for i in range(6)]), 'protocol',
                   'the head of the response is longer than 32768 bytes'),
    'too many interim responses': (interim(6, changed()), 'protocol', 'the server sent too many interim responses'),
    'end before an answer': (raw(b'', end), 'connect',
                             'the server closed the connection before it answered the handshake'),
    'end in the middle of the head': (raw(OK_HEAD[:40], end), 'connect',
                                      'the server closed the connection before it answered the handshake'),
}


@pytest.mark.parametrize('case', HANDSHAKES, ids=lambda v: v.replace(' ', '-'))
def test_handshake(daemon, case):
    script, kind, sentence = HANDSHAKES[case]
    name, server = run_case(daemon, [script, serve_quietly], subprotocols=['chat', 'news'])
    bridge = daemon.wait_status(name, lambda b: b['epoch'] == 1)
    assert len(server.connections) == 2
    error = bridge['last_error']
    assert (error['message'], error['kind'], error['stage']) == (sentence, kind, 'handshake')
    code = int(sentence.split()[-1]) if kind == 'bad_status' else None
    assert error.get('status') == code
    assert error['retryable'] == (kind == 'connect' or code in (408, 429) or (code or 0) >= 500)
    # No frame leaves before the upgrade (RFC 6455, 4.1).
    assert server.connections[0].frames == [] and server.connections[0].rest == b''
    finish_case(daemon, name, server)


def test_reset_in_the_handshake(daemon):
    name, server = run_case(daemon, [raw(b'', reset), serve_quietly])
    error = daemon.wait_status(name, lambda b: b['epoch'] == 1)['last_error']
    assert (error['kind'], error['stage']) == ('connect', 'handshake')
    assert 'reset' in error['message']
    finish_case(daemon, name, server)


@pytest.mark.parametrize('timeouts, stage_time', [({'handshake': 0.3}, 0.3), ({'open': 0.3, 'handshake': 5}, 0.3)])
def test_no_answer_and_one_that_drips(daemon, timeouts, stage_time):
    """Progress does not extend a deadline."""
    def drip(conn):
        conn.read_request()
        for byte in OK_HEAD * 100:
            conn.socket.sendall(bytes([byte]))
            try:
                conn.socket.settimeout(0.02)
                if not conn.socket.recv(1):
                    return
            except TimeoutError:
                pass

    name, server = run_case(daemon, [raw(b''), drip, serve_quietly], timeouts=timeouts)
    error = daemon.wait_status(name, lambda b: b['epoch'] == 1)['last_error']
    assert (error['kind'], error['stage']) == ('timeout', 'handshake')
    assert error['message'] == 'no answer to the handshake in time'
    for conn in server.connections[:2]:
        assert stage_time - 0.05 <= conn.ended - conn.began <= stage_time + slack(0.3)
    finish_case(daemon, name, server)


FINE_HANDSHAKES = {
    'names and tokens in any case': lambda conn: conn.upgrade(
        Upgrade=None, Connection=None, extra=['uPGRADE: WebSocket', 'CONNECTION: keep-alive, uPgRaDe']),
    'connection in two lines': changed(Connection=['keep-alive', 'Upgrade']),
    'no reason phrase': lambda conn: conn.upgrade(status='HTTP/1.1 101 '),
    'no space behind the status': lambda conn: conn.upgrade(status='HTTP/1.1 101'),
    'five interim responses': interim(5, changed()),
    'a subprotocol that was offered': changed(Sec_WebSocket_Protocol='news'),
    'no subprotocol although some were offered': changed(),
    'many headers': header_lines(*[f'X-{i}: {"x" * 100}' for i in range(97)]),
    'white space around values': changed(Upgrade=' \t websocket \t '),
}


@pytest.mark.parametrize('case', FINE_HANDSHAKES, ids=lambda v: v.replace(' ', '-'))
def test_handshake_that_is_unusual_but_right(daemon, case):
    def script(conn):
        conn.read_request()
        FINE_HANDSHAKES[case](conn)
        conn.drain()

    name, server = run_case(daemon, script, subprotocols=['chat', 'news'])
    bridge = daemon.wait_status(name, lambda b: b['epoch'] == 1)
    assert (bridge['state'], bridge['last_error'], bridge['handshake']['status']) == ('open', None, 101)
    assert bridge['subprotocol'] == ('news' if 'was offered' in case else None)
    assert bridge['peer'] == f'127.0.0.1:{server.port}'
    server.stop()
    daemon.call('close', name=name)


def test_headers_of_the_response_are_in_status_without_its_secrets(daemon):
    name, server = run_case(daemon, header_lines('X-Server: dumb', 'X-Many: 1', 'x-many: 2', 'Set-Cookie: s=ecret'))
    headers = daemon.wait_status(name, lambda b: b['epoch'] == 1)['handshake']['headers']
    assert headers['x-server'] == 'dumb'
    assert headers['x-many'] == ['1', '2']
    assert 'ecret' not in str(headers)
    server.stop()
    daemon.call('close', name=name)


def test_the_largest_frame_header_is_not_believed(daemon):
    """Memory grows with what arrived, never with what was announced."""
    def script(conn):
        conn.upgrade(behind=b'\x82\x7f' + struct.pack('>Q', (1 << 30) - 1) + b'x' * 1000)
        conn.drain()

    before = daemon.rss()
    name, server = run_case(daemon, script, max_message='1G')
    daemon.wait_status(name, lambda b: b['epoch'] == 1)
    assert daemon.rss() - before < slack(1) * (4 << 20)
    daemon.call('close', name=name)
    server.stop()
