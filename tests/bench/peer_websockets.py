#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
A bridge on Python's websockets, with uvloop if it is there: messages that are waiting go to the
clients in one write. Usage: peer_websockets.py [--tls] [--deflate] ADDRESS:PORT PATH
"""

import asyncio
import ssl
import sys

import websockets

try:
    import uvloop
    uvloop.install()
except ImportError:
    pass


async def send_lines(reader, writer, ws, clients):
    clients.add(writer)
    try:
        while line := await reader.readline():
            await ws.send(line[:-1].decode())
    except (ConnectionError, websockets.ConnectionClosed):
        pass


async def receive(ws, clients):
    async for message in ws:
        texts = [message]
        while ws.messages:  # what has been parsed already
            texts.append(await ws.recv())
        texts.append('')
        data = '\n'.join(texts).encode()
        for client in clients:
            client.write(data)
        for client in clients:
            await client.drain()


async def main(switches, address, path):
    tls = ssl._create_unverified_context() if '--tls' in switches else None
    url = ('wss://' if tls else 'ws://') + address
    compression = 'deflate' if '--deflate' in switches else None
    clients = set()
    async with websockets.connect(url, ssl=tls, compression=compression, max_size=None,
                                  ping_interval=None) as ws:
        await asyncio.start_unix_server(lambda r, w: send_lines(r, w, ws, clients), path, limit=4 << 20)
        await receive(ws, clients)
        for client in clients:
            client.close()
            await client.wait_closed()


if __name__ == '__main__':
    asyncio.run(main([a for a in sys.argv[1:] if a.startswith('--')],
                     *[a for a in sys.argv[1:] if not a.startswith('--')]))
