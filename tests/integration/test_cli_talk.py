# SPDX-License-Identifier: Apache-2.0
"""The commands that wait for what a bridge does or gets: ping, recv, request, wait, monitor."""

import base64
import json
import re
import signal
import subprocess

import pytest

from cli import DENIED, NAME, NOT_OPEN, TIMEOUT, UNREACHABLE, USAGE, fails
from harness import WRAPPER, programs, slack, wait_until


@pytest.fixture
def background():
    """background(daemon, *words): the command line, left to run."""
    started = []

    def start(daemon, *words):
        argv = WRAPPER + [programs.wsbridge, '-s', daemon.control_path, *words]
        started.append(subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def wait_asking(daemon, count=1, what='waiting'):
    """So many calls wait for something to happen, or so many subscriptions are there."""
    wait_until(lambda: daemon.status()['daemon'][what] == count)


def test_ping(wsbridge, up):
    done = wsbridge(up, 'ping', 'up')
    assert (done.returncode, done.stderr) == (0, '') and re.fullmatch(r'[0-9.]+(us|ms|s)\n', done.stdout)
    rtt = json.loads(wsbridge(up, '--json', 'ping', 'up').stdout)['rtt']
    assert 0 < rtt < slack(1)
    fails(wsbridge(up, 'ping', 'down'), NOT_OPEN, 'ping: bridge "down" is closed')
    fails(wsbridge(up, 'ping', 'ub'), NAME, 'ping: no bridge "ub"; did you mean "up"?')


def test_request(wsbridge, up):
    text = '{"id":1, "n":1.10}'
    for match in ('/id=1', '/id', '~^."id', '"n":', '{"pointer":"/n","equals":1.1}'):
        done = wsbridge(up, 'request', 'up', text, '--match', match)
        assert (done.returncode, done.stdout, done.stderr) == (0, text + '\n', ''), match
    result = json.loads(wsbridge(up, '--json', 'request', 'up', text, '--match', '/id=1').stdout)
    assert (result['type'], result['data'], result['seq']) == ('text', text, 6)
    text = '{"id":"a=b"}'
    assert wsbridge(up, 'request', 'up', text, '-m', '/id=a=b').stdout == text + '\n'


def test_request_fails(wsbridge, up):
    fails(wsbridge(up, 'request', 'up', '1'), USAGE, 'request: --match is needed: which message is the answer?')
    fails(wsbridge(up, 'request', 'up', '1', '--match', '{'), USAGE, 'request: --match: not valid JSON')
    fails(wsbridge(up, 'request', 'up', '1', '--match', '2', '-t', '100ms'), TIMEOUT,
          'request: bridge "up": no message that matches within 100ms')
    fails(wsbridge(up, 'request', 'down', '1', '--match', '1'), NOT_OPEN, 'request: bridge "down" is closed')
    fails(wsbridge(up, 'request', 'up', '1', '--match', '1', '-t', 'soon'), USAGE,
          'request: --timeout: "soon" is not a duration: a number is missing')


def test_recv(up, server, background):
    waits, waits_for_json = background(up, 'recv', 'up', '-n', '2'), background(up, '--json', 'recv', 'up')
    wait_asking(up, 2)
    server.command(path='/', text='one \x1b\x00 two')
    up.wait_status('up', lambda b: b['rx']['messages'] == 1)
    up.call('send', name='up', binary=base64.b64encode(b'\xff\x00').decode())
    assert waits.communicate(timeout=slack(10)) == ('one \x1b\x00 two\n/wA=\n', '')
    out, _ = waits_for_json.communicate(timeout=slack(10))
    assert json.loads(out)['data'] == 'one \x1b\x00 two'
    assert (waits.returncode, waits_for_json.returncode) == (0, 0)


def test_recv_prints_what_came_before_an_error(up, background):
    waits = background(up, 'recv', 'up', '-n', '2', '-t', '1s', '--match', 'a')
    wait_asking(up)
    for text in ('abc', 'xyz'):
        up.call('send', name='up', text=text)
    out, err = waits.communicate(timeout=slack(10))
    assert (waits.returncode, out) == (TIMEOUT, 'abc\n')
    assert err == 'wsbridge: recv: bridge "up": 1 of 2 messages within 1s\n'


def test_recv_fails(wsbridge, up):
    fails(wsbridge(up, 'recv', 'down'), NOT_OPEN, 'recv: bridge "down" is closed; 0 of 1 messages came')
    fails(wsbridge(up, 'recv', 'up', '-n', '0'), USAGE, 'recv: --number: expected 1 to 1000')


def test_wait(wsbridge, up, background):
    assert wsbridge(up, 'wait', 'up').stdout == 'up: open\n'
    assert wsbridge(up, 'wait', 'down', 'closed').stdout == 'down: closed\n'
    fails(wsbridge(up, 'wait', 'down', '-t', '100ms'), TIMEOUT,
          'wait: bridge "down" is not open after 100ms, but closed')
    fails(wsbridge(up, 'wait', 'up', 'opne'), USAGE,
          'wait: state: a state is one of idle, connecting, open, closing, waiting, closed, failed')
    waits = background(up, 'wait', 'down')
    wait_asking(up)
    up.call('open', name='down')
    assert waits.communicate(timeout=slack(10)) == ('down: open\n', '')
    waits = background(up, 'wait', 'up', 'waiting')
    wait_asking(up)
    up.call('shutdown')
    assert waits.wait(slack(10)) == NOT_OPEN


def test_rights(wsbridge, wsbridged, server):
    daemon = wsbridged({'b': {'url': server.url()}}, control=[{}, {'unix': '$DIR/read.sock', 'level': 'read'}])
    daemon.wait_open()
    daemon.control_path = daemon.path('read.sock')
    assert wsbridge(daemon, 'wait', 'b').returncode == 0
    assert wsbridge(daemon, 'recv', 'b', '-t', '50ms').returncode == TIMEOUT
    assert wsbridge(daemon, 'ping', 'b').returncode == DENIED
    assert wsbridge(daemon, 'request', 'b', '1', '-m', '1').returncode == DENIED


# monitor --------------------------------------------------------------------


def test_monitor(up, background, server):
    process = background(up, 'monitor')
    wait_asking(up, what='subscriptions')
    up.call('open', name='down', wait=True)
    up.call('request', name='up', text='one \x1b[2J two', match={'contains': 'one'})
    up.call('close', name='down', code=4000, reason='bye', wait=True)
    lines = []
    while not lines or not lines[-1].endswith('down state closed'):
        lines.append(process.stdout.readline().rstrip('\n'))
    assert all(re.match(r'\d\d:\d\d:\d\d\.\d{3} (up|down) ', line) for line in lines)
    assert [line[13:] for line in lines] == [
        'down state connecting', f'down open {server.url()}', 'down state open',
        'up message one \\x1b[2J two', 'down state closing', 'down close 4000 bye', 'down state closed']


def test_monitor_of_some_events_as_json(up, background):
    process = background(up, '--json', 'monitor', 'up', 'down', '--events', 'state,message')
    wait_asking(up, 2, 'subscriptions')
    up.call('open', name='down', wait=True)
    up.call('send', name='up', text='nul \x7f')
    events = [json.loads(process.stdout.readline()) for _ in range(3)]
    assert [(e['bridge'], e['event'], e.get('state', e.get('data'))) for e in events] == [
        ('down', 'state', 'connecting'), ('down', 'state', 'open'), ('up', 'message', 'nul \x7f')]
    assert {e['subscription'] for e in events if e['bridge'] == 'up'} != {e['subscription'] for e in events[:1]}


def test_monitor_ends_with_the_daemon(up, background):
    process = background(up, 'monitor', '-e', 'state')
    wait_asking(up, what='subscriptions')
    up.call('shutdown')
    out, err = process.communicate(timeout=slack(10))
    assert process.returncode == UNREACHABLE
    assert err == f'wsbridge: monitor: {up.control_path}: wsbridged has closed the connection\n'
    assert [line[13:] for line in out.splitlines()] == ['up state closing', 'up state closed']


def test_monitor_is_interrupted(up, background):
    process = background(up, 'monitor')
    wait_asking(up, what='subscriptions')
    process.send_signal(signal.SIGINT)
    assert process.wait(slack(10)) == -signal.SIGINT
    wait_until(lambda: up.status()['daemon']['control_clients']['now'] == 1)


def test_monitor_fails(wsbridge, up):
    fails(wsbridge(up, 'monitor', 'up', 'ub'), NAME, 'monitor: no bridge "ub"; did you mean "up"?')
    fails(wsbridge(up, 'monitor', '-e', 'message,wrong'), USAGE,
          'monitor: events[1]: an event is one of state, message, open, close, ping, pong, error')
