# SPDX-License-Identifier: Apache-2.0
"""
A server that does what a script says, byte by byte: a right or a wrong upgrade, right or wrong
frames, then silence, a reset or half a close; and that keeps what the client sent. A script is a
function of one connection, run in a thread of its own. The trap: a script ends when the client is
gone, so it must read (`drain`) rather than return while the client is still to answer.
"""

import base64
import hashlib
import socket
import struct
import threading
import time

import frames
from harness import slack, wait_until

GUID = b'258EAFA5-E914-47DA-95CA-C5AB0DC85B11'


class Connection:
    def __init__(self, sock):
        self.socket = sock
        self.socket.settimeout(slack(30))
        self.began = time.monotonic()
        self.ended = None  # when the client had closed, or we had
        self.reset_by_peer = False
        self.request = b''
        self.rest = b''
        self.frames = []

    # Reading ---------------------------------------------------------------

    def _more(self):
        try:
            data = self.socket.recv(1 << 18)
        except ConnectionError:
            self.reset_by_peer = True
            data = b''
        if not data:
            raise EOFError
        self.rest += data

    def read(self, n):
        while len(self.rest) < n:
            self._more()
        data, self.rest = self.rest[:n], self.rest[n:]
        return data

    def read_request(self):
        """Once; further calls give the same."""
        if self.request:
            return self.request
        while b'\r\n\r\n' not in self.rest:
            self._more()
        self.request, _, self.rest = self.rest.partition(b'\r\n\r\n')
        return self.request

    @property
    def headers(self):
        """(name, value) as they came, names in lower case."""
        lines = self.request.decode('latin-1').split('\r\n')[1:]
        return [(n.lower(), v.strip()) for n, _, v in (line.partition(':') for line in lines)]

    def header(self, name):
        """None: it is not there."""
        return dict(self.headers).get(name)

    def frame(self):
        """The next frame of the client, or EOFError."""
        self.frames.append(frames.read_frame(self.read))
        return self.frames[-1]

    def drain(self):
        """Reads until the client ends the connection."""
        try:
            while True:
                self.frame()
        except EOFError:
            pass

    def drain_to_close(self):
        """As `drain`, but no further than the client's Close."""
        while self.frame().opcode != frames.CLOSE:
            pass

    def of(self, opcode):
        return [f for f in list(self.frames) if f.opcode == opcode]

    @property
    def close(self):
        """The Close of the client, None so far."""
        found = self.of(frames.CLOSE)
        return found[0] if found else None

    # Writing ---------------------------------------------------------------

    def send(self, data):
        """Whatever the client does meanwhile."""
        try:
            self.socket.sendall(data)
        except ConnectionError:
            pass

    def text(self, message):
        self.send(frames.text(message))

    def accept_value(self):
        key = (self.header('sec-websocket-key') or '').encode()
        return base64.b64encode(hashlib.sha1(key + GUID).digest()).decode()

    def upgrade(self, status='HTTP/1.1 101 Switching Protocols', extra=(), behind=b'', **changes):
        """Answers the request; a changed header of None is left out, of a list comes so often."""
        self.read_request()
        headers = {'Upgrade': 'websocket', 'Connection': 'Upgrade', 'Sec-WebSocket-Accept': self.accept_value()}
        headers.update({name.replace('_', '-'): value for name, value in changes.items()})
        lines = [status]
        for name, value in headers.items():
            values = value if isinstance(value, list) else [] if value is None else [value]
            lines += [f'{name}: {v}' for v in values]
        lines += extra
        self.send('\r\n'.join(lines).encode('latin-1') + b'\r\n\r\n' + behind)

    def half_close(self):
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        self.end()

    def end(self):
        if self.ended is None:
            self.ended = time.monotonic()
        self.socket.close()


def serve_quietly(conn):
    """The script of a server that is fine."""
    conn.upgrade()
    conn.drain_to_close()
    conn.send(frames.close(conn.close.code))


def echo(conn):
    """The same, and messages come back, in frames as they came."""
    conn.upgrade()
    while (f := conn.frame()).opcode != frames.CLOSE:
        if f.opcode == frames.PING:
            conn.send(frames.frame(frames.PONG, f.payload))
        elif f.opcode in (frames.TEXT, frames.BINARY, frames.CONTINUATION):
            conn.send(frames.frame(f.opcode, f.payload, fin=f.fin))
    conn.send(frames.close(conn.close.code))


class DumbServer:
    """
    scripts: one for all connections, or a list: the first connection gets the first one and so on,
    all further ones the last.
    """

    def __init__(self, scripts=serve_quietly, listener=None):
        self.scripts = scripts if isinstance(scripts, list) else [scripts]
        self.connections = []
        self.errors = []
        self.listener = listener or socket.create_server(('127.0.0.1', 0), backlog=64)
        self.port = None if self.listener.family == socket.AF_UNIX else self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def url(self, path='/'):
        return f'ws://127.0.0.1:{self.port}{path}'

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            conn = Connection(sock)
            script = self.scripts[min(len(self.connections), len(self.scripts) - 1)]
            self.connections.append(conn)
            threading.Thread(target=self._run, args=(script, conn), daemon=True).start()

    def _run(self, script, conn):
        try:
            script(conn)
        except (EOFError, ConnectionError):
            pass
        except Exception as e:  # for the test to see: a thread cannot fail it
            self.errors.append(e)
        finally:
            conn.end()

    def wait_connection(self, count=1, timeout=10):
        """The count-th connection."""
        return wait_until(lambda: self.connections[count - 1:], timeout, f'connection {count}')[0]

    def stop(self):
        # A listener in accept(2) is woken by shutdown, not by close.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for conn in self.connections:
            try:
                conn.socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
