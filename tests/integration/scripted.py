# SPDX-License-Identifier: Apache-2.0
"""
Scripted servers beyond plain TCP on 127.0.0.1: at any address, with TLS, and proxies that keep what
passes through them. They are DumbServers, so a script has the same Connection. The trap: a Python
TLS socket that is closed sends no close_notify, which is a truncation; `unwrap` is the orderly end.
"""

import select
import socket
import ssl
import struct

from dumb_server import DumbServer
from harness import slack


def listen_at(address):
    """address: (HOST, PORT) or the path of a Unix socket."""
    if isinstance(address, tuple):
        family = socket.AF_INET6 if ':' in address[0] else socket.AF_INET
        return socket.create_server(address, family=family, backlog=64)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen(64)
    return listener


def server_context(cert, **options):
    """
    options: `clients`, a CA whose certificates are asked for; `alpn`; anything else is an attribute
    of the SSLContext. Weak keys and old versions are fine here: the bridge is what is tested.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers('DEFAULT@SECLEVEL=0')
    context.load_cert_chain(cert.cert, cert.key, cert.password)
    if 'clients' in options:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(options.pop('clients'))
    if 'alpn' in options:
        context.set_alpn_protocols(options.pop('alpn'))
    for name, value in options.items():
        setattr(context, name, value)
    return context


class TlsServer(DumbServer):
    """
    A connection has `refused`, the error that ended its TLS, or None; and what a script reads is
    what came through TLS, so an empty `rest` says that no byte of a request has left.
    """

    def __init__(self, scripts, cert, listener=None, **options):
        self.names = []  # that clients asked for (SNI); None: for none
        self.context = server_context(cert, **options)
        self.context.sni_callback = lambda sock, name, context: self.names.append(name)
        super().__init__(scripts, listener)

    def url(self, path='/', host='127.0.0.1'):
        return f'wss://{host}:{self.port}{path}'

    def _run(self, script, conn):
        conn.refused = None
        try:
            conn.socket = self.context.wrap_socket(conn.socket, server_side=True, suppress_ragged_eofs=False)
        except OSError as e:
            conn.refused = e
            conn.end()
            return
        super()._run(lambda c: self._through(script, c), conn)

    @staticmethod
    def _through(script, conn):
        try:
            script(conn)
        except ssl.SSLError as e:
            conn.refused = e


GOOD = 'good.test'  # what the good certificates are for


def at(server):
    """Options that lead to this server under that name."""
    return {'url': server.url(host=GOOD), 'connect_to': f'127.0.0.1:{server.port}'}


def swallow(conn):
    """Reads whatever comes, to its end, into `rest`."""
    try:
        while True:
            conn.read(len(conn.rest) + 1)
    except EOFError:
        pass


def answer(status, *headers, body=b''):
    """A server that answers this, and ends the connection unless there is a length."""
    def script(conn):
        conn.read_request()
        lines = [f'HTTP/1.1 {status} Whatever', *headers]
        conn.send('\r\n'.join(lines).encode('latin-1') + b'\r\n\r\n' + body)
        if any('ength' in h for h in headers):
            swallow(conn)
    return script


def drop(conn):
    """Ends a connection from outside of its script."""
    conn.socket.shutdown(socket.SHUT_RDWR)


# Proxies --------------------------------------------------------------------


def is_readable(sock):
    return isinstance(sock, ssl.SSLSocket) and sock.pending() > 0


def pump(conn, target):
    """Both ways until one side ends; what the client sent is also kept in `conn.tunnelled`."""
    conn.tunnelled = bytearray()
    with socket.create_connection(target, timeout=slack(10)) as far:
        data, conn.rest = conn.rest, b''
        while True:
            if data:
                conn.tunnelled += data
                far.sendall(data)
            ready = [conn.socket] if is_readable(conn.socket) else select.select([conn.socket, far], [], [])[0]
            data = b''
            if conn.socket in ready and not (data := conn.socket.recv(65536)):
                return
            if far in ready:
                back = far.recv(65536)
                if not back:
                    return
                conn.socket.sendall(back)


def connect_proxy(answer=b'HTTP/1.1 200 Connection established\r\n\r\n', target=None):
    """CONNECT; target: where it really leads, if not where the client said."""
    def script(conn):
        host, _, port = conn.read_request().split()[1].decode().rpartition(':')
        conn.send(answer)
        pump(conn, target or (host.strip('[]'), int(port)))
    return script


def answer_connect(data, end=False):
    """A proxy that answers this and says no more."""
    def script(conn):
        conn.read_request()
        conn.send(data)
        if not end:
            swallow(conn)
    return script


def read_address(conn):
    """(host as text, port) of a SOCKS5 request."""
    kind = conn.read(1)[0]
    if kind == 3:
        host = conn.read(conn.read(1)[0]).decode()
    else:
        host = socket.inet_ntop(*((socket.AF_INET, conn.read(4)) if kind == 1 else (socket.AF_INET6, conn.read(16))))
    return host, struct.unpack('>H', conn.read(2))[0]


def socks5_proxy(method=0, status=0, reply=b'\x05\x00\x00\x01\0\0\0\0\0\0', target=None):
    """
    method: the answer to the greeting; status: to user name and password; reply: to the request.
    The connection has `methods`, `credentials` and `asked`, (host, port), as far as it came.
    """
    def script(conn):
        assert conn.read(1) == b'\x05'
        conn.methods = list(conn.read(conn.read(1)[0]))
        conn.send(bytes([5, method]))
        if method == 2:
            assert conn.read(1) == b'\x01'
            conn.credentials = tuple(conn.read(conn.read(1)[0]) for _ in range(2))
            conn.send(bytes([1, status]))
        assert conn.read(3) == b'\x05\x01\x00'
        conn.asked = read_address(conn)
        conn.send(reply)
        if len(reply) > 1 and reply[1] == 0:
            pump(conn, target or conn.asked)
        else:
            swallow(conn)
    return script


def socks4_proxy(code=90, target=None):
    """The connection has `user` and `asked`; with SOCKS4a the host asked for is a name."""
    def script(conn):
        assert conn.read(2) == b'\x04\x01'
        port, = struct.unpack('>H', conn.read(2))
        address = conn.read(4)
        conn.user = read_to_nul(conn)
        is_name = address[:3] == b'\0\0\0' and address[3]
        conn.asked = (read_to_nul(conn).decode() if is_name else socket.inet_ntoa(address), port)
        conn.send(bytes([0, code]) + b'\0' * 6)
        if code == 90:
            pump(conn, target or conn.asked)
        else:
            swallow(conn)
    return script


def read_to_nul(conn):
    text = b''
    while (byte := conn.read(1)) != b'\0':
        text += byte
    return text
