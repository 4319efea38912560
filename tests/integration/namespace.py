# SPDX-License-Identifier: Apache-2.0
"""
A network of one's own, and a hosts file: a user, network and mount namespace in which the daemon
and its servers run, so that tests can break the network without root and without breaking it for
others. Programs are put into it with nsenter(1). What may not be made skips with a sentence.
"""

import subprocess

import pytest

from external import find

# The addresses are such as documents have (RFC 5737, RFC 3849): none of them leads anywhere else.
IPV4, IPV6, OTHER_IPV4 = '192.0.2.1', '2001:db8::1', '192.0.2.2'

SETUP = '''
set -e
mount --bind "$1" /etc/hosts
ip link set lo up
ip address add {0}/32 dev lo
ip address add {2}/32 dev lo
ip address add {1}/128 dev lo nodad
echo ready
exec sleep infinity
'''.format(IPV4, IPV6, OTHER_IPV4)


class Namespace:
    def __init__(self, hosts_path):
        self.hosts_path = hosts_path
        self.set_hosts('')
        for program, package in (('unshare', 'util-linux'), ('nsenter', 'util-linux'), ('ip', 'iproute2')):
            find(program, package)
        self.process = subprocess.Popen(['unshare', '--user', '--map-root-user', '--net', '--mount', 'sh', '-c', SETUP,
                                         'sh', hosts_path], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE)
        if self.process.stdout.readline() != b'ready\n':
            reason = self.process.communicate()[1].decode().strip()
            pytest.skip(f'no namespaces: {reason}')
        self.prefix = ['nsenter', '--preserve-credentials', '--user', '--net', '--mount', '--target',
                       str(self.process.pid)]

    def set_hosts(self, text):
        # In place: the file is mounted over another one.
        with open(self.hosts_path, 'w', encoding='ascii') as f:
            f.write(f'127.0.0.1 localhost\n{text}\n')

    def run(self, *argv):
        done = subprocess.run([*self.prefix, *argv], capture_output=True, check=False)
        assert done.returncode == 0, f'{argv}: {done.stderr.decode()}'

    def break_ipv6(self):
        """Packets to IPv6 addresses get lost, and nobody says so."""
        find('nft', 'nftables')
        rules = 'add table ip6 t; add chain ip6 t c { type filter hook input priority 0; }; add rule ip6 t c drop'
        try:
            self.run('nft', rules)
        except AssertionError as e:
            pytest.skip(str(e))

    def lose_packets(self, *which):
        """Packets to such ports (`tcp dport 80`) get lost, and nobody says so; until heal()."""
        find('nft', 'nftables')
        rules = 'add table inet lost; add chain inet lost c { type filter hook input priority 0; };'
        try:
            self.run('nft', rules + ''.join(f'add rule inet lost c {w} drop;' for w in which))
        except AssertionError as e:
            pytest.skip(str(e))

    def heal(self):
        self.run('nft', 'delete table inet lost')

    def stop(self):
        self.process.kill()
        self.process.communicate()
