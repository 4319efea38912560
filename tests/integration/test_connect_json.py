# SPDX-License-Identifier: Apache-2.0
"""`wsbridge connect --json`: a JSON object for everything that happens; lines of text in."""

import base64
import json
import time

import pytest

import frames
from cli import CONNECTION, DONE, NOT_OPEN, PAYLOAD, TIMEOUT, fails_usage
from harness import free_port
from scripted import answer


@pytest.fixture
def connect(wsbridge):
    """connect(status, url, *words): the events, without their times, which are looked at."""
    def run(status, url, *words, **options):
        began = time.time()
        done = wsbridge(None, 'connect', '--json', url, *words, **options)
        assert (done.returncode, done.stderr) == (status, ''), done
        events = [json.loads(line) for line in done.stdout.splitlines()]
        times = [e.pop('time') for e in events]
        assert times == sorted(times)
        assert all(began - 1 <= t <= time.time() + 1 for t in times)
        return events
    return run


def text(data):
    return {'event': 'message', 'type': 'text', 'data': data}


def closed(code=1000, reason='', clean=True):
    return {'event': 'close', 'code': code, 'reason': reason, 'clean': clean}


def opened(url, subprotocol=None):
    return {'event': 'open', 'url': url, 'subprotocol': subprotocol}


def test_lines_in_and_objects_out(each_server, connect):
    events = connect(DONE, each_server.url(), '--messages', '3', input='one\n{"two": 2}\n\x1b["\\ü\n')
    assert events == [opened(each_server.url()), text('one'), text('{"two": 2}'), text('\x1b["\\ü'), closed()]


def test_binary(each_server, connect):
    data = '\x00\x1f€'
    events = connect(DONE, each_server.url(), '-b', '--messages', '1', input=data + '\n')
    assert events[1] == {**text(base64.b64encode(data.encode()).decode()), 'type': 'binary'}


def test_everything_that_happens(dumb_server, connect):
    def script(conn):
        conn.upgrade(extra=['Sec-WebSocket-Protocol: chat'], behind=frames.frame(frames.PING, b'p') +
                     frames.frame(frames.TEXT, b'a') + frames.frame(frames.PONG, b'') +
                     frames.frame(frames.CLOSE, b'\x0f\xa0bye \xc3\xbc'))
        conn.drain()

    server = dumb_server(script)
    events = connect(NOT_OPEN, server.url(), '-s', 'chat', '--eof-wait', 'forever')
    error = events.pop()
    assert events == [opened(server.url(), 'chat'), {'event': 'ping', 'data': 'p'}, text('a'),
                      {'event': 'pong', 'data': ''}, closed(4000, 'bye ü')]
    assert error['event'] == 'error'
    assert (error['error']['kind'], error['error']['close_code']) == ('not_open', 4000)
    assert error['error']['message'] == 'the server closed the connection: 4000 bye ü'


def test_fragments(dumb_server, connect):
    def script(conn):
        conn.upgrade(behind=frames.frame(frames.TEXT, b'a', fin=False) + frames.frame(frames.CONTINUATION, b'b'))
        conn.drain_to_close()

    events = connect(DONE, dumb_server(script).url(), '-o', 'fragments=deliver', '--messages', '1')
    assert events[1:3] == [{**text('a'), 'fin': False}, text('b')]


@pytest.mark.parametrize('script, status, kind', [
    (answer(403), CONNECTION, 'bad_status'), (lambda conn: conn.upgrade(behind=b'\xff\xff'), CONNECTION, 'protocol'),
    (lambda conn: conn.upgrade(), NOT_OPEN, 'not_open'),
])
def test_failures(dumb_server, connect, script, status, kind):
    events = connect(status, dumb_server(script).url(), '--eof-wait', 'forever')
    assert [e['event'] for e in events][-1:] == ['error']
    assert events[-1]['error']['kind'] == kind
    assert ('open' in [e['event'] for e in events]) == (kind != 'bad_status')


def test_nobody_there(connect):
    port = free_port()
    event, = connect(CONNECTION, f'ws://127.0.0.1:{port}/')
    assert event['event'] == 'error'
    assert event['error']['message'] == f'connect to 127.0.0.1:{port}: Connection refused'
    assert event['error']['stage'] == 'connect'


def test_too_few(each_server, connect):
    events = connect(TIMEOUT, each_server.url('/silent'), '--messages', '1', '--eof-wait', '0.2', input='a\n')
    assert [e['event'] for e in events] == ['open', 'close', 'error']


def test_a_line_that_is_no_text(each_server, connect):
    events = connect(PAYLOAD, each_server.url('/silent'), input='\udcff\n')
    assert events[-1]['error']['kind'] == 'payload'


def test_no_secrets(each_server, connect):
    events = connect(DONE, each_server.url('/?token=k4n4r1'), '--messages', '1', input='a\n')
    assert 'k4n4r1' not in json.dumps(events)


def test_the_trace_stands_apart(each_server, wsbridge):
    done = wsbridge(None, '--json', 'connect', each_server.url(), '-vv', '-t', 'hi', '--messages', '1', input='')
    assert [json.loads(line)['event'] for line in done.stdout.splitlines()] == ['open', 'message', 'close']
    assert '++Sent: fin=1 opcode=text length=2\n' in done.stderr


@pytest.mark.parametrize('word', ['-v', '-r', '--stream', '--timings'])
def test_what_would_mean_nothing(wsbridge, word):
    done = wsbridge(None, 'connect', '--json', 'ws://127.0.0.1:9/', word)
    fails_usage(done, 'connect: --json tells all: -r, -v, --stream and --timings mean nothing here', 'connect')
