# SPDX-License-Identifier: Apache-2.0
"""
Local clients that speak framings other than lines: json (one object on each line), length, and
packets. What they read is checked for its form here and nowhere else; what it says is the tests'.
"""

import json
import socket
import struct

from harness import LineSocket, slack

TEXT, BINARY = 1, 2


class JsonClient(LineSocket):
    """Records of the json framing as dicts; `line` still gives the bytes."""

    def record(self):
        """None: the other side has closed."""
        line = self.line()
        return None if line is None else json.loads(line)

    def records(self, count):
        return [self.record() for _ in range(count)]

    def record_of(self, kind):
        """The next one of this type; others are passed over."""
        while (record := self.record())['type'] != kind:
            pass
        return record

    def write(self, record=None, **members):
        """One record: write(type='text', data='x')."""
        self.send(json.dumps(record or members) + '\n')


def json_client(daemon, name='b'):
    return JsonClient(daemon.path(f'{name}.sock'))


def attach(daemon, name='b', kind=JsonClient):
    """A client that gets what comes from now on."""
    known = len(daemon.status(name)['clients'])
    client = kind(daemon.path(f'{name}.sock'))
    daemon.wait_status(name, lambda b: len(b['clients']) == known + 1)
    return client


class LengthClient(LineSocket):
    """The length framing: (type, payload)."""

    def __init__(self, path):
        super().__init__(path)
        self.input = self.socket.makefile('rb')

    def record(self):
        """None: the other side has closed."""
        head = self.input.read(5)
        if not head:
            return None
        length, kind = struct.unpack('>IB', head)
        payload = self.input.read(length)
        assert len(payload) == length, f'input ended inside a record of {length} bytes'
        return kind, payload

    def write(self, kind, payload):
        self.send(struct.pack('>IB', len(payload), kind) + payload)

    def close(self):
        self.input.close()
        super().close()


class PacketClient:
    """A seqpacket socket: packets as they are."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(slack(20))
        self.socket.connect(path)

    def packet(self):
        """An empty one is also the end."""
        return self.socket.recv(1 << 20)

    def send(self, packet):
        assert self.socket.send(packet) == len(packet)

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.close()
