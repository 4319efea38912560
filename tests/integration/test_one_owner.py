# SPDX-License-Identifier: Apache-2.0
"""Each path has one owner at a time, however many daemons want it, and whatever became of the last one."""

import os
import signal
import socket
import stat
import subprocess
import time

import pytest

from harness import WRAPPER, Control, LineSocket, is_instrumented, programs, slack, wait_until

MANY = int(os.environ.get('WSB_MANY_DAEMONS', '500'))


def start(daemon):
    """One more daemon on the same configuration and control socket."""
    return subprocess.Popen([*WRAPPER, programs.wsbridged, '-c', daemon.conf_path, '-s', daemon.control_path],
                            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                            cwd=daemon.folder)


def how_many():
    return 10 if WRAPPER else 30 if is_instrumented(programs.wsbridged) else MANY


@pytest.mark.limit(60)
@pytest.mark.parametrize('leftover', [False, True])
def test_many_start_at_once(wsbridged, server, leftover):
    """One serves, all others end with 75; also when a crashed one has left its sockets there."""
    daemon = wsbridged({'b': {'url': server.url()}}, start=False)
    if leftover:
        daemon.start()
        daemon.wait_open()
        daemon.kill()
        daemon.expected_status = -signal.SIGKILL
        assert os.path.exists(daemon.control_path) and os.path.exists(daemon.path('b.sock'))
    crowd = [start(daemon) for _ in range(how_many())]
    try:
        wait_until(lambda: sum(p.poll() is None for p in crowd) == 1, 40, 'one is left')
        owner, = [p for p in crowd if p.poll() is None]
        with Control(daemon.control_path) as control:
            assert control.call('status')['daemon']['pid'] == owner.pid or WRAPPER
            wait_until(lambda: control.call('status', name='b')['bridges'][0]['state'] == 'open')
        with daemon.client('b') as client:
            client.send('hello\n')
            assert client.line() == b'hello'
        others = [p for p in crowd if p is not owner]
        assert {p.returncode for p in others} == {75}
        assert all(len(p.stderr.read().splitlines()) == 1 for p in others)
        owner.terminate()
        assert owner.wait(slack(10)) == 0
    finally:
        for p in crowd:
            p.kill()
            p.wait()
            p.stderr.close()
    left = {name for name in os.listdir(daemon.folder) if stat.S_ISSOCK(os.lstat(daemon.path(name)).st_mode)}
    assert left == set()


def test_many_want_one_endpoint(wsbridged, server):
    """Daemons that know nothing of each other: the others stay, with a bridge that has failed."""
    bridge = {'url': server.url()}
    first = wsbridged({'b': bridge}, start=False)
    daemons = [first] + [wsbridged({'b': {**bridge, 'endpoint': first.path('b.sock')}}, start=False) for _ in range(11)]
    for daemon in daemons:
        daemon.start(ready=False)
    for daemon in daemons:
        daemon.wait_ready()
    states = [daemon.wait_state('b', 'open', 'failed')['state'] for daemon in daemons]
    assert sorted(states) == ['failed'] * 11 + ['open']
    owner = daemons[states.index('open')]
    with first.client('b') as client:
        client.send('hello\n')
        assert client.line() == b'hello'
    assert len(owner.status('b')['clients']) == 1 or owner.status('b')['rx']['messages'] == 1


def test_a_new_start_after_a_crash(wsbridged, start_server):
    """It serves within a second: sockets, FIFOs, an abstract name."""
    server = start_server()
    name = f'wsbridge-crash-{os.getpid()}'
    daemon = wsbridged({'b': {'url': server.url(), 'endpoints': [
        '$DIR/b.sock', {'fifo': {'out': '$DIR/out'}}, {'unix': f'@{name}'},
        {'unix': '$DIR/packets.sock', 'type': 'seqpacket'}]}})
    daemon.wait_open()
    for _ in range(5):
        with daemon.client('b') as client:
            client.send('x\n')
            assert client.line() == b'x'
            daemon.kill()
            assert client.line() is None
        began = time.monotonic()
        daemon.start()
        daemon.wait_open()
        with daemon.client('b') as client, LineSocket(f'\0{name}') as abstract:
            client.send('y\n')
            assert (client.line(), abstract.line()) == (b'y', b'y')
        assert time.monotonic() - began < slack(1)
    assert not [n for n in os.listdir(daemon.folder) if n.startswith('b.sock.') and n != 'b.sock.lock']


def test_a_stopped_owner_still_owns(wsbridged, server):
    """One that does not answer for a while is no crashed one."""
    daemon = wsbridged({'b': {'url': server.url()}})
    daemon.wait_open()
    daemon.send_signal(signal.SIGSTOP)
    other = wsbridged({'b': {'url': server.url(), 'endpoint': daemon.path('b.sock')}})
    assert other.wait_state('b', 'failed')['last_error']['kind'] == 'endpoint'
    second = start(daemon)
    assert second.wait(slack(10)) == 75
    second.stderr.close()
    daemon.send_signal(signal.SIGCONT)
    with daemon.client('b') as client:
        client.send('mine\n')
        assert client.line() == b'mine'
    # When it has gone, the other one can have it.
    assert daemon.stop() == 0
    other.call('open', name='b')
    other.wait_open('b')
    with daemon.client('b') as client:
        client.send('now mine\n')
        assert client.line() == b'now mine'


def a_file(path):
    with open(path, 'w', encoding='ascii') as f:
        f.write('precious')


def a_link(path):
    a_file(path + '.target')
    os.symlink(path + '.target', path)


def somebodys_socket(path):
    s = socket.socket(socket.AF_UNIX)
    s.bind(path)
    s.listen()
    return s


@pytest.mark.parametrize('make', [a_file, a_link, os.mkdir, os.mkfifo, somebodys_socket], ids=lambda f: f.__name__)
def test_what_is_no_stale_socket_stays(wsbridged, server, make):
    daemon = wsbridged({'b': {'url': server.url()}}, start=False)
    path = daemon.path('b.sock')
    kept = make(path)
    before = os.lstat(path)
    daemon.start()
    error = daemon.wait_state('b', 'failed')['last_error']
    assert error['kind'] == 'endpoint' and path in error['message']
    assert daemon.stop() == 0
    after = os.lstat(path)
    assert (after.st_ino, after.st_mode, after.st_mtime_ns) == (before.st_ino, before.st_mode, before.st_mtime_ns)
    if kept:
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(path)
        kept.close()


def test_a_socket_that_was_taken_over_is_not_removed(wsbridged, server):
    """Only what it made itself is removed at its end."""
    daemon = wsbridged({'b': {'url': server.url()}})
    daemon.wait_open()
    os.unlink(daemon.path('b.sock'))
    with somebodys_socket(daemon.path('b.sock')):
        assert daemon.stop() == 0
        assert stat.S_ISSOCK(os.lstat(daemon.path('b.sock')).st_mode)
