# SPDX-License-Identifier: Apache-2.0
"""permessage-deflate (RFC 7692) with servers of others, and what it costs."""

import json
import re
import zlib

import pytest

import frames
from external import Nginx
from harness import WRAPPER, is_instrumented, programs, slack, wait_until

OFFER = 'permessage-deflate; client_no_context_takeover; client_max_window_bits=12'
MEGA = 1 << 20


def prose(n, seed=0):
    """Text that can be compressed, of n bytes."""
    text = ''.join(f'{{"n":{i * 7919 % 10007},"seed":{seed},"name":"größe"}},' for i in range(n // 30 + 1))
    return text.encode()[:n].decode(errors='ignore').ljust(n, '.')[:n]


def echo(daemon, name='b', sizes=(10, 1024, 5000, 16383, 70000, 300000), rounds=3):
    """Lines of many sizes to a server that sends them back, and the same again."""
    with daemon.client(name) as client:
        for i in range(rounds):
            for size in sizes:
                line = prose(size, i % 2).encode()
                client.send(line + b'\n')
                assert client.line() == line


# The offer --------------------------------------------------------------------


@pytest.mark.parametrize('option, offer', [
    (None, OFFER),
    (True, OFFER),
    (False, None),
    ({}, OFFER),
    ({'client_max_window_bits': 15}, 'permessage-deflate; client_no_context_takeover; client_max_window_bits'),
    ({'client_no_context_takeover': False}, 'permessage-deflate; client_max_window_bits=12'),
    ({'server_no_context_takeover': True, 'server_max_window_bits': 9, 'client_max_window_bits': 9},
     'permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=9; '
     'client_max_window_bits=9'),
])
def test_offer(serve, option, offer):
    daemon, _, conn = serve(**({} if option is None else {'compression': option}))
    assert conn.header('sec-websocket-extensions') == offer
    assert daemon.status('b')['compression'] is None


@pytest.mark.parametrize('answer, sentence', [
    ('permessage-deflate; server_max_window_bits=16', 'a value that is not 8 to 15 for "server_max_window_bits"'),
    ('permessage-deflate; client_max_window_bits', 'no value for "client_max_window_bits"'),
    ('permessage-deflate; server_no_context_takeover=yes', 'a value for "server_no_context_takeover"'),
])
def test_answer_that_is_wrong(wsbridged, dumb_server, answer, sentence):
    def script(conn):
        conn.upgrade(Sec_WebSocket_Extensions=answer)
        conn.drain()

    daemon = wsbridged({'b': {'url': dumb_server(script).url(), 'reconnect': {'initial': 30}}})
    error = daemon.wait_status('b', lambda b: b['last_error'])['last_error']
    assert (error['kind'], error['stage']) == ('protocol', 'handshake')
    assert error['message'] == f'the server\'s answer to permessage-deflate: {sentence}'


# Servers of others ------------------------------------------------------------

AGREEMENTS = [(ours, theirs) for ours in (
    {}, {'client_no_context_takeover': False}, {'server_no_context_takeover': True},
    {'client_max_window_bits': 9, 'server_max_window_bits': 9, 'client_no_context_takeover': False, 'level': 9},
    {'client_max_window_bits': 15, 'threshold': 0, 'client_no_context_takeover': False},
) for theirs in (
    {}, {'client_no_context_takeover': True}, {'server_no_context_takeover': True},
    {'client_max_window_bits': 10}, {'server_max_window_bits': 9},
    {'client_max_window_bits': 15, 'server_max_window_bits': 15, 'client_no_context_takeover': True,
     'server_no_context_takeover': True})]


def node_options(parameters):
    """As ws has them: clientNoContextTakeover."""
    camel = {re.sub('_(.)', lambda m: m[1].upper(), k): v for k, v in parameters.items()}
    return json.dumps({'threshold': 0, **camel})


def check_agreement(bridge, ours, theirs):
    agreed = bridge['compression']
    assert agreed['extension'] == 'permessage-deflate'
    assert agreed['client_max_window_bits'] <= min(ours.get('client_max_window_bits', 12),
                                                   theirs.get('client_max_window_bits', 15))
    assert agreed['server_max_window_bits'] <= ours.get('server_max_window_bits', 15)
    assert agreed['server_no_context_takeover'] >= ours.get('server_no_context_takeover', False)
    assert agreed['client_no_context_takeover'] >= ours.get('client_no_context_takeover', True)
    for way in ('rx', 'tx'):
        assert agreed[way]['messages'] > 0
        assert 0 < agreed[way]['wire_bytes'] < agreed[way]['bytes'] / 2


@pytest.mark.limit(60)
@pytest.mark.parametrize('kind', ['websockets', 'ws'])
def test_every_agreement(wsbridged, start_server, kind):
    """One server for each of its agreements, one bridge for each of ours."""
    for theirs in {json.dumps(t): t for _, t in AGREEMENTS}.values():
        options = node_options(theirs) if kind == 'ws' else json.dumps(theirs)
        server = start_server(kind, '--deflate', options)
        ours = [o for o, t in AGREEMENTS if t == theirs]
        daemon = wsbridged({f'b{i}': {'url': server.url(), 'compression': o} for i, o in enumerate(ours)})
        for i, o in enumerate(ours):
            if kind == 'ws' and theirs.get('server_max_window_bits', 0) > o.get('server_max_window_bits', 15):
                continue  # ws declines what asks for less than it is set to
            daemon.wait_open(f'b{i}')
            echo(daemon, f'b{i}', sizes=(10, 1024, 5000, 5000, 70000), rounds=1)
            check_agreement(daemon.status(f'b{i}'), o, theirs)


@pytest.mark.parametrize('kind', ['websockets', 'ws'])
def test_server_that_declines(wsbridged, start_server, kind):
    server = start_server(kind)
    daemon = wsbridged({'b': {'url': server.url()}})
    daemon.wait_open()
    echo(daemon)
    assert daemon.status('b')['compression'] is None


def whole_of(client):
    """The message that comes in fragments, and their number."""
    pieces = [json.loads(client.line())]
    while pieces[-1].get('fin') is False:
        pieces.append(json.loads(client.line()))
    return ''.join(p['data'] for p in pieces), len(pieces)


def test_fragments(wsbridged, start_server):
    server = start_server('websockets', '--deflate', '{}')
    daemon = wsbridged({'b': {'url': server.url('/fragments?size=1000')},
                        'each': {'url': server.url('/fragments?size=1000'), 'fragments': 'deliver',
                                 'endpoint': {'framing': 'json', 'events': []}}})
    daemon.wait_open()
    echo(daemon)
    with daemon.client('each') as client:
        text = prose(4000)
        client.send(json.dumps({'type': 'text', 'data': text}).encode() + b'\n')
        assert whole_of(client) == (text, 5)  # that server ends with an empty one
        # And in fragments the other way, which come back whole.
        for i in range(4):
            client.send(json.dumps({'type': 'text', 'data': text[1000 * i:1000 * i + 1000], 'fin': i == 3}).encode()
                        + b'\n')
        assert whole_of(client) == (text, 5)
    assert daemon.status('each')['compression']['tx']['messages'] == 2


def test_through_nginx(wsbridged, start_server, folder, certs, trust):
    nginx = Nginx(folder, certs, start_server('websockets', '--deflate', '{}').port)
    daemon = wsbridged({'b': {'url': f'wss://good.test:{nginx.rsa}/', 'connect_to': f'127.0.0.1:{nginx.rsa}', 'tls': trust}})
    daemon.wait_open()
    echo(daemon)
    check_agreement(daemon.status('b'), {}, {})
    nginx.program.stop()


def test_echo_server_agrees(wsbridged, echo_server):
    daemon = wsbridged({'b': {'url': echo_server.url + '/'},
                        'off': {'url': echo_server.url + '/', 'compression': False}})
    daemon.wait_open()
    echo(daemon)
    echo(daemon, 'off')
    check_agreement(daemon.status('b'), {}, {})
    assert daemon.status('b')['compression']['server_no_context_takeover']
    assert daemon.status('off')['compression'] is None


# What a server may and may not do ---------------------------------------------


class Packer:
    """The server's half by zlib itself."""

    def __init__(self):
        self.state = zlib.compressobj(9, zlib.DEFLATED, -15)

    def __call__(self, data):
        return (self.state.compress(data) + self.state.flush(zlib.Z_SYNC_FLUSH))[:-4]


def packed(opcode, payload):
    return frames.frame(opcode, payload, rsv=4)


@pytest.fixture
def agreed(wsbridged, dumb_server):
    """agreed(**options): a daemon, and a connection with compression whose frames are the test's."""
    def script(conn):
        conn.upgrade(Sec_WebSocket_Extensions='permessage-deflate')
        conn.drain()

    def start(**options):
        server = dumb_server(script)
        daemon = wsbridged({'b': {'url': server.url(), 'reconnect': {'initial': 30}, **options}})
        daemon.wait_open()
        return daemon, server.wait_connection()
    return start


def expect_end(daemon, conn, code, sentence):
    assert wait_until(lambda: conn.close).code == code
    bridge = daemon.wait_status('b', lambda b: b['last_error'])
    assert bridge['last_error']['message'].endswith(sentence)


@pytest.mark.parametrize('bytes_, code, sentence', [
    (packed(frames.PING, b''), 1002, 'the bit for compression is set in a frame that begins no message'),
    (frames.frame(frames.TEXT, b'\xf2\x48', fin=False, rsv=4) + packed(frames.CONTINUATION, b'\xcd'), 1002,
     'the bit for compression is set in a frame that begins no message'),
    (frames.frame(frames.TEXT, b'x', rsv=2), 1002, 'a frame has a reserved bit set'),
    (packed(frames.TEXT, b'\x07'), 1007, 'cannot be decompressed: invalid block type'),
    (packed(frames.TEXT, b'\xf2\x48\xcd'), 1007, 'a compressed message is cut off'),
    (packed(frames.TEXT, Packer()(b'a\xff')), 1007, 'a text message is not UTF-8'),
], ids=['ping', 'continuation', 'rsv2', 'garbage', 'cut off', 'no text'])
def test_violation(agreed, bytes_, code, sentence):
    daemon, conn = agreed()
    conn.send(bytes_)
    expect_end(daemon, conn, code, sentence)


def peak(daemon):
    """The most memory since it was reset, in bytes."""
    with open(f'/proc/{daemon.pid}/status', encoding='ascii') as f:
        return int(re.search(r'VmHWM:\s+(\d+) kB', f.read())[1]) << 10


def reset_peak(daemon):
    with open(f'/proc/{daemon.pid}/clear_refs', 'w', encoding='ascii') as f:
        f.write('5')


@pytest.mark.parametrize('pieces', [1, 64], ids=['at once', 'in fragments'])
def test_bomb(agreed, pieces):
    """64 MiB of zeros in 64 KiB cost the largest message and 256 KiB, and next to no time."""
    daemon, conn = agreed(max_message='1M')
    bomb = Packer()(bytes(64 * MEGA))
    size = -(-len(bomb) // pieces)
    parts = [bomb[i:i + size] for i in range(0, len(bomb), size)]
    wire = b''.join(frames.frame(frames.CONTINUATION if i else frames.BINARY, part, fin=i == len(parts) - 1,
                                 rsv=0 if i else 4) for i, part in enumerate(parts))
    assert len(wire) < 70000
    reset_peak(daemon)
    before, cpu = daemon.rss(), daemon.cpu_seconds()
    conn.send(wire)
    expect_end(daemon, conn, 1009, 'a message is longer than 1048576 bytes')
    if not WRAPPER and not is_instrumented(programs.wsbridged):
        assert peak(daemon) - before <= MEGA + (256 << 10)
    assert daemon.cpu_seconds() - cpu <= slack(0.1)


def test_bomb_of_a_real_server(wsbridged, start_server):
    server = start_server('websockets', '--deflate', '{}')
    daemon = wsbridged({'b': {'url': server.url('/silent'), 'max_message': '4M', 'reconnect': {'initial': 30}}})
    daemon.wait_open()
    reset_peak(daemon)
    before = daemon.rss()
    server.command(zeros=64 * MEGA)
    assert server.wait_event('close', timeout=20)['code'] == 1009
    if not WRAPPER and not is_instrumented(programs.wsbridged):
        assert peak(daemon) - before <= 4 * MEGA + (256 << 10)


# Memory, and what is told -----------------------------------------------------


def test_memory_is_given_back(agreed):
    """And what the next message refers to is still there."""
    daemon, conn = agreed(compression={'release_after': 0.1})
    pack = Packer()
    with daemon.client('b') as client:
        for i in range(3):
            for line in (prose(20000), prose(30000, 1)):
                conn.send(packed(frames.TEXT, pack(line.encode())))
                assert client.line().decode() == line
            assert client.silent(slack(0.3))
    assert daemon.status('b')['compression']['rx']['messages'] == 6


def test_idle_connections_are_small(wsbridged, start_server):
    """Of 100 connections that have compressed both ways; some kilobytes each stay."""
    server = start_server('websockets', '--deflate', '{}')
    n = 100
    daemon = wsbridged({f'b{i}': {'url': server.url(), 'compression': {'release_after': '0.5s', 'level': 9}}
                        for i in range(n)}, limits={'dials_per_second': 0})
    daemon.wait_open(timeout=20)
    before = daemon.rss()
    for i in range(n):
        with daemon.client(f'b{i}') as client:
            client.send(prose(3000).encode() + b'\n')
            assert client.line().decode() == prose(3000)
    if not WRAPPER and not is_instrumented(programs.wsbridged):
        full = daemon.rss() - before
        wait_until(lambda: daemon.rss() - before < full / 2, 10, f'less than half of {full} bytes')


def test_metrics_and_status(agreed, wsbridge):
    daemon, conn = agreed()
    text = prose(3000)
    with daemon.client('b') as client:
        conn.send(packed(frames.TEXT, Packer()(text.encode())))
        assert client.line().decode() == text
        client.send(text.encode() + b'\n')
        sent = wait_until(lambda: conn.of(frames.TEXT))[0]
    assert sent.rsv == 4
    assert zlib.decompressobj(-15).decompress(sent.payload + b'\0\0\xff\xff') == text.encode()
    compression = daemon.status('b')['compression']
    size = len(text.encode())
    assert compression['tx'] == {'messages': 1, 'bytes': size, 'wire_bytes': len(sent.payload)}
    metrics = daemon.call('metrics')['text']
    assert f'wsbridge_bridge_sent_compressed_bytes_total{{bridge="b"}} {len(sent.payload)}\n' in metrics
    assert f'wsbridge_bridge_received_decompressed_bytes_total{{bridge="b"}} {size}\n' in metrics
    shown = wsbridge(daemon, 'status', 'b').stdout
    assert re.search(r'compression +permessage-deflate, in to \d+%, out to \d+%\n', shown)
    assert ', compressed' in wsbridge(daemon, 'explain', 'b').stdout


def test_trace_marks_compressed_frames(wsbridge, start_server):
    server = start_server('websockets', '--deflate', '{}')
    done = wsbridge(None, 'connect', '-vv', '--messages', '1', server.url(), input=prose(2000) + '\n')
    assert done.stdout.startswith(f'text: {prose(2000)}\n')
    assert re.search(r'^\+\+Sent: fin=1 opcode=text length=\d+ compressed$', done.stderr, re.MULTILINE)
    assert re.search(r'^\+\+Rcv: fin=1 opcode=text length=\d+ compressed$', done.stderr, re.MULTILINE)


def test_probe_tells(wsbridge, start_server):
    server = start_server('websockets', '--deflate', '{}')
    report = json.loads(wsbridge(None, 'probe', '--json', server.url()).stdout)
    assert report['extensions'] == [OFFER]
    assert f'  extension    {OFFER}\n' in wsbridge(None, 'probe', server.url()).stdout
