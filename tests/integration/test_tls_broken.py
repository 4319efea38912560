# SPDX-License-Identifier: Apache-2.0
"""TLS connections that do not come about, break, or are cut off; and a server that asks for too much."""

import os
import socket
import ssl
import subprocess
import time

import pytest

import frames
from dumb_server import echo, serve_quietly
from fixtures import assert_little_memory
from harness import slack, wait_until
from scripted import at, swallow


def cut(conn):
    """Ends TCP, and TLS not."""
    conn.upgrade(behind=frames.text('whole') + frames.frame(frames.TEXT, b'par', length=7))
    conn.end()


def cut_after_a_message(conn):
    conn.upgrade(behind=frames.text('whole'))
    conn.end()


def end_in_order(conn):
    """Ends TLS, but not WebSocket."""
    conn.upgrade(behind=frames.text('whole'))
    conn.socket.unwrap()


@pytest.mark.parametrize('version', ['TLSv1_2', 'TLSv1_3'])
@pytest.mark.parametrize('script, is_cut', [(cut, True), (cut_after_a_message, True), (end_in_order, False)])
def test_truncation(bridges, scripted, certs, trust, script, is_cut, version):
    """FIN without close_notify: anybody on the way can do that (trust: T14)."""
    server = scripted(script, cert=certs['ecdsa'], maximum_version=ssl.TLSVersion[version])
    name = bridges.start(**at(server), tls=trust)
    bridge = bridges.daemon.wait_state(name, 'waiting')
    assert bridge['last_close'] == {'code': 1006, 'reason': '', 'clean': False}
    assert bridge['rx']['messages'] == 1
    assert ('cut off' in bridge['last_error']['message']) == is_cut, bridge['last_error']
    bridges.close(name)


def hang(conn):
    swallow(conn)


def say(data):
    def script(conn):
        conn.read(1)
        conn.send(data)
        swallow(conn)
    return script


def hang_up(conn):
    conn.read(1)


def reset(conn):
    conn.read(1)
    conn.reset()


# Whoever is there does not speak TLS: kind, what the sentence says
NOT_TLS = {
    'an HTTP server': (say(b'HTTP/1.1 400 Bad Request\r\n\r\n'), 'tls', 'not TLS'),
    'an SSH server': (say(b'SSH-2.0-OpenSSH_9.2p1\r\n'), 'tls', 'TLS'),
    'zeros': (say(b'\0' * 1000), 'tls', 'TLS'),
    'an alert': (say(b'\x15\x03\x03\x00\x02\x02\x28'), 'tls', 'handshake failure'),
    'a large record': (say(b'\x16\x03\x03\xff\xff' + b'x' * 70000), 'tls', 'TLS'),
    'silence': (hang, 'timeout', 'time'),
    'the end': (hang_up, 'connect', ''),
    'a reset': (reset, 'connect', 'reset'),
}


@pytest.mark.parametrize('case', NOT_TLS, ids=lambda v: v.replace(' ', '-'))
def test_no_tls(bridges, scripted, case):
    script, kind, sentence = NOT_TLS[case]
    server = scripted(script)
    began = time.monotonic()
    error = bridges.refused(f'wss://127.0.0.1:{server.port}/', tls={'verify': False}, timeouts={'open': 0.5})
    assert time.monotonic() - began < slack(1.5)
    assert (error.kind, error.data['stage']) == (kind, 'tls'), error
    assert sentence in error.message, error
    assert b'GET' not in server.connections[0].rest


def garble(conn):
    conn.upgrade(behind=frames.text('before'))
    os.write(conn.socket.fileno(), b'\x17\x03\x03\x00\x20' + b'x' * 32)
    swallow(conn)


def test_a_bad_record(bridges, scripted, certs, trust):
    server = scripted([garble, echo], cert=certs['ecdsa'])
    name = bridges.start(**at(server), tls=trust, reconnect={'initial': 0.01, 'max': 0.02, 'slow': 0.02})
    bridge = bridges.daemon.wait_status(name, lambda b: b['epoch'] == 2)
    assert bridge['last_close'] == {'code': 1006, 'reason': '', 'clean': False}
    assert 'TLS' in bridge['last_error']['message'], bridge['last_error']
    assert bridge['rx']['messages'] == 1
    bridges.close(name)


def test_plain_ws_to_a_tls_port(bridges, nginx):
    error = bridges.refused(f'ws://127.0.0.1:{nginx.rsa}/')
    assert (error.kind, error.data['stage']) in [('bad_status', 'handshake'), ('protocol', 'handshake')]


def test_a_flood_of_tickets(bridges, scripted, certs, trust):
    """A server may send thousands of sessions; none is kept (trust: T15)."""
    server = scripted(echo, cert=certs['ecdsa'], num_tickets=1000)
    bridges.close(bridges.open(**at(server), tls=trust))  # what is allocated once
    before = bridges.daemon.rss()
    for _ in range(3):
        bridge = bridges.open(**at(server), tls=trust)
        assert bridges.echoes(bridge)
        bridges.close(bridge)
    assert_little_memory(bridges.daemon.rss() - before, 1000000)


def test_slow_retry_of_what_time_does_not_mend(bridges, scripted, certs, trust):
    server = scripted(swallow, cert=certs['expired'])
    name = bridges.start(**at(server), tls=trust,
                         reconnect={'initial': 0.01, 'max': 20, 'slow': 100, 'jitter': 'none'})
    bridge = bridges.daemon.wait_state(name, 'waiting')
    assert 15 < bridge['retry_in'] <= 20
    bridges.close(name)


def test_the_close_goes_over_tls_in_order(bridges, scripted, certs, trust):
    ends = []

    def script(conn):
        serve_quietly(conn)
        try:
            ends.append(conn.socket.recv(1))
        except OSError as e:
            ends.append(e)

    server = scripted(script, cert=certs['ecdsa'])
    bridge = bridges.open(**at(server), tls=trust, timeouts={'close': 0.2})
    bridges.close(bridge)
    wait_until(lambda: ends)
    assert ends == [b'']  # close_notify; anything else is an error
    assert server.connections[0].close.code == 1000


def test_openssl_s_server(bridges, certs, trust, folder):
    """A front that is neither nginx nor Python, which speaks a handshake in small pieces."""
    with socket.create_server(('127.0.0.1', 0)) as s:
        port = s.getsockname()[1]
    argv = ['openssl', 's_server', '-accept', f'127.0.0.1:{port}', '-cert', certs['ecdsa'].cert, '-key',
            certs['ecdsa'].key, '-max_send_frag', '512', '-www', '-quiet']
    quiet = {'stdin': subprocess.DEVNULL, 'stdout': subprocess.DEVNULL, 'stderr': subprocess.DEVNULL}
    with subprocess.Popen(argv, **quiet) as process:
        try:
            wait_until(lambda: accepts(port), what='openssl s_server listens')
            error = bridges.refused(f'wss://good.test:{port}/', connect_to=f'127.0.0.1:{port}', tls=trust)
        finally:
            process.kill()
    assert (error.kind, error.data['status']) == ('bad_status', 200), error
    assert 'Ciphers supported' in error.data['body'] or 's_server' in error.data['body']


def accepts(port):
    try:
        socket.create_connection(('127.0.0.1', port)).close()
        return True
    except ConnectionRefusedError:
        return False
