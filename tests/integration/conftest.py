# SPDX-License-Identifier: Apache-2.0
"""Fixtures: daemons, servers, the command line. Each test has a bound: @pytest.mark.limit(seconds)."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from dumb_server import DumbServer, serve_quietly  # noqa: E402
from fixtures import bridges, certs, echo_server, nginx, scripted, serve, session_folder, trust  # noqa: E402,F401
from harness import WRAPPER, Daemon, Server, missing_server, programs, slack  # noqa: E402

LIMIT = 30


def pytest_configure(config):
    config.addinivalue_line('markers', 'limit(seconds): how long the test may take')
    # A shell lets what it starts in the background ignore these, and so would all that is started here.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)


class TooLong(Exception):
    pass


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item):
    """The bound of a test."""
    marker = item.get_closest_marker('limit')
    seconds = slack(marker.args[0] if marker else LIMIT)

    def give_up(number, stack):
        raise TooLong(f'the test takes longer than {seconds} s')

    old = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, old)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    if call.when == 'call':
        item.failed = outcome.get_result().failed


def make_folder():
    # pytest's own folders have names that are too long for a socket.
    return tempfile.mkdtemp(prefix='wsb-')


@pytest.fixture
def folder():
    path = make_folder()
    yield path
    shutil.rmtree(path)


class Daemons:
    """What starts daemons and, at the end, looks how each of them ended."""

    def __init__(self):
        self.all = []

    def __call__(self, bridges=None, text=None, start=True, args=(), env=None, **top):
        daemon = Daemon(make_folder(), {'bridges': bridges or {}, **top}, text)
        self.all.append(daemon)
        return daemon.start(*args, env=env) if start else daemon

    def finish(self, failed):
        problems = []
        for daemon in self.all:
            try:
                daemon.finish(failed)
            except AssertionError as e:
                problems.append(str(e))
            if failed:
                print(f'--- log of the daemon in {daemon.folder}:\n{daemon_log(daemon)[-6000:]}')
            shutil.rmtree(daemon.folder)
        assert not problems, '\n'.join(problems)


def daemon_log(daemon):
    return daemon.log() if os.path.exists(daemon.log_path) else ''


@pytest.fixture
def wsbridged(request):
    """
    wsbridged({NAME: BRIDGE, ...}, **other_top_level_keys): a daemon that is up. A bridge has its
    endpoint at NAME.sock in daemon.folder unless it says otherwise.
    """
    daemons = Daemons()
    yield daemons
    daemons.finish(getattr(request.node, 'failed', True))


@pytest.fixture(scope='module')
def module_daemon(request):
    """The same for a table of tests that share one daemon."""
    daemons = Daemons()
    yield daemons
    daemons.finish(request.session.testsfailed > 0)


def make_server(kind, *options):
    why = missing_server(kind)
    if why:
        pytest.skip(why)
    return Server(kind, options).start()


@pytest.fixture(scope='session')
def server():
    """A server that nobody kills, for all tests."""
    made = make_server('websockets')
    yield made
    made.kill()


@pytest.fixture(scope='session', params=['websockets', 'ws'])
def each_server(request):
    made = make_server(request.param)
    yield made
    made.kill()


@pytest.fixture
def start_server():
    """start_server(kind, *options): a server of one's own."""
    made = []

    def start(kind='websockets', *options):
        made.append(make_server(kind, *options))
        return made[-1]

    yield start
    for one in made:
        one.kill()


@pytest.fixture
def dumb_server():
    """dumb_server(scripts): see DumbServer."""
    made = []

    def start(scripts=serve_quietly):
        made.append(DumbServer(scripts))
        return made[-1]

    yield start
    for one in made:
        one.stop()
        assert not one.errors, one.errors


@pytest.fixture
def up(wsbridged, server):
    """A daemon with "up", which is open, and "down", which is closed."""
    daemon = wsbridged({'up': {'url': server.url()}, 'down': {'url': server.url(), 'start': 'manual'}})
    daemon.wait_open('up')
    return daemon


@pytest.fixture
def wsbridge():
    """wsbridge(daemon or None, *words, input=...): runs the command line to its end."""
    def run(daemon, *words, **options):
        argv = WRAPPER + [programs.wsbridge] + (['-s', daemon.control_path] if daemon else [])
        return subprocess.run(argv + list(words), capture_output=True, timeout=slack(20), check=False,
                              text=True, errors='surrogateescape', **options)
    return run


class NotifySocket:
    """What a service manager has at the other end of sd_notify(3). Read all the time: it holds few messages."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        self.env = {'NOTIFY_SOCKET': '@' + path[1:] if path[0] == '\0' else path}
        self.messages = []  # each as its lines
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        while message := self.socket.recv(4096):
            self.messages.append(message.decode().splitlines())

    def with_line(self, line):
        return [m for m in self.messages if line in m]

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


@pytest.fixture
def notify_socket(folder):
    made = NotifySocket(os.path.join(folder, 'notify'))
    yield made
    made.close()


def pytest_report_header():
    return [f'wsbridged: {programs.wsbridged}', f'wrapper: {" ".join(WRAPPER) or "none"}']
