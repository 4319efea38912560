# SPDX-License-Identifier: Apache-2.0
"""
Thousands of idle bridges in one process: what they take to start, to be pinged and to be listed,
and what they cost while nothing happens. Time is that of the daemon's processor, and what others
on a busy machine make of it is measured beside it, by a known amount of work.
"""

import os
import resource
import subprocess
import sys
import time

import pytest

from harness import WRAPPER, Daemon, is_instrumented, programs, slack, wait_until

HERE = os.path.dirname(os.path.abspath(__file__))
MANY, FEW = 10000, 100
DESCRIPTORS_MORE = 150
CPU_SECONDS_FOR_MANY = 2.0
MEMORY_EACH = 4.5 * 1024
TIDY = 2.5  # until memory that was needed for a moment has gone back, seconds
SETTLED_MAX = 20
QUIET = 3  # seconds
STRETCHES = 5
WORK = 300000  # rounds, and the seconds they take where nobody is in the way
WORK_SECONDS = 0.0125
CROWDING_MAX = 3

pytestmark = pytest.mark.skipif(bool(WRAPPER) or is_instrumented(programs.wsbridged),
                                reason='it is about memory and time')


class IdleServer:
    def __init__(self):
        self.process = subprocess.Popen([sys.executable, os.path.join(HERE, 'idle_server.py')],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())

    def counts(self):
        """(handshakes, pings)"""
        self.process.stdin.write('\n')
        self.process.stdin.flush()
        return tuple(map(int, self.process.stdout.readline().split()))

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


@pytest.fixture
def server():
    server = IdleServer()
    yield server
    server.kill()


@pytest.fixture
def fleet(server, tmp_path):
    """fleet(n, options): a daemon with n bridges to the server, and an endpoint for each if there may be so many."""
    running = []

    def start(n, **options):
        bridges = {f'b{i}': {'endpoints': []} for i in range(n)}
        for name in list(bridges)[:descriptors() - n]:
            bridges[name] = {'endpoint': {'unix': f'@{tmp_path.name}-{os.getpid()}-{len(running)}-{name}'}}
        folder = tmp_path / str(len(running))
        folder.mkdir()
        daemon = Daemon(str(folder), {
            'limits': {'dials_per_second': 0, 'bridges': MANY},
            'defaults': {'url': f'ws://127.0.0.1:{server.port}/', **options},
            'bridges': bridges,
        })
        running.append(daemon)
        return daemon.start()
    yield start
    for daemon in running:
        if daemon.process:
            daemon.stop()


def descriptors():
    """For connections, and for the abstract sockets of endpoints."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return 2 * MANY if hard == resource.RLIM_INFINITY else hard - DESCRIPTORS_MORE


def affordable():
    return min(MANY, descriptors())


def count_open(daemon):
    return daemon.log().count(': open (')


def wait_all_open(daemon, n):
    wait_until(lambda: count_open(daemon) >= n, 180, f'{n} bridges are open')


def private_bytes(daemon):
    with open(f'/proc/{daemon.pid}/smaps_rollup', encoding='ascii') as f:
        fields = dict(line.split(':', 1) for line in f.read().splitlines()[1:])
    return int(fields['Anonymous'].split()[0]) * 1024


def wake_ups(daemon):
    with open(f'/proc/{daemon.pid}/status', encoding='ascii') as f:
        fields = dict(line.split(':', 1) for line in f.read().splitlines())
    return int(fields['voluntary_ctxt_switches'])


def memory_when_tidy(daemon):
    """Its lowest, once that has stayed for a moment: it goes down when what the start needed has gone back."""
    lowest, since = private_bytes(daemon), time.monotonic()
    end = since + slack(SETTLED_MAX)
    while since + slack(TIDY) > time.monotonic() and time.monotonic() < end:
        time.sleep(0.1)
        now = private_bytes(daemon)
        if now < lowest:
            lowest, since = now, time.monotonic()
    return lowest


def crowding():
    """How much more of the processor the same work takes now, because others use its caches and its other half."""
    start, total = time.process_time(), 0
    for i in range(WORK):
        total += i
    return min(max(1, (time.process_time() - start) / WORK_SECONDS), CROWDING_MAX)


def is_quiet_for_once(daemon):
    """In one of some stretches of time: what the start has left behind may come late."""
    for _ in range(STRETCHES):
        cpu, wakes = daemon.cpu_seconds(), wake_ups(daemon)
        time.sleep(QUIET)
        if wake_ups(daemon) - wakes <= 5 and daemon.cpu_seconds() - cpu <= 0.02:
            return True
    return False


def test_thousands_of_idle_bridges(fleet):
    n = affordable()
    limit = slack(CPU_SECONDS_FOR_MANY * n / MANY)
    daemon = fleet(n, ping={'interval': '1h'})
    wait_all_open(daemon, n)
    assert daemon.cpu_seconds() <= 1.5 * limit * crowding()  # with reading the configuration

    memory_when_tidy(daemon)
    before = daemon.cpu_seconds()
    bridges = daemon.status()['bridges']
    assert {b['state'] for b in bridges} == {'open'} and len(bridges) == n
    assert daemon.cpu_seconds() - before <= limit * crowding()

    memory_when_tidy(daemon)
    assert is_quiet_for_once(daemon)


def test_a_round_of_pings(fleet, server):
    n = affordable()
    daemon = fleet(n, ping={'interval': '8s', 'timeout': '1m'})
    wait_all_open(daemon, n)
    before, pinged = daemon.cpu_seconds(), server.counts()[1]
    wait_until(lambda: server.counts()[1] >= pinged + n, 180, 'every bridge has pinged')
    wait_until(lambda: daemon.status(f'b{n - 1}')['rtt'] is not None, 60, 'the Pongs are there')
    cpu, rounds = daemon.cpu_seconds() - before, (server.counts()[1] - pinged) / n
    assert cpu <= slack(CPU_SECONDS_FOR_MANY * n / MANY) * rounds * crowding()
    assert count_open(daemon) == n  # none was lost by that


def test_memory_of_an_idle_bridge(fleet):
    n = 1000
    few, many = fleet(FEW), fleet(n + FEW)
    wait_all_open(few, FEW)
    wait_all_open(many, n + FEW)
    each = (memory_when_tidy(many) - memory_when_tidy(few)) / n
    assert each <= MEMORY_EACH


def test_too_few_descriptors_are_told(tmp_path):
    daemon = Daemon(str(tmp_path), {'defaults': {'url': 'ws://127.0.0.1:9/', 'start': 'manual'},
                                    'bridges': {f'b{i}': {} for i in range(10)}})
    argv = [programs.wsbridged, '-c', daemon.conf_path, '-s', daemon.control_path]
    with open(daemon.log_path, 'ab') as log:
        daemon.process = subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (40, 80)))
    try:
        daemon.wait_ready()
        daemon.log_contains('10 bridges may need 94 descriptors, and this process may have 80 (RLIMIT_NOFILE')
        assert resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE) == (80, 80)
    finally:
        daemon.stop()
