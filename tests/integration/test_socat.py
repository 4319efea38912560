# SPDX-License-Identifier: Apache-2.0
"""socat alone is enough: the two lines that anybody would type first."""

import json
import subprocess

from harness import slack


def shell(daemon, line):
    done = subprocess.run(['sh', '-c', line], cwd=daemon.folder, capture_output=True, timeout=slack(20), check=False)
    assert (done.returncode, done.stderr) == (0, b'')
    return done.stdout


def test_a_line_and_its_echo(wsbridged, each_server):
    daemon = wsbridged({'echo': {'url': each_server.url()}})
    daemon.wait_open()
    assert shell(daemon, r"printf 'hello\n' | socat - UNIX-CONNECT:echo.sock") == b'hello\n'


def test_status(wsbridged, each_server):
    daemon = wsbridged({'echo': {'url': each_server.url()}})
    daemon.wait_open()
    out = shell(daemon, r"printf 'status\n' | socat - UNIX-CONNECT:control.sock")
    assert out.count(b'\n') == 1 and out.endswith(b'\n')
    answer = json.loads(out)
    assert answer['jsonrpc'] == '2.0'
    assert [(b['name'], b['state']) for b in answer['result']['bridges']] == [('echo', 'open')]


def test_a_pipeline(wsbridged, each_server):
    daemon = wsbridged({'echo': {'url': each_server.url()}})
    daemon.wait_open()
    out = shell(daemon, f'seq 1000 | socat -t {slack(1)} - UNIX-CONNECT:echo.sock')
    assert out == ''.join(f'{i}\n' for i in range(1, 1001)).encode()
