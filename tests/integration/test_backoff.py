# SPDX-License-Identifier: Apache-2.0
"""
When the next attempt comes, and to where: what servers ask for, giving up, lists of URLs, links
that come and go, and how all of that is told. The delays themselves are in test_reconnect.py.
"""

import email.utils
import json
import os
import re
import time

import pytest

import frames
from dumb_server import DumbServer, echo, serve_quietly
from harness import free_port, slack, wait_until
from scripted import answer, drop, listen_at

QUICK = {'initial': 0.02, 'max': 0.05, 'slow': 0.05}
AT_ONCE = {'initial': 0.01, 'max': 0.01, 'slow': 0.01}


def close_with(code, reason=b''):
    """Opens, and closes at once."""
    def script(conn):
        conn.upgrade(behind=frames.close(code, reason))
        conn.drain_to_close()
    return script


def http_date(seconds_from_now):
    return email.utils.formatdate(time.time() + seconds_from_now, usegmt=True)


def rfc850_date(seconds_from_now):
    return time.strftime('%A, %d-%b-%y %H:%M:%S GMT', time.gmtime(time.time() + seconds_from_now))


# What a server asks for ------------------------------------------------------


@pytest.mark.parametrize('status', [429, 503])
@pytest.mark.parametrize('value, least, most', [
    (lambda: '7', 7, 7 * 1.25), (lambda: '1', 1, 1.25), (lambda: '100', 100, 125),
    (lambda: http_date(60), 58, 60 * 1.25 + 1), (lambda: rfc850_date(60), 58, 60 * 1.25 + 1),
    (lambda: '100000', 300, 300), (lambda: http_date(1000000), 300, 300), (lambda: '9' * 40, 300, 300),
    (lambda: http_date(-1000), 0, 1.25), (lambda: '0', 0, 1.25),
    (lambda: 'soon', 0, 0.01), (lambda: '-5', 0, 0.01), (lambda: '7.5', 0, 0.01), (lambda: None, 0, 0.01),
], ids=['7', '1', '100', 'date', 'rfc850', 'long', 'far-date', 'huge', 'past', '0', 'word', 'negative', 'float',
        'none'])
def test_retry_after(bridges, scripted, status, value, least, most):
    """Nothing shorter than asked for, spread over a quarter of it; 1 s and 300 s are the limits."""
    asked = value()
    fields = ['Content-Length: 0'] + ([f'Retry-After: {asked}'] if asked else [])
    server = scripted(answer(status, *fields))
    name = bridges.start(server.url(), reconnect=AT_ONCE)
    ended = wait_until(lambda: [e for e in bridges.daemon.call('explain', name=name)['history']
                                if e['event'] == 'ended'])[0]
    bridges.close(name)
    assert ended['status'] == status
    assert least <= ended['retry_in'] <= most


def test_retry_after_is_kept(wsbridged, dumb_server):
    """By the server's clock, not only in what is told."""
    server = dumb_server([answer(503, 'Retry-After: 1', 'Content-Length: 0'), serve_quietly])
    daemon = wsbridged({'b': {'url': server.url(), 'reconnect': AT_ONCE}})
    daemon.wait_open('b')
    first, second = server.connections
    assert 1 <= second.began - first.began <= 1.25 + slack(1)


@pytest.mark.parametrize('code, least, most', [
    (1012, 5, 6.25), (1013, 5, 6.25), (1011, 0.005, 0.01), (1001, 0.005, 0.01),
])
def test_a_server_that_restarts_is_given_time(bridges, scripted, code, least, most):
    name = bridges.start(scripted(close_with(code)).url(), reconnect=AT_ONCE)
    ended = wait_until(lambda: [e for e in bridges.daemon.call('explain', name=name)['history']
                                if e['event'] == 'ended'])[0]
    bridges.close(name)
    assert ended['close_code'] == code
    assert least - 0.0005 <= ended['retry_in'] <= most


# Giving up -------------------------------------------------------------------


@pytest.mark.parametrize('script, option, code', [
    (answer(401, 'Content-Length: 0'), {'fatal_status': [403, 401]}, 401),
    (answer(503, 'Retry-After: 1', 'Content-Length: 0'), {'fatal_status': [503]}, 503),
    (close_with(4004, b'go away'), {'fatal_close': [4004]}, 4004),
    (close_with(1000), {'fatal_close': [1000]}, 1000),
], ids=['401', '503', '4004', '1000'])
def test_fatal(wsbridged, dumb_server, script, option, code):
    server = dumb_server(script)
    daemon = wsbridged({'b': {'url': server.url(), 'reconnect': {**QUICK, **option}},
                        'other': {'url': server.url(), 'reconnect': {**QUICK, 'fatal_status': [499]}}})
    bridge = daemon.wait_state('b', 'failed')
    assert (bridge['retry_in'], bridge['attempts']) == (None, 1 if code < 1000 else 0)
    if code < 1000:
        assert (bridge['last_error']['status'], bridge['last_error']['kind']) == (code, 'bad_status')
    else:
        assert bridge['last_close']['code'] == code
    option_name, = option
    daemon.log_contains(f'giving up (reconnect.{option_name} has {code})')
    ended = [e for e in daemon.call('explain', name='b')['history'] if e['event'] == 'ended']
    assert len(ended) == 1 and ended[0]['retry_in'] is None
    assert ended[0]['status' if code < 1000 else 'close_code'] == code
    if code != 503:
        daemon.wait_status('other', lambda b: b['attempts'] >= 3 or b['epoch'] >= 3)
    # And it can be told to try again.
    before = len(server.connections)
    daemon.call('reconnect', name='b')
    daemon.wait_state('b', 'failed')
    assert len(server.connections) > before


def test_what_is_not_in_the_lists_is_not_fatal(wsbridged, dumb_server):
    server = dumb_server([answer(403, 'Content-Length: 0'), close_with(4005), close_with(1000), serve_quietly])
    daemon = wsbridged({'b': {'url': server.url(),
                              'reconnect': {**QUICK, 'fatal_status': [401], 'fatal_close': [4004, 1001]}}})
    bridge = daemon.wait_status('b', lambda b: b['epoch'] == 3 and b['state'] == 'open')
    assert bridge['last_error']['status'] == 403


def stay(conn):
    conn.upgrade()
    time.sleep(slack(0.3))  # the tests are about how long it is open


def test_attempts_count_failures_in_a_row(wsbridged, dumb_server):
    """A connection that proves itself starts the count anew; one that does not is a failure, too."""
    server = dumb_server([close_with(1001), stay, close_with(1001), close_with(1001), close_with(1001)])
    daemon = wsbridged({'b': {'url': server.url(),
                              'reconnect': {**QUICK, 'attempts': 3, 'reset_after': slack(0.15)}}})
    daemon.wait_state('b', 'failed')
    # The end of the second one is itself the first failure.
    assert len(server.connections) == 4
    daemon.log_contains('giving up (reconnect.attempts is 3)')


# Several URLs ----------------------------------------------------------------


def test_a_list_of_urls(wsbridged, scripted):
    refusing, first, second = scripted(answer(503, 'Content-Length: 0')), scripted(echo), scripted(echo)
    down = f'ws://127.0.0.1:{free_port()}/'
    urls = [down, refusing.url('/r'), first.url('/1'), second.url('/2')]
    daemon = wsbridged({'b': {'url': urls, 'reconnect': QUICK}})
    bridge = daemon.wait_state('b', 'open')
    assert (bridge['url'], bridge['epoch']) == (first.url('/1'), 1)
    assert (len(refusing.connections), len(second.connections)) == (1, 0)
    # One that was open is tried first, however often it ends.
    for i in range(2):
        drop(first.connections[i])
        bridge = daemon.wait_status('b', lambda b: b['epoch'] == i + 2 and b['state'] == 'open')
        assert bridge['url'] == first.url('/1')
    # If it is really gone, the next one is, and after the last the first.
    first.stop()
    bridge = daemon.wait_status('b', lambda b: b['epoch'] == 4 and b['state'] == 'open')
    assert bridge['url'] == second.url('/2')
    second.stop()
    tried = wait_until(lambda: (lambda t: t[5:] if len(t) >= 13 else None)(
        [e['url'] for e in daemon.call('explain', name='b')['history'] if e['event'] == 'attempt']))
    assert tried[:8] == [first.url('/1'), second.url('/2')] + [second.url('/2')] + urls + urls[:1]


def test_the_members_of_a_list_share_one_delay(wsbridged):
    urls = [f'ws://127.0.0.1:{free_port()}/{i}' for i in range(4)]
    reconnect = {'initial': 0.05, 'max': 10, 'factor': 2, 'jitter': 'none'}
    daemon = wsbridged({'b': {'url': urls, 'reconnect': reconnect}})
    daemon.wait_status('b', lambda b: b['attempts'] >= 5)
    history = daemon.call('explain', name='b')['history']
    assert [e['url'] for e in history if e['event'] == 'attempt'][:5] == urls + urls[:1]
    delays = [e['retry_in'] for e in history if e['event'] == 'ended'][:4]
    assert delays == pytest.approx([0.05, 0.1, 0.2, 0.4])


# Links that come and go ------------------------------------------------------


class Restarting:
    """A server that is there for a moment, gone for a moment, and so on; where nobody else can come in between."""

    def __init__(self, path):
        self.path = path
        self.count = 0
        self.sent = 0

    def talk(self, conn):
        conn.upgrade()
        while True:  # until it is stopped
            conn.socket.sendall(frames.text(str(self.sent)))
            self.sent += 1
            time.sleep(0.01)

    def run(self, seconds):
        """Returns once somebody has come, and all are gone again."""
        server = DumbServer(self.talk, listen_at(self.path))
        server.wait_connection()
        time.sleep(seconds)  # it is up for so long
        server.stop()
        os.unlink(self.path)
        wait_until(lambda: all(c.ended for c in server.connections))
        assert not server.errors
        self.count += len(server.connections)


def test_a_server_that_restarts_all_the_time(wsbridged, folder):
    server = Restarting(os.path.join(folder, 'server'))
    daemon = wsbridged({'b': {'url': f'ws+unix://{server.path}:/', 'reconnect': {'initial': 0.05, 'max': 0.2}}})
    with daemon.client('b') as client:
        daemon.wait_status('b', lambda b: b['clients'])
        for _ in range(5):
            server.run(0.15)
            time.sleep(0.1)  # and down for so long
        bridge = daemon.wait_state('b', 'waiting', 'connecting')
        assert bridge['epoch'] == server.count == 5
        assert bridge['flapping'] is True
        numbers = [int(line) for line in client.lines(bridge['rx']['messages'])]
    # Everything that came is delivered, in order; what was lost was lost at the server's end.
    assert numbers == sorted(set(numbers)) and len(numbers) > 20
    daemon.log_contains('flapping: 3 connections in a row')


def test_flapping(wsbridged, dumb_server, wsbridge):
    server = dumb_server([close_with(1001)] * 3 + [serve_quietly])
    daemon = wsbridged({'b': {'url': server.url(), 'reconnect': {**QUICK, 'reset_after': slack(1)}},
                        'calm': {'url': dumb_server([close_with(1001)] * 2 + [serve_quietly]).url(),
                                 'reconnect': {**QUICK, 'reset_after': slack(1)}}})
    bridge = daemon.wait_status('b', lambda b: b['state'] == 'open' and b['epoch'] == 4)
    assert bridge['flapping'] is True
    assert 'flapping' in wsbridge(daemon, 'status', 'b').stdout
    calm = daemon.wait_status('calm', lambda b: b['state'] == 'open' and b['epoch'] == 3)
    assert calm['flapping'] is False
    # It has proven itself once it was open for reset_after.
    bridge = daemon.wait_status('b', lambda b: not b['flapping'])
    assert (bridge['state'], bridge['epoch']) == ('open', 4)
    assert 'flapping' not in wsbridge(daemon, 'status', 'b').stdout


def test_not_in_a_row_is_no_flapping(wsbridged, dumb_server):
    server = dumb_server([close_with(1001)] * 2 + [stay] + [close_with(1001)] * 2 + [serve_quietly])
    daemon = wsbridged({'b': {'url': server.url(), 'reconnect': {**QUICK, 'reset_after': slack(0.15)}}})
    daemon.wait_status('b', lambda b: b['state'] == 'open' and b['epoch'] == 6)
    assert not daemon.log_lines('flapping')


# explain ---------------------------------------------------------------------


@pytest.fixture
def eventful(wsbridged, dumb_server):
    """A bridge to which several things have happened, and its history."""
    down = f'ws://user:secret@127.0.0.1:{free_port()}/?token=secret'
    server = dumb_server([answer(503, 'Content-Length: 0'), close_with(4000, b'first \x1b end'),
                          lambda conn: conn.upgrade(behind=b'\xff\xff'), echo])
    daemon = wsbridged({'b': {'url': [down, server.url('/x')], 'reconnect': QUICK}})
    daemon.wait_status('b', lambda b: b['epoch'] == 3 and b['state'] == 'open')
    return daemon


def test_explain(eventful):
    told = eventful.call('explain', name='b')
    assert (told['name'], told['state']) == ('b', 'open')
    history = told['history']
    assert [e['at'] for e in history] == sorted(e['at'] for e in history)
    assert all(time.time() - slack(30) < e['at'] <= time.time() + 1 for e in history)
    ends = [e for e in history if e['event'] == 'ended']
    assert [(e.get('kind'), e.get('stage'), e.get('status'), e.get('close_code')) for e in ends[:2]] == [
        ('connect', 'connect', None, None), ('bad_status', 'handshake', 503, None)]
    closed = next(e for e in ends if e.get('close_code') == 4000)
    assert 'kind' not in closed and 'closed by peer (4000 "first \\x1b end")' in closed['message']
    broken = next(e for e in ends if e.get('kind') == 'protocol')
    assert broken['close_code'] in (1002, 1006)
    for e in ends:
        assert 0 <= e['retry_in'] <= 0.05
        assert ('open_for' in e) == (e in (closed, broken))
    opened = [e for e in history if e['event'] == 'opened']
    assert len(opened) == 3 and all('127.0.0.1:' in e['message'] and 0 <= e['took'] < slack(5) for e in opened)
    states = [e['state'] for e in history if e['event'] == 'state']
    assert states[:2] == ['connecting', 'waiting'] and states[-2:] == ['connecting', 'open']
    assert 'secret' not in json.dumps(told)


def test_explain_on_the_command_line(eventful, wsbridge):
    done = wsbridge(eventful, 'explain', 'b')
    assert (done.returncode, done.stderr) == (0, '')
    lines = done.stdout.splitlines()
    assert lines[0] == 'b: open'
    for pattern in (r'attempt +ws://127', r'ended +connect to 127.*Connection refused; next attempt in \d',
                    r'ended .*503', r'ended +closed by peer \(4000 .*was open for .*next attempt in', r'opened +127'):
        assert any(re.search(pattern, line) for line in lines), (pattern, done.stdout)
    assert 'secret' not in done.stdout and '\x1b' not in done.stdout
    as_json = json.loads(wsbridge(eventful, '--json', 'explain', 'b').stdout)
    assert as_json == eventful.call('explain', name='b')
    assert wsbridge(eventful, 'explain', 'nobody').returncode == 4


def test_explain_keeps_the_latest(wsbridged, dumb_server):
    server = dumb_server([close_with(1001)] * 30 + [serve_quietly])
    daemon = wsbridged({'b': {'url': server.url(), 'reconnect': AT_ONCE}}, limits={'dials_per_second': 0})
    daemon.wait_status('b', lambda b: b['epoch'] == 31 and b['state'] == 'open')
    history = daemon.call('explain', name='b')['history']
    assert len(history) == 64
    assert [e['event'] for e in history[-4:]] == ['attempt', 'state', 'opened', 'state']
