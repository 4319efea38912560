# SPDX-License-Identifier: Apache-2.0
"""
The programs under test as objects: the daemon, clients of its sockets, WebSocket servers in
processes of their own. It knows no test and no configuration but where things lie. Everything that
waits here waits for a condition, with a bound. The trap: under valgrind or sanitizers all is
slower, so bounds that a test makes itself go through `slack`.
"""

import base64
import collections
import glob
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
WRAPPER = shlex.split(os.environ.get('WSB_WRAPPER', ''))

# What sanitizers, valgrind and a failed assert leave behind.
REPORTS = re.compile(r'Sanitizer|runtime error:|^==\d+==|Assertion .* failed', re.MULTILINE)


def find_program(name):
    """From $NAME, else from the build that runs this, else the newest below build/."""
    given = os.environ.get(name.upper())
    if given:
        return given
    folders = [os.environ.get('top_builddir', '')] + glob.glob(os.path.join(TOP, 'build', '*'))
    found = [os.path.join(f, name) for f in folders if f and os.access(os.path.join(f, name), os.X_OK)]
    if not found:
        raise FileNotFoundError(f'{name} is not built; {name.upper()}=PATH names it')
    return os.path.abspath(found[0] if os.environ.get('top_builddir') else max(found, key=os.path.getmtime))


def is_instrumented(path):
    with open(path, 'rb') as f:
        return b'__asan_init' in f.read()


class Programs:
    """Looked for when first needed, so that a test can skip with a sentence."""

    def __getattr__(self, name):
        path = find_program(name)
        setattr(self, name, path)
        return path


programs = Programs()


def slowness():
    if WRAPPER:
        return 8
    return 3 if is_instrumented(programs.wsbridged) else 1


_slowness = None


def slack(seconds):
    """A bound on what the daemon may take, wider where it runs slower."""
    global _slowness
    if _slowness is None:
        _slowness = slowness()
    return seconds * _slowness


def wait_until(predicate, timeout=10, what=None):
    """The first true value of predicate(); a failed test if there is none in time."""
    end = time.monotonic() + slack(timeout)
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f'not within {slack(timeout)} s: {what or predicate.__name__}')
        time.sleep(0.005)


def free_port():
    """A port of 127.0.0.1 that nobody listens on just now."""
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


class RpcError(Exception):
    """An error answer of the control socket."""

    def __init__(self, error):
        super().__init__(f'{error["code"]} {error["message"]} {error.get("data")}')
        self.code, self.message, self.data = error['code'], error['message'], error.get('data', {})
        self.kind = self.data.get('kind')


class LineSocket:
    """A Unix stream socket that is read by lines."""

    def __init__(self, path, delimiter=b'\n', timeout=20):
        self.timeout = slack(timeout)
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(self.timeout)
        self.socket.connect(str(path))
        self.delimiter = delimiter
        self.ready = collections.deque()
        self.tail = []  # of an unfinished line, as it came

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode())

    def _receive(self):
        """False at the end of input."""
        try:
            data = self.socket.recv(1 << 20)
        except ConnectionResetError:
            data = b''
        first, *more = data.split(self.delimiter)
        self.tail.append(first)
        if more:
            self.ready.append(b''.join(self.tail))
            self.ready.extend(more[:-1])
            self.tail = [more[-1]]
        return bool(data)

    def line(self):
        """The next line without its delimiter; None: the other side has closed."""
        while not self.ready:
            if not self._receive():
                assert not any(self.tail), f'input ended inside a line: {b"".join(self.tail)[:200]!r}'
                return None
        return self.ready.popleft()

    def lines(self, count):
        return [self.line() for _ in range(count)]

    def rest_of_lines(self):
        """All that still come."""
        return list(iter(self.line, None))

    def silent(self, seconds=0.2):
        """Does nothing come for so long? For what must not be delivered."""
        self.socket.settimeout(seconds)
        try:
            while not self.ready and self._receive():
                pass
            return False
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(self.timeout)

    def half_close(self):
        self.socket.shutdown(socket.SHUT_WR)

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.close()


class Control(LineSocket):
    """A client of a control socket."""

    def __init__(self, path):
        super().__init__(path)
        self.id = 0

    def answer(self):
        line = self.line()
        return None if line is None else json.loads(line)

    def ask(self, line):
        """One raw line, and its answer."""
        self.send(line if isinstance(line, bytes) else line.encode())
        self.send(b'\n')
        return self.answer()

    def call(self, method, **params):
        self.id += 1
        answer = self.ask(json.dumps({'jsonrpc': '2.0', 'id': self.id, 'method': method, 'params': params}))
        assert answer is not None, f'the daemon closed the control socket instead of answering {method}'
        assert answer['id'] == self.id, answer
        if 'error' in answer:
            raise RpcError(answer['error'])
        return answer['result']


class Daemon:
    """One wsbridged with a folder of its own. `$DIR` in the configuration is that folder."""

    def __init__(self, folder, config=None, text=None):
        self.folder = folder
        self.conf_path = self.path('wsbridge.json')
        self.control_path = self.path('control.sock')
        self.log_path = self.path('stderr')
        self.process = None
        self.expected_status = 0
        self.control_client = None
        if text is None:
            self.write(config)
        else:
            self.write_text(text)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, config):
        """A bridge without endpoints gets one at NAME.sock."""
        config = json.loads(json.dumps(config))
        for name, bridge in config.get('bridges', {}).items():
            if not bridge.keys() & {'endpoint', 'endpoints'} and 'endpoint' not in config.get('defaults', {}):
                bridge['endpoint'] = f'$DIR/{name}.sock'
            elif isinstance(bridge.get('endpoint'), dict) and 'fifo' not in bridge['endpoint']:
                bridge['endpoint'].setdefault('unix', f'$DIR/{name}.sock')
        self.write_text(json.dumps(config, indent=1))

    def write_text(self, text):
        # Into its place in one step: a reload never sees half of it.
        with open(self.conf_path + '.new', 'w', encoding='utf-8', errors='surrogateescape') as f:
            f.write(text.replace('$DIR', self.folder))
        os.rename(self.conf_path + '.new', self.conf_path)

    def start(self, *args, env=None, ready=True):
        argv = WRAPPER + [programs.wsbridged, '-c', self.conf_path, '-s', self.control_path, *args]
        with open(self.log_path, 'ab') as log:
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder,
                                            env={**os.environ, **(env or {})})
        if ready:
            self.wait_ready()
        return self

    def wait_ready(self):
        def ready():
            assert self.process.poll() is None, f'ended with {self.process.returncode}:\n{self.log()}'
            try:
                with Control(self.control_path) as control:
                    return control.call('version')
            except (FileNotFoundError, ConnectionRefusedError):
                return None
        wait_until(ready, 15, 'the control socket answers')

    # The control socket ----------------------------------------------------

    @property
    def control(self):
        """One connection for the whole test."""
        if self.control_client is None:
            self.control_client = Control(self.control_path)
        return self.control_client

    def call(self, method, **params):
        return self.control.call(method, **params)

    def status(self, name=None):
        """Of one bridge, or of the daemon and all bridges."""
        if name is None:
            return self.call('status')
        bridges = self.call('status', name=name)['bridges']
        assert [b['name'] for b in bridges] == [name]
        return bridges[0]

    def wait_state(self, name, *states, timeout=10):
        def reached():
            bridge = self.status(name)
            return bridge if bridge['state'] in states else None
        return wait_until(reached, timeout, f'{name} is {" or ".join(states)}')

    def wait_status(self, name, predicate, timeout=10, what=None):
        def holds():
            bridge = self.status(name)
            return bridge if predicate(bridge) else None
        return wait_until(holds, timeout, what or f'status of {name}')

    def wait_open(self, *names, timeout=10):
        for name in names or [b['name'] for b in self.status()['bridges']]:
            self.wait_state(name, 'open', timeout=timeout)

    def client(self, name, **options):
        """A local client of the bridge that lies at NAME.sock."""
        return LineSocket(self.path(f'{name}.sock'), **options)

    # The process -----------------------------------------------------------

    @property
    def pid(self):
        return self.process.pid

    def send_signal(self, number):
        self.process.send_signal(number)

    def log(self):
        with open(self.log_path, encoding='utf-8', errors='replace') as f:
            return f.read()

    def log_lines(self, text):
        return [line for line in self.log().splitlines() if text in line]

    def log_contains(self, text, times=1, timeout=10):
        """Waits for so many lines with the text; no more of them may be there."""
        wait_until(lambda: len(self.log_lines(text)) >= times, timeout, f'{times} log lines with {text!r}')
        assert len(self.log_lines(text)) == times, self.log_lines(text)

    def n_fds(self):
        return len(os.listdir(f'/proc/{self.pid}/fd'))

    def _stat(self):
        """The fields of proc(5) behind the name: the state is the first."""
        with open(f'/proc/{self.pid}/stat', encoding='ascii') as f:
            return f.read().rpartition(')')[2].split()

    def is_stopped(self):
        """By SIGSTOP."""
        return self._stat()[0] == 'T'

    def cpu_seconds(self):
        fields = self._stat()
        return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')

    def rss(self):
        with open(f'/proc/{self.pid}/statm', encoding='ascii') as f:
            return int(f.read().split()[1]) * os.sysconf('SC_PAGESIZE')

    def wait_exit(self, timeout=15):
        try:
            return self.process.wait(slack(timeout))
        except subprocess.TimeoutExpired:
            raise AssertionError(f'still running after {slack(timeout)} s:\n{self.log()[-2000:]}') from None

    def stop(self, number=signal.SIGTERM):
        """The orderly end, and the exit status."""
        self.send_signal(number)
        return self.wait_exit()

    def kill(self):
        """As a crash: nothing is tidied up."""
        self.send_signal(signal.SIGKILL)
        self.process.wait()
        self.forget_control()

    def forget_control(self):
        if self.control_client is not None:
            self.control_client.close()
            self.control_client = None

    def restart(self, *args):
        assert self.stop() == 0
        self.forget_control()
        return self.start(*args)

    def finish(self, failed):
        """Of every test: a clean exit, and nothing that a sanitizer or valgrind complains of."""
        self.forget_control()
        if self.process is None:
            return
        if self.process.poll() is None:
            # No other process: that would take back the SIGSTOP by which LeakSanitizer, at the end of
            # one, stops its threads (PTRACE_ATTACH), and then it waits for ever.
            if self.is_stopped():
                self.send_signal(signal.SIGCONT)
            self.send_signal(signal.SIGTERM)
        try:
            status = self.wait_exit()
        except AssertionError:
            self.process.kill()
            self.process.wait()
            raise
        log = self.log()
        report = REPORTS.search(log)
        assert not report, f'a report in its standard error:\n{log[max(0, report.start() - 200):][:8000]}'
        if not failed:
            assert status == self.expected_status, f'exit status {status}:\n{log[-4000:]}'


class Server:
    """A WebSocket server in a process of its own: real_server.py or node_server.js."""

    def __init__(self, kind='websockets', options=()):
        self.kind = kind
        self.argv = server_argv(kind) + list(options)
        self.port = 0
        self.events = []
        self.questions = 0
        self.process = None

    def start(self):
        """Also again after kill(), on the same port."""
        self.process = subprocess.Popen(self.argv + ['--port', str(self.port)], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)
        threading.Thread(target=self._read, args=(self.process.stdout, self.events), daemon=True).start()
        known = len(self.events)
        self.port = wait_until(lambda: self._port(known), 20, f'the {self.kind} server listens')
        return self

    def _port(self, known):
        assert self.process.poll() is None, f'the {self.kind} server ended'
        return next((e['port'] for e in self.events[known:] if e['event'] == 'listening'), None)

    @staticmethod
    def _read(stream, events):
        for line in stream:
            events.append(json.loads(line))
        stream.close()

    def url(self, path='/'):
        return f'ws://127.0.0.1:{self.port}{path}'

    def command(self, **what):
        """To all its connections, or to those of {"path": ...}."""
        self.process.stdin.write(json.dumps(what).encode() + b'\n')
        self.process.stdin.flush()

    def _heard(self, event, match):
        return [e for e in list(self.events)
                if e['event'] == event and all(e.get(k) == v for k, v in match.items())]

    def select(self, event, **match):
        """All of this kind until now: what the server did before it reads this question is told."""
        if self.process is not None and self.process.poll() is None:
            self.questions += 1
            self.command(told=self.questions)
            self.wait_event('told', number=self.questions)
        return self._heard(event, match)

    def wait_event(self, event, count=1, timeout=10, **match):
        """The count-th event of this kind."""
        return wait_until(lambda: self._heard(event, match)[count - 1:], timeout, f'{event} {match}')[0]

    def send_signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        if self.process is None:
            return
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process = None


def server_argv(kind):
    if kind == 'websockets':
        return [sys.executable, os.path.join(HERE, 'real_server.py')]
    return [shutil.which('node'), os.path.join(HERE, 'node_server.js')]


def missing_server(kind):
    """Why this server cannot be had, None if it can."""
    if kind == 'websockets':
        return None
    if shutil.which('node') is None:
        return 'node not found: apt-get install nodejs npm'
    if not os.path.isdir(os.path.join(HERE, 'node_modules', 'ws')):
        return 'the ws package is not there: npm ci in tests/integration'
    return None


def b64(data):
    return base64.b64encode(data).decode()
