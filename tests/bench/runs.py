# SPDX-License-Identifier: Apache-2.0
"""
One run of bench.py: load server, bridge and load client started, waited for, and read out.
"""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time

SECONDS = 60  # that a run may take


class Failed(Exception):
    pass


class Tools:
    """Where the programs were built, and on which processors they run."""

    def __init__(self, build):
        self.build = os.path.abspath(build)
        cores = sorted(os.sched_getaffinity(0))
        self.load_core, self.bridge_core = (cores[0], cores[1]) if len(cores) > 1 else (None, None)

    def start(self, command, core, **more):
        def pin():
            if core is not None:
                os.sched_setaffinity(0, {core})
        return subprocess.Popen(command, preexec_fn=pin, stdin=subprocess.DEVNULL, **more)


class Place:
    """A directory with the socket, the port and the certificate of a run; short, as sockets want it."""

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix='wsb-bench.', dir='/tmp')
        self.socket = self.path('socket')
        self.certificate, self.key = self.path('certificate.pem'), self.path('key.pem')
        self.address = ''
        command = ['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
                   '-keyout', self.key, '-out', self.certificate, '-days', '2', '-subj', '/CN=127.0.0.1',
                   '-addext', 'subjectAltName=IP:127.0.0.1']
        subprocess.run(command, check=True, capture_output=True)

    def path(self, name):
        return os.path.join(self.directory, name)

    def clean(self):
        for name in ('socket', 'port', 'ready', 'config.json', 'control'):
            if os.path.lexists(self.path(name)):
                os.unlink(self.path(name))

    def remove(self):
        shutil.rmtree(self.directory, ignore_errors=True)


def wait_for_file(path, *processes):
    end = time.monotonic() + SECONDS
    while not os.path.lexists(path):
        for process in processes:
            if process.poll() is not None:
                raise Failed(f'{os.path.basename(process.args[0])} ended with {process.returncode}')
        if time.monotonic() > end:
            raise Failed(f'{os.path.basename(path)} did not appear')
        time.sleep(0.001)


def cpu_seconds(pid):
    """
    Of a process, also when it has ended but was not waited for. The scheduler's own count is exact to
    the nanosecond but without threads that have ended; the other one has them, in hundredths.
    """
    exact = 0
    for task in os.listdir(f'/proc/{pid}/task'):
        try:
            with open(f'/proc/{pid}/task/{task}/schedstat', encoding='ascii') as file:
                exact += int(file.read().split()[0])
        except OSError:  # it ended in between
            pass
    with open(f'/proc/{pid}/stat', encoding='ascii') as file:
        fields = file.read().rpartition(')')[2].split()
    ticks = (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')
    return max(exact / 1e9, ticks - 0.02)


def stop(process):
    if process and process.poll() is None:
        process.send_signal(signal.SIGKILL)
    if process:
        process.wait()


def result_of(text, count, cpu):
    """Microseconds for each delivered message."""
    try:
        said = json.loads(text)
    except ValueError:
        raise Failed('there is no result') from None
    if not said['ok']:
        raise Failed('not everything arrived')
    lines = said.get('lines', count)
    result = {'wall': said['elapsed_s'] / lines * 1e6, 'cpu': cpu / lines * 1e6}
    result.update({name: said['rtt_us'][name] for name in ('p50', 'p99') if 'rtt_us' in said})
    return result


def run(tools, place, program, load, count):
    """Microseconds by metric, or Failed."""
    place.clean()
    server = bridge = client = None
    tls = ['--cert', place.certificate, '--key', place.key] if load.tls else []
    try:
        with open(place.path('log'), 'wb') as log:
            server = tools.start([program.tool('wsload'), *load.server(count, program.raw), *tls,
                                  '--port-file', place.path('port'), '--ready-file', place.path('ready')],
                                 tools.load_core, stdout=log, stderr=log)
            wait_for_file(place.path('port'), server)
            with open(place.path('port'), encoding='ascii') as file:
                place.address = '127.0.0.1:' + file.read().strip()
            command = program.command(load, place)
            if program.name == 'zlib':
                bridge = tools.start(command, tools.bridge_core, stdout=subprocess.PIPE, stderr=log)
                text = bridge.communicate(timeout=SECONDS)[0]
                return result_of(text, count, json.loads(text)['cpu_s'])
            bridge = tools.start(command, tools.bridge_core, stdout=log, stderr=log, env=program.environment())
            wait_for_file(place.socket, bridge)
            if not program.waits:
                wait_for_file(place.path('ready'), server, bridge)
            before = cpu_seconds(bridge.pid)
            client = tools.start([program.tool('lineload'), '--unix', place.socket,
                                  '--ready-file', place.path('ready'), '--timeout', str(SECONDS),
                                  *load.client(count, program.raw)],
                                 tools.load_core, stdout=subprocess.PIPE, stderr=log)
            text = client.communicate(timeout=SECONDS)[0]
            return result_of(text, count, cpu_seconds(bridge.pid) - before)
    except Failed as failed:
        with open(place.path('log'), encoding='utf-8', errors='replace') as file:
            said = [line for line in file.read().splitlines() if line.startswith(('wsload:', 'peer', 'inflaterelay:'))]
        raise Failed('; '.join([str(failed), *said[:1]])) from failed
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise Failed(str(error)) from error
    finally:
        for process in (client, bridge, server):
            stop(process)
