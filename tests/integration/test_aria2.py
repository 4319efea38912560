# SPDX-License-Identifier: Apache-2.0
"""
A WebSocket API that is in use, scripted from a shell: aria2's JSON-RPC. aria2.sh is the script; the
file that it downloads is served from here.
"""

import functools
import http.server
import json
import os
import shutil
import subprocess
import threading

import pytest

from harness import HERE, WRAPPER, Daemon, free_port, programs, slack, wait_until

SIZE = 300000


class Files(http.server.SimpleHTTPRequestHandler):
    """Of a folder, and /endless, which begins and then waits."""

    def do_GET(self):
        if self.path != '/endless':
            super().do_GET()
            return
        self.send_response(200)
        self.send_header('Content-Length', str(SIZE))
        self.end_headers()
        self.wfile.write(b'x')
        self.connection.settimeout(None)
        self.rfile.read()

    def log_message(self, *args):  # pylint: disable=arguments-differ
        pass


@pytest.fixture
def url(folder):
    """Where they are served; `file` has SIZE bytes."""
    os.mkdir(os.path.join(folder, 'served'))
    with open(os.path.join(folder, 'served', 'file'), 'wb') as f:
        f.write(os.urandom(SIZE))
    handler = functools.partial(Files, directory=os.path.join(folder, 'served'))
    with http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        server.daemon_threads = True
        yield f'http://127.0.0.1:{server.server_port}/'
        server.shutdown()


@pytest.fixture
def aria2(folder, wsbridged):
    """The daemon with a bridge to an aria2 that downloads into folder/got."""
    if shutil.which('aria2c') is None:
        pytest.skip('aria2c not found: apt-get install aria2')
    port = free_port()
    argv = ['aria2c', '--no-conf', '--quiet', '--enable-rpc', f'--rpc-listen-port={port}', '--dir',
            os.path.join(folder, 'got'), '--max-concurrent-downloads=20', '--disable-ipv6', '--no-netrc']
    with open(os.path.join(folder, 'aria2.log'), 'wb') as log:
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                   env={'PATH': os.environ['PATH'], 'HOME': folder})
    daemon = wsbridged({'aria2': {'url': f'ws://127.0.0.1:{port}/jsonrpc',
                                  'reconnect': {'initial': 0.1, 'max': 0.2}}})
    daemon.wait_open()
    yield daemon
    process.kill()
    process.wait()


def start(daemon: Daemon, who, url):
    """The script as a user has it: `wsbridge` is in the path and finds its daemon by itself."""
    shim = daemon.path('wsbridge')
    if not os.path.exists(shim):
        with open(shim, 'w', encoding='utf-8') as f:
            f.write(f'#!/bin/sh\nexec {" ".join([*WRAPPER, programs.wsbridge])} -s "{daemon.control_path}" "$@"\n')
        os.chmod(shim, 0o755)
    env = {**os.environ, 'PATH': f'{daemon.folder}:{os.environ["PATH"]}'}
    return subprocess.Popen(['sh', os.path.join(HERE, 'aria2.sh'), 'aria2', who, url + 'file',
                             url + 'endless'], env=env, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def end(process):
    """The numbers of its two downloads."""
    out, errors = process.communicate(timeout=slack(25))
    assert (process.returncode, errors) == (0, '')
    version, removed, forgotten, gids = out.splitlines()
    gid, endless = gids.split()
    assert version.startswith('1.') and (removed, forgotten) == (endless, 'OK')
    return gid, endless


@pytest.fixture
def monitor(aria2):
    """Its lines, as they come."""
    lines = []
    process = subprocess.Popen([*WRAPPER, programs.wsbridge, '-s', aria2.control_path, '--json', 'monitor', 'aria2',
                                '--events', 'message'], stdout=subprocess.PIPE, text=True)
    reader = threading.Thread(target=lambda: [lines.append(line) for line in process.stdout], daemon=True)
    reader.start()
    wait_until(lambda: aria2.status()['daemon']['subscriptions'] == 1)
    yield lines
    process.terminate()
    process.wait()
    reader.join()
    process.stdout.close()


def notifications(lines):
    """What aria2 told unasked: (what, number of the download)."""
    said = [json.loads(json.loads(line)['data']) for line in list(lines)]
    return [(one['method'].removeprefix('aria2.on'), one['params'][0]['gid']) for one in said if 'method' in one]


def is_there(folder, who):
    with open(os.path.join(folder, 'served', 'file'), 'rb') as f, open(os.path.join(folder, 'got', who), 'rb') as g:
        return f.read() == g.read()


def test_a_script(aria2, monitor, folder, url):
    gid, removed = end(start(aria2, 'one', url))
    assert is_there(folder, 'one')
    wait_until(lambda: ('DownloadStop', removed) in notifications(monitor))
    told = notifications(monitor)
    assert [what for what, of in told if of == gid] == ['DownloadStart', 'DownloadComplete']
    assert [what for what, of in told if of == removed] == ['DownloadStart', 'DownloadStop']


def test_ten_scripts_share_a_bridge(aria2, monitor, folder, url):
    names = [f'script{i}' for i in range(10)]
    gids = [end(process) for process in [start(aria2, name, url) for name in names]]
    assert len({gid for pair in gids for gid in pair}) == 20
    assert all(is_there(folder, name) for name in names)
    wait_until(lambda: len([w for w, _ in notifications(monitor) if w == 'DownloadStop']) == 10)
    told = notifications(monitor)
    assert sorted(of for what, of in told if what == 'DownloadComplete') == sorted(first for first, _ in gids)
    assert sorted(of for what, of in told if what == 'DownloadStop') == sorted(second for _, second in gids)
    assert aria2.status('aria2')['epoch'] == 1, 'all over one connection'


def test_an_error_of_the_server_is_an_answer(aria2, wsbridge):
    done = wsbridge(aria2, 'request', 'aria2', '{"id":"x","method":"aria2.remove","params":["0000000000000001"]}',
                    '--match', '/id=x')
    assert done.returncode == 0 and json.loads(done.stdout)['error']['code'] == 1
