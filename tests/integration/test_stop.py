# SPDX-License-Identifier: Apache-2.0
"""Ends and beginnings of the daemon: in order, at once, after a crash, and all at the same time."""

import os
import signal
import socket
import subprocess
import time

import pytest

import frames
from dumb_server import echo
from harness import WRAPPER, Control, LineSocket, RpcError, programs, slack, wait_until


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT])
def test_the_orderly_end(wsbridged, start_server, number):
    server = start_server()
    daemon = wsbridged({'a': {'url': server.url('/a')}, 'b': {'url': server.url('/b')}})
    daemon.wait_open()
    with daemon.client('a') as client:
        daemon.wait_status('a', lambda b: b['clients'])
        began = time.monotonic()
        assert daemon.stop(number) == 0
        assert time.monotonic() - began < slack(2)
        assert client.line() is None
    for path in ('/a', '/b'):
        assert server.wait_event('close', path=path)['code'] == 1001
    for name in ('control.sock', 'a.sock', 'b.sock'):
        assert not os.path.exists(daemon.path(name)), name


def test_what_was_written_before_is_still_sent(wsbridged, start_server):
    server = start_server()
    daemon = wsbridged({'b': {'url': server.url('/silent?log=1')}})
    daemon.wait_open()
    with daemon.client('b') as client:
        client.send(b''.join(b'%d\n' % i for i in range(5000)))
        daemon.wait_status('b', lambda b: b['tx']['messages'] == 5000)
        assert daemon.stop() == 0
    server.wait_event('close')
    assert [e['text'] for e in server.select('message')] == [str(i) for i in range(5000)]


def test_queues_of_slow_clients_are_flushed(wsbridged, start_server):
    server = start_server()
    daemon = wsbridged({'b': {'url': server.url('/silent')}})
    daemon.wait_open()
    with daemon.client('b') as client:
        daemon.wait_status('b', lambda b: b['clients'])
        server.command(text='x' * 1000, count=900)
        daemon.wait_status('b', lambda b: b['rx']['messages'] == 900)
        assert daemon.status('b')['endpoints'][0]['pending'] > 0
        daemon.send_signal(signal.SIGTERM)
        # The upstream is closed meanwhile; this client reads only then.
        assert server.wait_event('close')['code'] == 1001
        assert daemon.process.poll() is None
        lines = client.rest_of_lines()
        assert [line.split(b' ')[0] for line in lines] == [b'%d' % i for i in range(900)]
    assert daemon.wait_exit() == 0


@pytest.mark.limit(60)
def test_a_client_that_never_reads_does_not_hold_the_end(wsbridged, start_server):
    server = start_server()
    daemon = wsbridged({'b': {'url': server.url('/silent')}})
    daemon.wait_open()
    with daemon.client('b'):
        daemon.wait_status('b', lambda b: b['clients'])
        server.command(text='x' * 1000, count=900)
        daemon.wait_status('b', lambda b: b['rx']['messages'] == 900)
        began = time.monotonic()
        assert daemon.stop() == 0
        assert time.monotonic() - began < slack(10)
    daemon.log_contains('not everything was closed and delivered in time')


def deaf(conn):
    """Never answers a Close."""
    conn.upgrade()
    conn.drain()


def test_the_bound_of_shutdown(wsbridged, dumb_server):
    daemon = wsbridged({'b': {'url': dumb_server(deaf).url(), 'timeouts': {'close': 60}}})
    daemon.wait_open()
    began = time.monotonic()
    assert daemon.call('shutdown', timeout=0.5) == {}
    assert daemon.wait_exit() == 0
    assert 0.4 < time.monotonic() - began < slack(2)


def test_a_second_signal_ends_at_once(wsbridged, dumb_server):
    daemon = wsbridged({'b': {'url': dumb_server(deaf).url(), 'timeouts': {'close': 60}}})
    daemon.wait_open()
    daemon.send_signal(signal.SIGTERM)
    daemon.log_contains('ending')
    assert daemon.process.poll() is None
    began = time.monotonic()
    daemon.send_signal(signal.SIGTERM)
    assert daemon.wait_exit() == 0
    assert time.monotonic() - began < slack(1)


def test_a_signal_in_the_last_moment_changes_nothing(wsbridged):
    """Whoever asks for the end by two ways at once sees an orderly one."""
    for _ in range(20):
        daemon = wsbridged()
        daemon.control.send('shutdown\n')
        while daemon.process.poll() is None:
            for _ in range(100):  # it is not reaped meanwhile, so the number is still its own
                os.kill(daemon.pid, signal.SIGTERM)
        assert daemon.process.returncode == 0


@pytest.mark.parametrize('stopped', [False, True])
def test_what_a_test_leaves_behind_is_ended(wsbridged, monkeypatch, stopped):
    """The suite's own part: one that is left stopped goes on, and no other is sent a SIGCONT."""
    daemon, sent = wsbridged(), []
    if stopped:
        daemon.send_signal(signal.SIGSTOP)
        wait_until(daemon.is_stopped)
    send = daemon.process.send_signal
    monkeypatch.setattr(daemon.process, 'send_signal', lambda number: (sent.append(number), send(number)))
    daemon.finish(failed=False)
    assert sent == ([signal.SIGCONT] if stopped else []) + [signal.SIGTERM]


def test_during_the_end_nobody_new_is_let_in(wsbridged, dumb_server):
    daemon = wsbridged({'b': {'url': dumb_server(deaf).url(), 'timeouts': {'close': 60}}})
    daemon.wait_open()
    client, control = daemon.client('b'), Control(daemon.control_path)
    daemon.wait_status('b', lambda b: b['clients'])
    assert control.call('version')
    daemon.send_signal(signal.SIGTERM)
    wait_until(lambda: not os.path.exists(daemon.path('b.sock')))
    assert not os.path.exists(daemon.control_path)
    # Who is in already still gets answers.
    assert control.call('status', name='b')['bridges'][0]['state'] == 'closing'
    daemon.send_signal(signal.SIGTERM)
    assert daemon.wait_exit() == 0
    assert client.line() is None


def test_during_the_end_nothing_new_begins(wsbridged, dumb_server):
    """It would hold up the end: who is connected could go on for ever."""
    servers = dumb_server(deaf), dumb_server(deaf)
    daemon = wsbridged({'b': {'url': servers[0].url(), 'timeouts': {'close': 60}},
                        'down': {'url': servers[1].url(), 'start': 'manual'}})
    daemon.wait_open('b')
    with Control(daemon.control_path) as control:
        assert control.call('version')
        daemon.send_signal(signal.SIGTERM)
        wait_until(lambda: not os.path.exists(daemon.control_path))
        for line in (f'open new url={servers[1].url()}', 'open down', 'reconnect b', 'reload', 'reload dry_run=true'):
            error = control.ask(line)['error']
            assert (error['code'], error['message']) == (-32004, 'the daemon is ending'), line
        assert [b['name'] for b in control.call('status')['bridges']] == ['b', 'down']
        assert not servers[1].connections
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait_exit() == 0


def test_calls_that_wait_are_answered_at_the_end(wsbridged, dumb_server):
    daemon = wsbridged({'b': {'url': dumb_server(lambda conn: conn.drain()).url()}})
    with Control(daemon.control_path) as control:
        control.send('{"id":1,"method":"close","params":{"name":"b"}}\n'
                     '{"id":2,"method":"open","params":{"name":"b","wait":60}}\n')
        assert control.answer()['id'] == 1
        daemon.send_signal(signal.SIGTERM)
        answer = control.answer()
        assert (answer['id'], answer['error']['code']) == (2, -32004)
    assert daemon.wait_exit() == 0


def test_the_end_while_bridges_wait_and_connect(wsbridged, dumb_server):
    daemon = wsbridged({'connects': {'url': dumb_server(lambda conn: conn.drain()).url()},
                        'waits': {'url': 'ws://127.0.0.1:1/', 'reconnect': {'initial': 60, 'max': 60}},
                        'resolves': {'url': 'ws://name.invalid/'}})
    daemon.wait_state('waits', 'waiting')
    began = time.monotonic()
    assert daemon.stop() == 0
    assert time.monotonic() - began < slack(1)


def test_under_load(wsbridged, start_server):
    """Messages in both directions and clients that come and go, and then the signal."""
    server = start_server()
    daemon = wsbridged({'b': {'url': server.url('/all')}})
    daemon.wait_open()
    readers = [subprocess.Popen(['socat', '-u', f'UNIX-CONNECT:{daemon.path("b.sock")}', 'OPEN:/dev/null'])
               for _ in range(8)]
    daemon.wait_status('b', lambda b: len(b['clients']) == 8)
    server.command(text='y' * 200, count=20000)
    for _ in range(4):
        with daemon.client('b') as client:
            client.send(b'z' * 500 + b'\n')
    began = time.monotonic()
    status = daemon.stop()
    for reader in readers:
        reader.wait()
    assert status == 0
    assert time.monotonic() - began < slack(10)
    assert server.wait_event('close')['code'] == 1001


def test_restart_after_a_crash(wsbridged, start_server):
    server = start_server()
    daemon = wsbridged({'b': {'url': server.url()}})
    for _ in range(3):
        daemon.wait_open()
        client = daemon.client('b')
        client.send('x\n')
        assert client.line() == b'x'
        daemon.kill()
        assert os.path.exists(daemon.control_path) and os.path.exists(daemon.path('b.sock'))
        assert client.line() is None
        daemon.start()
    daemon.wait_open()


def test_a_file_that_is_no_socket_is_left_alone(wsbridged, server):
    daemon = wsbridged(start=False, bridges={'b': {'url': server.url()}, 'c': {'url': server.url()}})
    with open(daemon.path('b.sock'), 'w', encoding='ascii') as f:
        f.write('precious')
    daemon.start()
    bridge = daemon.wait_state('b', 'failed')
    assert bridge['last_error']['kind'] == 'endpoint'
    assert bridge['last_error']['message'].endswith('exists and is no socket: it is left alone')
    daemon.wait_open('c')
    with pytest.raises(RpcError) as error:
        daemon.call('open', name='b', wait=True)
    assert error.value.code == -32015
    with open(daemon.path('b.sock'), encoding='ascii') as f:
        assert f.read() == 'precious'
    os.remove(daemon.path('b.sock'))
    assert daemon.call('open', name='b', wait=True)['state'] == 'open'


def test_a_control_path_that_is_no_socket(wsbridged):
    daemon = wsbridged(start=False)
    with open(daemon.control_path, 'w', encoding='ascii') as f:
        f.write('precious')
    daemon.expected_status = 1
    daemon.start(ready=False)
    assert daemon.wait_exit() == 1
    assert 'exists and is no socket' in daemon.log()
    with open(daemon.control_path, encoding='ascii') as f:
        assert f.read() == 'precious'


def test_links_are_not_followed(wsbridged, server):
    """A link where a socket shall be is somebody else's file."""
    daemon = wsbridged(start=False, bridges={'b': {'url': server.url()}})
    with open(daemon.path('victim'), 'w', encoding='ascii') as f:
        f.write('precious')
    os.symlink(daemon.path('victim'), daemon.path('b.sock'))
    daemon.start()
    daemon.wait_state('b', 'failed')
    assert os.readlink(daemon.path('b.sock')) == daemon.path('victim')
    with open(daemon.path('victim'), encoding='ascii') as f:
        assert f.read() == 'precious'


def test_a_socket_that_somebody_else_serves_is_left_alone(wsbridged, server):
    daemon = wsbridged(start=False, bridges={'b': {'url': server.url()}})
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(daemon.path('b.sock'))
        other.listen()
        daemon.start()
        assert 'served by another process' in daemon.wait_state('b', 'failed')['last_error']['message']
        LineSocket(daemon.path('b.sock')).close()  # it is the other one's still
    daemon.wait_state('b', 'failed')


def test_a_socket_that_was_put_in_our_place_stays_at_the_end(wsbridged, server):
    daemon = wsbridged({'b': {'url': server.url()}})
    daemon.wait_open()
    os.remove(daemon.path('b.sock'))
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(daemon.path('b.sock'))
        assert daemon.stop() == 0
        assert os.path.exists(daemon.path('b.sock'))


@pytest.mark.limit(90)
def test_twenty_daemons_at_once(wsbridged, server):
    daemon = wsbridged(start=False, bridges={'b': {'url': server.url()}})
    argv = WRAPPER + [programs.wsbridged, '-c', daemon.conf_path, '-s', daemon.control_path]
    for _ in range(3):
        started = [subprocess.Popen(argv, stderr=subprocess.PIPE) for _ in range(20)]
        try:
            wait_until(lambda: sum(p.poll() is not None for p in started) == 19, 20, 'all but one end')
            assert sorted(p.returncode for p in started if p.poll() is not None) == [75] * 19
            with Control(daemon.control_path) as control:
                owner = control.call('status')['daemon']['pid']
            assert [p.pid for p in started if p.poll() is None] == [owner]
        finally:
            for p in started:
                if p.poll() is None:
                    p.terminate()
                p.communicate(timeout=slack(15))
        assert [p.returncode for p in started].count(0) == 1


def test_bad_usage(folder):
    for words in (['--bogus'], ['extra'], ['-c'], ['--log-level', 'loud'], ['--log-level']):
        done = subprocess.run([*WRAPPER, programs.wsbridged, *words], capture_output=True, timeout=slack(10),
                              check=False)
        assert (done.returncode, done.stdout) == (2, b''), words
        assert b'--help' in done.stderr


def test_help_and_version():
    done = subprocess.run([programs.wsbridged, '--help'], capture_output=True, timeout=slack(10), check=True, text=True)
    assert done.stderr == ''
    for switch in ('-c', '-s', '--check', '--print-schema', '--log-level', '--version', '--help'):
        assert switch in done.stdout
    done = subprocess.run([programs.wsbridged, '--version'], capture_output=True, timeout=slack(10), check=True,
                          text=True)
    assert done.stdout.startswith('wsbridged ') and done.stdout.count('\n') == 1


def test_log_level_of_the_command_line_wins(wsbridged, server):
    daemon = wsbridged({'b': {'url': server.url()}}, log={'level': 'debug'}, args=['--log-level', 'error'])
    daemon.wait_open()
    assert daemon.call('reload')['unchanged'] == 1
    assert daemon.log() == ''


def test_a_log_that_nobody_reads_stops_nothing(wsbridged, dumb_server):
    """Standard error is a full pipe: lines are dropped and counted, the bridge goes on."""
    server = dumb_server(echo)
    daemon = wsbridged(start=False, bridges={'b': {'url': server.url()}}, log={'level': 'debug'})
    read_end, write_end = os.pipe()
    argv = WRAPPER + [programs.wsbridged, '-c', daemon.conf_path, '-s', daemon.control_path]
    daemon.process = subprocess.Popen(argv, stderr=write_end)
    os.close(write_end)
    open(daemon.log_path, 'w', encoding='ascii').close()
    daemon.wait_ready()
    daemon.wait_open()
    for _ in range(600):
        with daemon.client('b') as client:
            client.send(b'\xff' * 50 + b'\nx\n')
            assert client.line() == b'x'
    assert daemon.status()['daemon']['log_dropped'] > 0
    assert server.connections[0].of(frames.TEXT)
    assert daemon.stop() == 0
    os.close(read_end)
