# SPDX-License-Identifier: Apache-2.0
"""
Fixtures of the tests that reach servers the hard way: certificates, nginx, scripted servers, and
bridges that are opened one after the other on one daemon. The proxy variables of whoever runs the
suite are put away here, once: with them no test would reach 127.0.0.1.
"""

import itertools
import os
import re
import shutil
import subprocess
import tempfile

import pytest

import harness
from certs import Certs
from dumb_server import DumbServer, serve_quietly
from external import Nginx
from harness import WRAPPER, RpcError, Server, is_instrumented, programs, slack
from namespace import Namespace
from scripted import TlsServer

PROXY_VARIABLES = [f'{name}_proxy' for name in ('ws', 'wss', 'http', 'https', 'all', 'no')]
for variable in PROXY_VARIABLES:
    os.environ.pop(variable, None)
    os.environ.pop(variable.upper(), None)


@pytest.fixture(scope='session')
def session_folder():
    path = tempfile.mkdtemp(prefix='wsb-')
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope='session')
def certs(session_folder):
    if shutil.which('openssl') is None:
        pytest.skip('openssl not found: apt-get install openssl')
    folder = os.path.join(session_folder, 'certs')
    os.mkdir(folder)
    return Certs(folder)


@pytest.fixture
def trust(certs):
    """The option `tls` for servers with a good certificate."""
    return {'ca_file': certs.ca_file}


@pytest.fixture(scope='session')
def nginx(session_folder, certs, server):
    made = Nginx(session_folder, certs, server.port)
    yield made
    made.program.stop()


@pytest.fixture
def echo_server():
    """`wsbridge echo`, and its URL."""
    process = subprocess.Popen([*WRAPPER, programs.wsbridge, 'echo', '--listen', '127.0.0.1:0'],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    line = process.stdout.readline()
    process.url = re.fullmatch(r'listening on (ws://127\.0\.0\.1:\d+)/\n', line).group(1)
    yield process
    if process.poll() is None:
        process.terminate()
    _, err = process.communicate(timeout=slack(10))
    assert (process.returncode, err) == (0, '')


@pytest.fixture
def scripted():
    """scripted(scripts, ...): a DumbServer; with `cert`, a TlsServer. Scripts must not have failed."""
    made = []

    def start(scripts, *, cert=None, listener=None, **options):
        made.append(TlsServer(scripts, cert, listener, **options) if cert else DumbServer(scripts, listener))
        return made[-1]

    yield start
    for one in made:
        if one.listener.fileno() >= 0:
            one.stop()
    errors = [e for one in made for e in one.errors]
    assert not errors, errors


def assert_little_memory(grown, limit):
    """Sanitizers and valgrind keep what is freed, so that there it says nothing."""
    if not WRAPPER and not is_instrumented(programs.wsbridged):
        assert grown < limit


@pytest.fixture
def namespace(folder):
    made = Namespace(os.path.join(folder, 'hosts'))
    yield made
    made.stop()


INSIDE_PORT = 8080  # in there nobody else has it


@pytest.fixture
def inside(namespace, wsbridged, monkeypatch):
    """inside(bridges): a daemon in the namespace. inside.serve(host): a real server in it; '' is everywhere."""
    slack(1)  # is known before the wrapper changes
    wrapper = harness.WRAPPER
    servers = []

    def start(bridges, **top):
        monkeypatch.setattr(harness, 'WRAPPER', namespace.prefix + wrapper)
        return wsbridged(bridges, **top)

    def serve(host):
        one = Server('websockets', ['--host', host])
        one.argv, one.port = namespace.prefix + one.argv, INSIDE_PORT
        servers.append(one.start())
        return one

    start.serve = serve
    yield start
    for one in servers:
        one.kill()


class Bridges:
    """Bridges of one daemon, opened by its control socket, with names that nobody needs to know."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.names = (f'b{i}' for i in itertools.count())

    def _call(self, name, url, options):
        options = {'endpoint': self.daemon.path(f'{name}.sock'), 'reconnect': {'initial': 60, 'max': 60}, **options}
        return self.daemon.call('open', name=name, url=url, **options)

    def start(self, url, **options):
        """Opens and does not wait; returns the name."""
        name = next(self.names)
        self._call(name, url, options)
        return name

    def open(self, url, **options):
        """The status of a bridge that is open at the first attempt."""
        return self._call(next(self.names), url, {'wait': True, **options})

    def refused(self, url, **options):
        """The error of a first attempt that fails; `bridge` of it is the status then."""
        name = next(self.names)
        with pytest.raises(RpcError) as caught:
            self._call(name, url, {'wait': True, **options})
        error = caught.value
        if error.kind != 'invalid_option':
            error.bridge = self.daemon.status(name)
            self.close(name)
        return error

    def echoes(self, bridge, text='grüße'):
        """Whether a message comes back."""
        with self.daemon.client(bridge['name']) as client:
            client.send(f'{text}\n')
            return client.line() == text.encode()

    def close(self, bridge):
        self.daemon.call('close', name=bridge if isinstance(bridge, str) else bridge['name'], wait=slack(10))


@pytest.fixture(scope='module')
def bridges(module_daemon):
    return Bridges(module_daemon(limits={'bridges': 10000}, log={'level': 'debug'}))


@pytest.fixture
def serve(wsbridged, dumb_server):
    """
    serve(script, endpoint={...}, ...): a daemon with the bridge "b", its server, and the connection,
    open. The endpoint has framing json unless it says otherwise.
    """
    def start(script=serve_quietly, endpoint=None, **options):
        server = dumb_server(script)
        daemon = wsbridged({'b': {'url': server.url(), 'reconnect': {'initial': 0.01, 'max': 0.01},
                                  'endpoint': {'framing': 'json', **(endpoint or {})}, **options}})
        daemon.wait_open()
        return daemon, server, server.wait_connection()
    return start
