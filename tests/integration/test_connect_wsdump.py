# SPDX-License-Identifier: Apache-2.0
"""
`wsbridge connect` beside wsdump of websocket-client: the same server, the same input, and the same
comes out, switch by switch. wsdump has -r everywhere, for otherwise it writes for a terminal.
"""

import re
import shutil
import subprocess

import pytest

import frames
from dumb_server import echo
from harness import WRAPPER, programs, slack
from scripted import connect_proxy


def run(argv, url, data):
    argv = [*argv, '--eof-wait', '1', url]
    done = subprocess.run(argv, input=data, capture_output=True, timeout=slack(20), check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


@pytest.fixture
def both():
    """both(url, theirs, ours, data): what wsdump writes and what we do. `theirs` are its switches."""
    if shutil.which('wsdump') is None:
        pytest.skip('wsdump not found: apt-get install python3-websocket')

    def start(url, theirs, ours, data=b'hello\ngr\xc3\xbc\xc3\x9fe\n'):
        return (run(['wsdump', '-r', *theirs], url, data),
                run([*WRAPPER, programs.wsbridge, 'connect', '-r', *ours], url, data))
    return start


@pytest.mark.parametrize('theirs, ours', [
    ([], []),
    (['-v', '1'], ['-v']),
    (['-t', 'first'], ['-t', 'first']),
    (['--text', 'first', '--verbose', '1'], ['--text', 'first', '--verbose']),
])
def test_output(both, server, theirs, ours):
    dumped, shown = both(server.url(), theirs, ours)
    assert b'hello' in dumped
    # wsdump ends without a closing handshake, so it has no Close to tell of.
    assert shown.removesuffix(b'close: 1000\n') == dumped


def test_timings(both, server):
    for written in both(server.url(), ['--timings'], ['--timings'], b'hello\n'):
        assert re.fullmatch(rb'\d+\.\d+(e-\d+)?: hello\n', written)


def test_what_the_server_sees(both, dumb_server):
    def script(conn):
        conn.upgrade(Sec_WebSocket_Protocol='b')
        while (f := conn.frame()).opcode == frames.TEXT:
            conn.text(f.payload.decode())
        conn.send(frames.close(1000))

    server = dumb_server(script)
    theirs = ['-s', 'a', 'b', '-o', 'http://origin.test', '--headers', 'X-One: 1,X-Two: 2']
    ours = ['-s', 'a', '-s', 'b', '--origin', 'http://origin.test', '-H', 'X-One: 1', '-H', 'X-Two: 2']
    dumped, shown = both(server.url('/path?q=1'), theirs, ours)
    assert dumped == shown
    names = ('sec-websocket-protocol', 'origin', 'x-one', 'x-two')
    seen = [[conn.header(name).replace(' ', '') for name in names] for conn in server.connections]
    assert seen[0] == seen[1]
    assert {conn.request.split(b'\r\n')[0] for conn in server.connections} == {b'GET /path?q=1 HTTP/1.1'}


def test_nocert(both, scripted, certs):
    server = scripted(echo, cert=certs['unknown CA'])
    dumped, shown = both(server.url(), ['-n'], ['-n'])
    assert dumped == shown != b''


def test_proxy(both, dumb_server, scripted):
    server = dumb_server(echo)
    proxy = scripted(connect_proxy(target=('127.0.0.1', server.port)))
    words = ['-p', f'http://127.0.0.1:{proxy.port}']
    dumped, shown = both('ws://nowhere.test/', words, words)
    assert dumped == shown != b''
    assert len(proxy.connections) == 2
