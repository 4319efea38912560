# SPDX-License-Identifier: Apache-2.0
"""
The table of errors, which is a promise to programs: the same code, kind and exit status in the
manual, in the OpenRPC document, on the wire and in the command line.
"""

import json
import os
import re
import socket
import threading

import pytest

from cli import fails
from harness import TOP

# code, kind, exit status of wsbridge
ERRORS = [
    (-32700, 'parse_error', 2), (-32600, 'invalid_request', 2), (-32601, 'no_such_method', 2),
    (-32602, 'invalid_option', 2),
    (-32000, 'internal', 1), (-32001, 'no_such_bridge', 4), (-32002, 'already_exists', 4), (-32004, 'not_open', 5),
    (-32005, 'timeout', 6), (-32006, 'address', 7), (-32007, 'connect', 7), (-32008, 'proxy', 7), (-32009, 'tls', 7),
    (-32010, 'bad_status', 7), (-32011, 'protocol', 7), (-32012, 'payload', 8), (-32013, 'overflow', 8),
    (-32014, 'denied', 9), (-32015, 'endpoint', 10),
]


class Scripted:
    """A control socket that answers every request with one error."""

    def __init__(self, path):
        self.error = None
        self.requests = []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen()
        self.control_path = path
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            with sock, sock.makefile('r', encoding='utf-8') as lines:
                for line in lines:
                    self.requests.append(json.loads(line))
                    answer = {'jsonrpc': '2.0', 'id': self.requests[-1]['id'], 'error': self.error}
                    sock.sendall(json.dumps(answer).encode() + b'\n')

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


@pytest.fixture
def scripted_control(folder):
    made = Scripted(os.path.join(folder, 'control.sock'))
    yield made
    made.close()


def manual(name):
    with open(os.path.join(TOP, 'docs', name), encoding='utf-8') as f:
        return f.read()


def test_manual():
    rows = re.findall(r'^\.It (-\d+) Ta (\w+) Ta (\d+)$', manual('wsbridge-rpc.7'), re.MULTILINE)
    assert sorted((int(code), kind, int(status)) for code, kind, status in rows) == sorted(ERRORS)


def test_exit_statuses_of_the_manual():
    section = manual('wsbridge.1').partition('\n.Sh EXIT STATUS\n')[2].partition('\n.Sh ')[0]
    shown = [int(n) for n in re.findall(r'^\.It (\d+)$', section, re.MULTILINE)]
    assert shown == sorted({status for _, _, status in ERRORS} | {0, 3})


def test_openrpc(up):
    described = up.call('rpc.discover')['components']['errors']
    assert {kind: (e['code'], e['data']) for kind, e in described.items()} == {
        kind: (code, {'kind': kind}) for code, kind, _ in ERRORS}


@pytest.mark.parametrize('code, kind, status', ERRORS)
def test_command(scripted_control, wsbridge, code, kind, status):
    sentence = f'the sentence of {kind}'
    scripted_control.error = {'code': code, 'message': sentence, 'data': {'kind': kind, 'bridge': 'b'}}
    fails(wsbridge(scripted_control, 'close', 'b'), status, f'close: {sentence}')
    fails(wsbridge(scripted_control, 'rpc', 'close', '{"name":"b"}'), status, f'rpc: {sentence}')
    assert [r['method'] for r in scripted_control.requests] == ['close', 'close']


def test_command_with_json(scripted_control, wsbridge):
    """The error object goes to standard error as a sentence, too; nothing is printed twice."""
    for code, kind, status in ERRORS:
        scripted_control.error = {'code': code, 'message': 'no', 'data': {'kind': kind}}
        done = wsbridge(scripted_control, '--json', 'close', 'b')
        assert done.returncode == status, kind


# Each kind on the wire that needs no network to come about.
ON_THE_WIRE = [
    ('{', 'parse_error'), ('{"id":1}', 'invalid_request'), ('frobnicate', 'no_such_method'),
    ('close up code=7', 'invalid_option'), ('close nosuch', 'no_such_bridge'),
    ('open up url=ws://h/', 'already_exists'),
    ('send down text=x', 'not_open'), ('wait down timeout=1ms', 'timeout'), ('send up binary=!', 'invalid_option'),
    ('request up text=x match={"contains":"y"} timeout=1ms', 'timeout'),
    ('open a url=ws://name.invalid/ wait=true', 'address'), ('open c url=ws://127.0.0.1:9/ wait=true', 'connect'),
    ('open e url=ws://127.0.0.1:9/ endpoint=/nonexistent/e.sock', 'endpoint'),
]


@pytest.mark.parametrize('line, kind', ON_THE_WIRE)
def test_wire(up, line, kind):
    error = up.control.ask(line)['error']
    assert (error['data']['kind'], error['code']) == (kind, {k: c for c, k, _ in ERRORS}[kind])
