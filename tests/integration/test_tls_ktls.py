# SPDX-License-Identifier: Apache-2.0
"""
tls.ktls: a bridge with it works like one without, whatever the machine's kernel can do, and says
what is in use. Where the kernel has no TLS, what is tried is that it says so once and goes on.
"""

import errno
import socket
import threading

import pytest

from dumb_server import echo
from harness import wait_until
from scripted import at, connect_proxy

TCP_ULP = 31  # linux/tcp.h
REFUSED = 'tls.ktls: not in use'


def kernel_has_tls():
    with socket.create_server(('127.0.0.1', 0)) as server, socket.create_connection(server.getsockname()) as client:
        try:
            client.setsockopt(socket.IPPROTO_TCP, TCP_ULP, b'tls')
        except OSError as error:
            assert error.errno in (errno.ENOENT, errno.ENOPROTOOPT, errno.EOPNOTSUPP), error
            return False
    return True


def many(bridges, bridge):
    """Lines of all lengths there and back, more than any buffer holds."""
    lines = [f'{i} '.encode() + b'x' * (i * 37 % 40000) for i in range(200)]
    with bridges.daemon.client(bridge['name']) as client:
        sender = threading.Thread(target=client.send, args=(b'\n'.join(lines) + b'\n',), daemon=True)
        sender.start()
        assert client.lines(200) == lines
        sender.join()


@pytest.mark.parametrize('version', ['1.2', '1.3'])
def test_asked_for(bridges, nginx, trust, version):
    bridge = bridges.open(f'wss://localhost:{nginx.rsa}/', tls={**trust, 'max_version': version, 'ktls': True})
    used = bridge['tls']['ktls']
    refusals = bridges.daemon.log_lines(f'{bridge["name"]}: {REFUSED}')
    if kernel_has_tls():  # the cipher may be one that it lacks: then it is off, and that is said
        assert used in ('off', 'send', 'receive', 'both')
    else:
        assert used == 'off' and ('module' in refusals[0] or 'for this connection' in refusals[0])
    assert len(refusals) == (used == 'off'), refusals
    many(bridges, bridge)
    bridges.close(bridge)


def test_not_asked_for(bridges, nginx, trust):
    bridge = bridges.open(f'wss://localhost:{nginx.rsa}/', tls=trust)
    assert bridge['tls']['ktls'] == 'off'
    assert not bridges.daemon.log_lines(f'{bridge["name"]}: {REFUSED}')
    bridges.close(bridge)


def test_said_once_for_many_connections(bridges, nginx, trust):
    bridge = bridges.open(f'wss://localhost:{nginx.rsa}/', tls={**trust, 'ktls': True}, reconnect={'initial': 0.05})
    for epoch in (2, 3):
        bridges.daemon.call('reconnect', name=bridge['name'])
        wait_until(lambda: bridges.daemon.status(bridge['name'])['epoch'] >= epoch, what='open again')
    bridge = bridges.daemon.status(bridge['name'])
    refusals = bridges.daemon.log_lines(f'{bridge["name"]}: {REFUSED}')
    assert len(refusals) == (bridge['tls']['ktls'] == 'off'), refusals
    bridges.close(bridge)


def test_never_within_the_tls_of_a_proxy(bridges, scripted, certs):
    server = scripted(echo, cert=certs['rsa'])
    proxy = scripted(connect_proxy(), cert=certs['ecdsa'])
    bridge = bridges.open(server.url(), proxy=f'https://localhost:{proxy.port}',
                          tls={'ca_file': certs.ca_file, 'ktls': True})
    assert bridge['tls']['ktls'] == 'off'
    assert 'proxy' in bridges.daemon.log_lines(f'{bridge["name"]}: {REFUSED}')[0]
    assert bridges.echoes(bridge, 'x' * 300000)
    bridges.close(bridge)


def test_the_end_of_a_server_is_told_from_a_cut(bridges, scripted, certs, trust):
    server = scripted(echo, cert=certs['ecdsa'])
    bridge = bridges.open(**at(server), tls={**trust, 'ktls': True}, reconnect={'when': 'never'})
    assert bridges.echoes(bridge)
    for connection in server.connections:
        connection.socket.shutdown(socket.SHUT_RDWR)
    wait_until(lambda: bridges.daemon.status(bridge['name'])['state'] not in ('open', 'closing'), what='ended')
    assert 'close_notify' in str(bridges.daemon.status(bridge['name'])['last_error'])
    bridges.close(bridge)
