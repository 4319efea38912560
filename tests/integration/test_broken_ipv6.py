# SPDX-License-Identifier: Apache-2.0
"""
A host whose IPv6 looks well and leads nowhere, as behind many a home router: the bridge must be
open before anybody notices. Daemon and server run in a network of their own, where each packet to
the name's IPv6 address vanishes: it goes out over a pair of interfaces to a machine that is not there.
"""

import os
import shutil
import subprocess
import time

import pytest

import harness
from harness import Server, slack

NAME = 'broken.test'

# The parent stays as long as its standard input is open.
SETUP = '''
ip link set lo up &&
ip link add here type veth peer name nowhere &&
ip link set here up && ip link set nowhere up &&
ip address add 2001:db8::2/64 dev here nodad &&
ip neighbour add 2001:db8::1 lladdr 02:00:00:00:00:01 dev here nud permanent &&
mount --bind "$1" /etc/hosts && echo ready && cat
'''

# What the name means there, and that its first address swallows a connection.
LOOK = '''
import socket
found = socket.getaddrinfo('%s', 9, type=socket.SOCK_STREAM)
print(*(a[4][0] for a in found))
with socket.socket(socket.AF_INET6) as s:
    s.settimeout(0.7)
    try:
        s.connect(found[0][4])
    except TimeoutError:
        print('swallowed')
''' % NAME


class Network:
    def __init__(self, hosts):
        self.holder = subprocess.Popen(['unshare', '-Urnm', 'sh', '-c', SETUP, 'sh', hosts], text=True,
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.answer = self.holder.stdout.readline().strip()

    def enter(self):
        return ['nsenter', '-t', str(self.holder.pid), '-U', '-n', '-m', '--preserve-credentials',
                # nss_files takes the first line of a name only, unless it is told otherwise (host.conf(5))
                'env', 'RESOLV_MULTI=on']

    def run(self, *argv):
        return subprocess.run(self.enter() + list(argv), capture_output=True, text=True, timeout=20, check=True)

    def close(self):
        self.holder.stdin.close()
        self.holder.wait()
        self.holder.stdout.close()


@pytest.fixture
def network(folder):
    for program in ('unshare', 'nsenter', 'ip'):
        if shutil.which(program) is None:
            pytest.skip(f'{program} not found: apt-get install util-linux iproute2')
    hosts = os.path.join(folder, 'hosts')
    with open(hosts, 'w', encoding='ascii') as f:
        f.write(f'127.0.0.1 localhost\n2001:db8::1 {NAME}\n127.0.0.1 {NAME}\n')
    made = Network(hosts)
    try:
        if made.answer != 'ready':
            pytest.skip(f'no network of our own here: {made.answer}')
        yield made
    finally:
        made.close()


@pytest.fixture
def server_inside(network):
    made = Server()
    made.argv = network.enter() + made.argv
    yield made.start()
    made.kill()


@pytest.fixture
def daemon_inside(network, wsbridged, monkeypatch):
    slack(1)  # as fast as ever: the way into the network costs nothing
    monkeypatch.setattr(harness, 'WRAPPER', network.enter() + harness.WRAPPER)
    return wsbridged


def test_the_host_is_broken(network):
    """Else the other test shows nothing."""
    assert network.run('/usr/bin/python3', '-c', LOOK).stdout.split() == ['2001:db8::1', '127.0.0.1', 'swallowed']


def test_open_within_600_ms(daemon_inside, server_inside):
    daemon = daemon_inside()
    began = time.monotonic()
    daemon.call('open', name='feed', url=f'ws://{NAME}:{server_inside.port}/', endpoint=daemon.path('feed.sock'))
    daemon.wait_open('feed')
    took = time.monotonic() - began
    assert 0.25 <= took <= slack(0.6), f'{took:.3f} s'
    with daemon.client('feed') as client:
        client.send('hello\n')
        assert client.line() == b'hello'
    assert daemon.status('feed')['reconnects'] == 0
