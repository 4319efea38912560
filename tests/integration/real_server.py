# SPDX-License-Identifier: Apache-2.0
"""
A WebSocket server made of python3-websockets, so of nobody who wrote the bridge. It tells what
happens as JSON lines on standard output and takes commands as JSON lines on standard input.

The path of a connection says what it does with messages:
  /           sends them back
  /fragments  sends them back in fragments of ?size=N bytes
  /all        sends them to every connection on /all
  /silent     nothing; with ?log=1 each is told as an event, which holds for all paths
  /close      closes with ?code=N&reason=T after the first one, or with ?now=1 at once

Commands: {"text": S}, {"text": S, "count": N} (each with its number in front), {"binary": BASE64},
{"fragments": [S, ...]}, {"zeros": N}, {"close": CODE, "reason": S}; with "path" for the connections of
one path. {"told": N} is answered by an event with that number, behind all that were before it.
--deflate {...}: compression, with these parameters beyond the client's.
"""

import argparse
import asyncio
import base64
import json
import sys
from urllib.parse import parse_qs, urlsplit

import websockets
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory

connections = set()


def tell(event, **fields):
    print(json.dumps({'event': event, **fields}), flush=True)


def fragments(message, size):
    pieces = [message[i:i + size] for i in range(0, len(message), size)]
    return iter(pieces or [message])


async def serve(ws):
    url = urlsplit(ws.path)
    query = {k: v[0] for k, v in parse_qs(url.query).items()}
    ws.mode = url.path
    connections.add(ws)
    tell('open', path=url.path, headers=list(ws.request_headers.raw_items()), subprotocol=ws.subprotocol)
    try:
        if 'now' in query:
            await ws.close(int(query['code']), query.get('reason', ''))
        async for message in ws:
            if 'log' in query:
                tell('message', path=url.path, text=message if isinstance(message, str) else None,
                     binary=base64.b64encode(message).decode() if isinstance(message, bytes) else None)
            await react(ws, url.path, query, message)
    except websockets.ConnectionClosed:
        pass
    finally:
        connections.discard(ws)
        await ws.wait_closed()
        tell('close', path=url.path, code=ws.close_code, reason=ws.close_reason)


async def react(ws, path, query, message):
    if path == '/fragments':
        await ws.send(fragments(message, int(query.get('size', 7))))
    elif path == '/all':
        websockets.broadcast({c for c in connections if c.mode == path}, message)
    elif path == '/close':
        await ws.close(int(query['code']), query.get('reason', ''))
    elif path != '/silent':
        await ws.send(message)


async def obey(ws, command):
    try:
        if 'close' in command:
            await ws.close(command['close'], command.get('reason', ''))
        elif 'fragments' in command:
            await ws.send(iter(command['fragments']))
        elif 'zeros' in command:
            await ws.send(bytes(command['zeros']))
        elif 'binary' in command:
            await ws.send(base64.b64decode(command['binary']))
        elif 'count' in command:
            for i in range(command['count']):
                await ws.send(f'{i} {command["text"]}')
        else:
            await ws.send(command['text'])
    except websockets.ConnectionClosed:
        pass


async def read_commands():
    reader = asyncio.StreamReader(limit=1 << 26)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        command = json.loads(line)
        if 'told' in command:
            tell('told', number=command['told'])
            continue
        path = command.get('path')
        await asyncio.gather(*(obey(ws, command) for ws in list(connections) if path in (None, ws.mode)))


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--host', default='127.0.0.1')  # '': every address there is
    parser.add_argument('--port', type=int, default=0)
    parser.add_argument('--subprotocols', default='')
    parser.add_argument('--deflate', type=json.loads)
    options = parser.parse_args()
    deflate = options.deflate
    server = await websockets.serve(
        serve, options.host, options.port, max_size=None, ping_interval=None, close_timeout=5,
        compression=None, extensions=[] if deflate is None else [ServerPerMessageDeflateFactory(**deflate)],
        subprotocols=options.subprotocols.split(',') if options.subprotocols else None)
    tell('listening', port=server.sockets[0].getsockname()[1])
    await read_commands()  # ends with the test that started it
    server.close()


if __name__ == '__main__':
    asyncio.run(main())
