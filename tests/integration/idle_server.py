# SPDX-License-Identifier: Apache-2.0
"""
A WebSocket server for thousands of connections that say nothing: it takes every handshake, answers
Pings and counts them. It prints its port, and at each line of its input what it has counted.
"""

import asyncio
import base64
import hashlib
import resource
import sys

GUID = b'258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
PING, CLOSE = 0x89, 0x88


class Peer(asyncio.Protocol):
    pings = opened = 0

    def __init__(self):
        self.data = b''
        self.is_open = False

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.data += data
        if not self.is_open:
            self.take_request()
        while self.is_open and len(self.data) >= 6:
            size = 6 + (self.data[1] & 0x7f)
            if len(self.data) < size:
                return
            self.take_frame(self.data[0], self.data[2:6], self.data[6:size])
            self.data = self.data[size:]

    def take_request(self):
        head, end, rest = self.data.partition(b'\r\n\r\n')
        if not end:
            return
        fields = dict(line.split(b': ', 1) for line in head.split(b'\r\n')[1:])
        key = {name.lower(): value for name, value in fields.items()}[b'sec-websocket-key']
        accept = base64.b64encode(hashlib.sha1(key + GUID).digest())
        self.transport.write(b'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n'
                             b'Connection: Upgrade\r\nSec-WebSocket-Accept: ' + accept + b'\r\n\r\n')
        self.is_open, self.data = True, rest
        Peer.opened += 1

    def take_frame(self, first, key, masked):
        payload = bytes(byte ^ key[i % 4] for i, byte in enumerate(masked))
        if first == PING:
            Peer.pings += 1
            self.transport.write(bytes([0x8a, len(payload)]) + payload)
        elif first == CLOSE:
            self.transport.write(bytes([CLOSE, len(payload)]) + payload)
            self.transport.close()


async def main():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Peer, '127.0.0.1', 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    while await loop.run_in_executor(None, sys.stdin.readline):
        print(Peer.opened, Peer.pings, flush=True)


asyncio.run(main())
