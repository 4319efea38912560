# SPDX-License-Identifier: Apache-2.0
"""
Where the examples run: the places that they name lie in folders of the test, the servers that they
name are its own, and `wsbridge` and `wsbridged` are those under test. A box belongs to one example;
`places` says what stands for what, in both directions.
"""

import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import threading

from examples import fits, pattern
from harness import WRAPPER, Control, free_port, programs, slack, wait_until

# Whoever runs the suite may be root or not, so the default control socket is said.
TOOL = '''#!/bin/sh
for word; do
	case $word in connect | probe | echo | check) exec {program} "$@" ;; -*) ;; *) break ;; esac
done
case " $* " in *" -s "*) exec {program} "$@" ;; esac
exec {program} -s "$WSB_CONTROL" "$@"
'''
DAEMON = '''#!/bin/sh
case " $* " in *" -s "* | *" --check "*) exec {program} "$@" ;; esac
exec {program} -s "$WSB_CONTROL" "$@"
'''


class Running:
    """A command line of an example."""

    def __init__(self, command, folder, env):
        self.command = command
        self.process = subprocess.Popen(['bash', '-c', command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, cwd=folder, env=env, start_new_session=True)
        self.said = ['', '']
        streams = enumerate([self.process.stdout, self.process.stderr])
        self.threads = [threading.Thread(target=self._read, args=s, daemon=True) for s in streams]
        for one in self.threads:
            one.start()

    def _read(self, which, stream):
        while data := os.read(stream.fileno(), 65536):
            self.said[which] += data.decode()
        stream.close()

    @property
    def output(self):
        """As on a terminal, where what is wrong comes before the exit status and behind what there is."""
        out, err = self.said
        if self.command.endswith('echo $?'):
            *lines, status = out.splitlines(True) or ['']
            return ''.join(lines) + err + status
        return out + err

    def wait(self):
        self.process.wait(slack(30))
        for one in self.threads:
            one.join(slack(5))
        return self.output

    def end(self, number=signal.SIGINT):
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            pass
        return self.wait()


class Box:
    def __init__(self, example, fixture):
        self.example, self.fixture = example, fixture
        self.make_daemon, self.make_server, self.scripted = map(fixture, ('wsbridged', 'start_server', 'scripted'))
        self.folder = tempfile.mkdtemp(prefix='wsb-')
        self.places = []  # (shown, a pattern of it, real)
        self.running, self.sockets, self.programs, self.variables = [], [], [], {}
        self.daemon = self.server = None
        for name, text in (('wsbridge', TOOL), ('wsbridged', DAEMON)):
            program = ' '.join([*WRAPPER, getattr(programs, name)])
            os.chmod(self.write(f'bin/{name}', text.format(program=program)), 0o755)
        self.map('/etc/key', self.path('etc-key'))
        self.map('/etc/wsbridge', self.path('etc'))
        self.map('/tmp/demo', self.path('demo'))
        os.mkdir(self.path('demo'))

    # Places ----------------------------------------------------------------

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'w', encoding='utf-8') as f:
            f.write(text)
        return path

    def map(self, shown, real):
        self.places.append((shown, re.escape(shown) + r'(?!\d)', real))

    def real(self, text):
        for _, shown, real in self.places:
            text = re.sub(shown, lambda _, real=real: real, text)
        return text

    def shown(self, text):
        for shown, _, real in self.places:
            text = text.replace(real, shown)
        return text

    # Servers ---------------------------------------------------------------

    def serve(self):
        """A server that sends what the test wants; it sends messages back, too."""
        self.server = self.make_server('websockets', '--deflate', '{}')
        self.map('127.0.0.1:9001', f'127.0.0.1:{self.server.port}')
        return self.server

    def echo(self):
        """`wsbridge echo`."""
        echo = self.run('exec wsbridge echo --listen 127.0.0.1:0')
        wait_until(lambda: echo.output.endswith('/\n'), 10, 'the echo server listens')
        self.map('127.0.0.1:9001', re.search(r'127\.0\.0\.1:\d+', echo.output).group())

    def refuse(self):
        """Nobody listens on port 9."""
        s = socket.socket()
        self.sockets.append(s)
        s.bind(('127.0.0.1', 0))
        self.map('127.0.0.1:9', f'127.0.0.1:{s.getsockname()[1]}')

    def start(self, bridges, **top):
        """The daemon; bridges whose server is there are open."""
        config = json.loads(self.real(json.dumps({'bridges': bridges, **top})))
        self.daemon = self.make_daemon(**config)
        self.map('/run/wsbridge', self.daemon.folder)
        for name, bridge in bridges.items():
            if '127.0.0.1:9/' not in bridge['url']:
                self.daemon.wait_open(name)
        return self.daemon

    def listen_unix(self, name):
        """A listening socket, which is there before anybody connects to it."""
        s = socket.socket(socket.AF_UNIX)
        self.sockets.append(s)
        s.bind(self.path(name))
        s.listen()
        return s

    def start_text(self, text, *names):
        self.daemon = self.make_daemon(text='{}', start=False)
        self.map('/run/wsbridge', self.daemon.folder)
        self.daemon.write_text(self.real(text))
        self.daemon.start().wait_open(*names)

    def free_port(self):
        """For a server that the example starts itself."""
        self.map('127.0.0.1:9001', f'127.0.0.1:{free_port()}')

    def finish(self):
        for one in self.running:
            one.end(signal.SIGTERM)
        for one in self.sockets:
            one.close()
        for one in self.programs:
            one.stop()

    # Running ---------------------------------------------------------------

    def env(self):
        control = self.daemon.control_path if self.daemon else self.path('control.sock')
        return {**os.environ, 'PATH': f'{self.path("bin")}:{os.environ["PATH"]}', 'WSB_CONTROL': control, 'TZ': 'UTC',
                'HOME': self.folder, 'LC_ALL': 'C.UTF-8',
                'XDG_RUNTIME_DIR': self.folder, 'XDG_CONFIG_HOME': self.folder, **self.variables}

    def run(self, command):
        """A command that is no part of a transcript."""
        self.running.append(Running(self.real(command), self.path('demo'), self.env()))
        return self.running[-1]

    @staticmethod
    def until(condition):
        return wait_until(condition, 15)

    @staticmethod
    def is_open(control_path, name):
        with Control(control_path) as control:
            return control.call('status', name=name)['bridges'][0]['state'] == 'open'

    def compare(self, lines, output, more=(), what=''):
        output = self.shown(output)
        assert fits(lines, output, more), (
            f'{self.example.key}: {what}\n--- in the document:\n' + '\n'.join(lines) + f'\n--- now:\n{output}'
            f'--- pattern:\n{pattern(lines, more)}')

    def transcript(self, *, before=None, during=None, endless=(), more=()):
        """
        Runs the commands and compares what each prints. `before[i]` and `during[i]` are called before and
        while the i-th runs; one of `endless`, or with & at its end, prints this and goes on.
        """
        for i, (command, lines) in enumerate(self.example.commands()):
            (before or {}).get(i, bool)()
            background = command.endswith('&')
            running = self.run(command.rstrip('&'))
            (during or {}).get(i, bool)()
            if background or i in endless:
                self.wait_for(running, lines, more)
                if not background:
                    running.end()
            else:
                running.wait()
            self.compare(lines, running.output, more, command)

    def wait_for(self, running, lines, more):
        try:
            wait_until(lambda: fits(lines, self.shown(running.output), more), 15, running.command)
        except AssertionError:
            self.compare(lines, running.output, more, running.command)

    def calls(self, *, during=None, more=()):
        """The same for requests to the control socket."""
        for i, (request, answers) in enumerate(self.example.calls()):
            control = self.daemon.control
            control.send(self.real(request) + '\n')
            (during or {}).get(i, bool)()
            for lines in answers:
                self.compare(lines, control.line().decode(), more, request)

    def check(self, text):
        """A configuration is accepted."""
        path = self.write('checked.json', text)
        done = subprocess.run([*WRAPPER, programs.wsbridge, 'check', path], capture_output=True, text=True,
                              timeout=slack(20), check=False)
        assert (done.returncode, done.stderr) == (0, ''), f'{self.example.key}: {done.stderr}'
