# SPDX-License-Identifier: Apache-2.0
"""The control socket: its lines, both ways of asking, and everything that can be wrong with one."""

import json
import os
import stat
import subprocess

import pytest

from bad_lines import BAD_LINES, KINDS
from harness import Control, free_port, slack, wait_until


# Lines ----------------------------------------------------------------------


@pytest.fixture(scope='module')
def daemon_for_bad_lines(module_daemon, server):
    daemon = module_daemon({'up': {'url': server.url()}, 'down': {'url': server.url(), 'start': 'manual'}})
    daemon.wait_open('up')
    return daemon


@pytest.mark.parametrize('number', range(len(BAD_LINES)))
def test_bad_line(daemon_for_bad_lines, number):
    line, code, message = BAD_LINES[number]
    daemon = daemon_for_bad_lines
    with Control(daemon.control_path) as control:
        answer = control.ask(line)
        assert answer['jsonrpc'] == '2.0' and 'result' not in answer
        error = answer['error']
        assert (error['code'], error['message']) == (code, message)
        assert error['data']['kind'] == KINDS[code]
        # The daemon still serves, on this connection and on others.
        assert control.call('version')['version']
    assert [b['state'] for b in daemon.status()['bridges']] == ['closed', 'open']


def test_there_are_enough_bad_lines():
    assert len(BAD_LINES) >= 60
    assert len({str(line) for line, _, _ in BAD_LINES}) == len(BAD_LINES)


def test_id_of_the_answer_is_that_of_the_request(up):
    for value in (0, -1, 9007199254740993, '', 'x', 'ü', None, 'i' * 128):
        answer = up.control.ask(json.dumps({'id': value, 'method': 'version'}))
        assert answer['id'] == value and 'result' in answer
    answer = up.control.ask(json.dumps({'id': 'x', 'method': 'nope'}))
    assert answer['id'] == 'x' and answer['error']['code'] == -32601


def test_an_error_in_the_middle_spoils_nothing(up):
    up.control.send('{"id":1,"method":"version"}\n{broken\n{"id":2,"method":"version"}\n\n  \nversion\n')
    answers = [up.control.answer() for _ in range(4)]
    assert [a['id'] for a in answers] == [1, None, 2, None]
    assert [('error' in a) for a in answers] == [False, True, False, False]


def test_a_line_above_the_limit_is_skipped_to_its_end(wsbridged):
    daemon = wsbridged(limits={'control_request': '4K'})
    control = daemon.control
    fits = json.dumps({'id': 1, 'method': 'version', 'params': {}}).ljust(4096)
    assert control.ask(fits)['id'] == 1
    for size in (4097, 100000, 3 << 20):
        control.send(b' ' * (size - 12) + b'"version"   \n{"id":2,"method":"version"}\n')
        answer = control.answer()
        assert answer['id'] is None
        assert answer['error']['code'] == -32013
        assert answer['error']['message'] == 'the request is longer than 4096 bytes (limits.control_request)'
        assert control.answer()['id'] == 2


def test_a_line_that_comes_in_pieces(up):
    for byte in b'{"id":1,"method":"version"}\r\n':
        up.control.send(bytes([byte]))
    assert up.control.answer()['id'] == 1


def test_batches(up):
    answers = up.control.ask('[{"id":1,"method":"version"},{"method":"version"},{"id":2,"method":"nope"},17,'
                             '{"id":3,"method":"status","params":{"name":"down"}}]')
    assert [(a['id'], 'result' in a) for a in answers] == [(1, True), (2, False), (None, False), (3, True)]
    whole = '[' + ','.join(f'{{"id":{i},"method":"version"}}' for i in range(64)) + ']'
    assert [a['id'] for a in up.control.ask(whole)] == list(range(64))


def test_a_batch_of_notifications_gets_no_answer(up):
    up.control.send('[{"method":"version"},{"method":"nope"}]\n{"method":"version"}\n{"id":7,"method":"version"}\n')
    assert up.control.answer()['id'] == 7


def test_a_notification_is_carried_out(up):
    up.control.send('{"method":"open","params":{"name":"down"}}\n')
    up.wait_open('down')


def test_simple_calls_are_answered_in_order(up):
    """Also those of two kinds, and with many at once."""
    asked = []
    for i in range(500):
        method = ('version', 'status', 'nope', 'send')[i % 4]
        asked.append({'id': i, 'method': method, 'params': {'name': 'up', 'text': 'x'} if method == 'send' else {}})
    up.control.send(''.join(json.dumps(a) + '\n' for a in asked))
    assert [up.control.answer()['id'] for _ in asked] == list(range(500))


def test_calls_that_wait_hold_nobody_back(wsbridged, server):
    daemon = wsbridged({'down': {'url': f'ws://127.0.0.1:{free_port()}/', 'start': 'manual'}})
    daemon.control.send('{"id":1,"method":"open","params":{"name":"down","wait":0.5}}\n{"id":2,"method":"version"}\n')
    assert daemon.control.answer()['id'] == 2
    answer = daemon.control.answer()
    assert answer['id'] == 1 and answer['error']['code'] == -32005


def test_clients_do_not_see_the_answers_of_others(up):
    with Control(up.control_path) as a, Control(up.control_path) as b:
        for i in range(100):
            a.send(json.dumps({'id': f'a{i}', 'method': 'version'}) + '\n')
            b.send(json.dumps({'id': f'b{i}', 'method': 'version'}) + '\n')
        assert [a.answer()['id'] for _ in range(100)] == [f'a{i}' for i in range(100)]
        assert [b.answer()['id'] for _ in range(100)] == [f'b{i}' for i in range(100)]


def test_after_the_end_of_input_answers_still_come(up):
    with Control(up.control_path) as control:
        control.send('version\nstatus up\n{"id":1,"method":"send","params":{"name":"up","text":"x"}}\n'
                     '{"id":2,"method":"open","params":{"name":"down","wait":true}}\n'
                     '{"id":3,"method":"version"}')  # the last line lacks its newline
        control.half_close()
        answers = [json.loads(line) for line in control.rest_of_lines()]
    assert sorted(str(a['id']) for a in answers) == ['1', '2', '3', 'None', 'None']
    assert all('result' in a for a in answers)


@pytest.mark.parametrize('lines', ['version\n', 'status\nversion\n', '{"id":1,"method":"open","params":{"name":"down",'
                                                                     '"wait":true}}\n'])
def test_printf_into_socat(up, lines):
    done = subprocess.run(['socat', '-t', '5', '-', f'UNIX-CONNECT:{up.control_path}'], input=lines.encode(),
                          capture_output=True, timeout=slack(10), check=True)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == lines.count('\n')
    assert all('result' in a for a in answers)


def test_a_client_that_asks_and_goes(up):
    for _ in range(20):
        with Control(up.control_path) as control:
            control.send('status\n' * 100)
    with Control(up.control_path) as control:
        control.send('{"id":1,"method":"open","params":{"name":"down","wait":5}}\n')
    wait_until(lambda: up.status()['daemon']['control_clients']['now'] == 1)
    up.wait_open('down')


def test_a_client_that_does_not_read_harms_nobody(up):
    with Control(up.control_path) as lazy:
        lazy.socket.setblocking(False)
        request, sent = b'status\n' * 1000, 0
        try:
            while sent < 50 << 20:
                sent += lazy.socket.send(request)
        except BlockingIOError:
            pass
        assert sent < 8 << 20, 'nothing held it back'
        assert up.call('version')
        assert up.rss() < slack(1) * (64 << 20)


def test_control_clients_are_limited(wsbridged):
    daemon = wsbridged(limits={'control_clients': 3})
    assert daemon.call('version')
    others = [Control(daemon.control_path) for _ in range(2)]
    wait_until(lambda: daemon.status()['daemon']['control_clients'] == {'now': 3, 'max': 3})
    with Control(daemon.control_path) as more:
        answer = more.answer()
        assert answer['error']['code'] == -32013 and 'limits.control_clients' in answer['error']['message']
        assert more.line() is None
    others[0].close()
    wait_until(lambda: daemon.status()['daemon']['control_clients']['now'] == 2)
    with Control(daemon.control_path) as again:
        assert again.call('version')
    others[1].close()


# Shorthand ------------------------------------------------------------------


def test_shorthand(up):
    answer = up.control.ask('version')
    assert (answer['jsonrpc'], answer['id']) == ('2.0', None)
    assert answer['result'] == up.call('version')
    assert [b['name'] for b in up.control.ask('status')['result']['bridges']] == ['down', 'up']
    assert [b['name'] for b in up.control.ask('  status \t up  ')['result']['bridges']] == ['up']
    assert [b['name'] for b in up.control.ask('status name=up')['result']['bridges']] == ['up']


@pytest.mark.parametrize('line, expected', [
    ('send up text=plain', 'plain'),
    ('send up text="with blanks and \\u00fc"', 'with blanks and ü'),
    ('send up text={"brackets":1}', '{"brackets":1}'),
    ('send up text=a=b=c', 'a=b=c'),
    ('send up text=', ''),
    ('send up json={"b": 1.10, "a": [1, 2], "b2": "x y"}', '{"b":1.10,"a":[1,2],"b2":"x y"}'),
    ('send up json=12345678901234567', '12345678901234567'),
    ('send up json="a b"', '"a b"'),
    ('send name=up text=named', 'named'),
])
def test_shorthand_values(up, line, expected):
    with up.client('up') as client:
        up.wait_status('up', lambda b: b['clients'])
        assert up.control.ask(line)['result']['queued'] is False
        assert client.line().decode() == expected


def test_shorthand_opens_and_closes(up, server):
    line = (f'open fresh url={server.url("/shorthand")} endpoint.unix={up.path("fresh.sock")} endpoint.mode=0640 '
            'ping.interval=5s headers.X-Test=yes subprotocols=a,b reconnect.max=2s wait=5s')
    result = up.control.ask(line)['result']
    assert (result['name'], result['state'], result['source']) == ('fresh', 'open', 'control')
    assert stat.S_IMODE(os.stat(up.path('fresh.sock')).st_mode) == 0o640
    headers = server.wait_event('open', path='/shorthand')['headers']
    assert ['X-Test', 'yes'] in headers and ['Sec-WebSocket-Protocol', 'a, b'] in headers
    assert up.control.ask('close fresh code=4000 reason="end of day" wait=true')['result']['state'] == 'closed'
    wait_until(lambda: server.select('close', code=4000, reason='end of day'))
    assert not os.path.exists(up.path('fresh.sock'))
