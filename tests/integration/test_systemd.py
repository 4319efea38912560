# SPDX-License-Identifier: Apache-2.0
"""What a service manager is told (sd_notify(3)), and what it gives: the journal, a watchdog."""

import os
import signal
import subprocess
import time

import pytest

from conftest import NotifySocket
from harness import WRAPPER, programs, slack, wait_until


def wait_line(notify, line, count=1):
    return wait_until(lambda: notify.with_line(line)[count - 1:], what=line)[0]


def test_ready_reload_stop(wsbridged, server, notify_socket):
    daemon = wsbridged({'b': {'url': server.url()}}, env=notify_socket.env)
    ready = wait_line(notify_socket, 'READY=1')
    assert any(line.startswith('STATUS=') for line in ready)
    assert os.path.exists(daemon.control_path) and os.path.exists(daemon.path('b.sock'))

    before = time.clock_gettime(time.CLOCK_MONOTONIC) * 1e6
    daemon.send_signal(signal.SIGHUP)
    reloading = wait_line(notify_socket, 'RELOADING=1')
    usec = int(next(line for line in reloading if line.startswith('MONOTONIC_USEC=')).split('=')[1])
    assert before <= usec <= time.clock_gettime(time.CLOCK_MONOTONIC) * 1e6
    wait_line(notify_socket, 'READY=1', 2)

    daemon.send_signal(signal.SIGTERM)
    wait_line(notify_socket, 'STOPPING=1')
    assert daemon.wait_exit() == 0
    order = [m[0].split('=')[0] for m in notify_socket.messages]
    assert order == ['READY', 'RELOADING', 'READY', 'STOPPING']


def test_ready_does_not_wait_for_upstreams(wsbridged, notify_socket):
    wsbridged({'b': {'url': 'ws://127.0.0.1:1/'}}, env=notify_socket.env)
    wait_line(notify_socket, 'READY=1')


def test_a_reload_that_fails_is_over_as_well(wsbridged, notify_socket):
    daemon = wsbridged(env=notify_socket.env)
    daemon.write_text('{')
    daemon.send_signal(signal.SIGHUP)
    wait_line(notify_socket, 'RELOADING=1')
    wait_line(notify_socket, 'READY=1', 2)


def test_abstract_socket(wsbridged):
    notify = NotifySocket(f'\0wsbridge-test-{os.getpid()}')
    wsbridged(env=notify.env)
    wait_line(notify, 'READY=1')
    notify.close()


@pytest.mark.parametrize('value', ['', 'relative', '/nonexistent/socket'])
def test_notify_sockets_that_lead_nowhere(wsbridged, value):
    daemon = wsbridged(env={'NOTIFY_SOCKET': value})
    assert daemon.call('version')


def test_watchdog(wsbridged, notify_socket):
    wsbridged(env={**notify_socket.env, 'WATCHDOG_USEC': '200000'})
    began = time.monotonic()
    wait_line(notify_socket, 'WATCHDOG=1', 5)
    # Twice as often as asked for, as sd_watchdog_enabled(3) recommends.
    assert 0.3 < time.monotonic() - began < slack(1)


def test_watchdog_of_another_process_is_not_ours(wsbridged, notify_socket):
    daemon = wsbridged(env={**notify_socket.env, 'WATCHDOG_USEC': '50000', 'WATCHDOG_PID': '1'})
    wait_line(notify_socket, 'READY=1')
    time.sleep(0.2)  # nothing is to come
    assert not notify_socket.with_line('WATCHDOG=1')
    assert daemon.call('version')


def test_a_stopped_daemon_gives_no_sign_of_life(wsbridged, notify_socket):
    daemon = wsbridged(env={**notify_socket.env, 'WATCHDOG_USEC': '100000'})
    wait_line(notify_socket, 'WATCHDOG=1')
    daemon.send_signal(signal.SIGSTOP)
    time.sleep(0.1)  # what was on its way
    seen = len(notify_socket.with_line('WATCHDOG=1'))
    time.sleep(0.3)  # nothing is to come
    assert len(notify_socket.with_line('WATCHDOG=1')) == seen
    daemon.send_signal(signal.SIGCONT)
    wait_line(notify_socket, 'WATCHDOG=1', seen + 1)


def test_no_ready_from_a_daemon_that_does_not_start(folder, notify_socket):
    with open(os.path.join(folder, 'bad.json'), 'w', encoding='ascii') as f:
        f.write('{')
    done = subprocess.run([*WRAPPER, programs.wsbridged, '-c', os.path.join(folder, 'bad.json'), '-s',
                           os.path.join(folder, 'c')], env={**os.environ, **notify_socket.env}, capture_output=True,
                          timeout=slack(10), check=False)
    assert done.returncode == 78
    assert notify_socket.messages == []


def test_priorities_for_the_journal(wsbridged, server):
    """Where standard error is the journal, lines begin with their priority and have no time of their own."""
    daemon = wsbridged(start=False, bridges={'b': {'url': server.url()}})
    open(daemon.log_path, 'w', encoding='ascii').close()
    st = os.stat(daemon.log_path)
    daemon.start(env={'JOURNAL_STREAM': f'{st.st_dev}:{st.st_ino}'})
    daemon.wait_open()
    lines = wait_until(lambda: daemon.log_lines('bridge b: open'))
    assert lines[0].startswith('<5>bridge b: open')
    daemon.write_text('{')
    daemon.send_signal(signal.SIGHUP)
    assert wait_until(lambda: daemon.log_lines('never closed'))[0].startswith('<3>')


def test_another_journal_stream_is_not_ours(wsbridged, server):
    daemon = wsbridged({'b': {'url': server.url()}}, env={'JOURNAL_STREAM': '1:1'})
    daemon.wait_open()
    assert not daemon.log().startswith('<')
