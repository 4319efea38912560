# SPDX-License-Identifier: Apache-2.0
"""
The limits of a control socket that are not those of one line: what may be under way, what may wait
for a client, and what becomes of one that does not read. Those of a line are in bad_lines.py.
"""

import base64
import json
import os
import subprocess
import time

import pytest

from harness import WRAPPER, Control, RpcError, programs, slack, wait_until


def begin(control, identifier, method, **params):
    control.send(json.dumps({'id': identifier, 'method': method, 'params': params}) + '\n')


def wait_waiting(daemon, count):
    wait_until(lambda: daemon.status()['daemon']['waiting'] == count, what=f'{count} calls wait')


def flood(server, size):
    """One message that long."""
    server.command(path='/', text='x' * (size - 2), count=1)  # it numbers them


def nested(depth):
    """A call whose line is nested so deep."""
    value = '[' * (depth - 2) + ']' * (depth - 2)
    return '{"id":1,"method":"send","params":{"name":"up","json":' + value + '}}'


def test_depth(up):
    assert up.control.ask(nested(32))['result']['queued'] is False
    error = up.control.ask(nested(33))['error']
    assert (error['code'], error['message']) == (-32700, 'nested deeper than 32 levels')


def test_lines_under_way(up):
    """Of one connection 64 lines wait at most; the next one is looked at when one of them is answered."""
    with Control(up.control_path) as control:
        for i in range(64):
            begin(control, i, 'recv', name='up', match={'contains': f'<{i}>'})
        begin(control, 'next', 'version')
        wait_waiting(up, 64)
        assert control.silent(0.2)
        up.call('send', name='up', text='<7>')
        assert [control.answer()['id'] for _ in range(2)] == [7, 'next']
        up.call('send', name='up', text=''.join(f'<{i}>' for i in range(64)))
        assert [control.answer()['id'] for _ in range(63)] == [i for i in range(64) if i != 7]
    # Another connection has had its own all the time.
    assert up.call('version')


def test_subscriptions_of_a_connection(up):
    with Control(up.control_path) as one, Control(up.control_path) as other:
        first = [c.call('subscribe', name='up', events=['pong'])['subscription'] for c in (one, other) * 16]
        assert len(set(first)) == 32
        for control in (one, other):
            with pytest.raises(RpcError) as error:
                control.call('subscribe', name='*')
            assert (error.value.code, error.value.kind) == (-32013, 'overflow')
        assert one.call('unsubscribe', subscription=first[0]) == {'removed': 1}
        assert one.call('subscribe', name='*', events=['pong'])
        assert up.status()['daemon']['subscriptions'] == 32
    wait_until(lambda: up.status()['daemon']['subscriptions'] == 0)


def test_answers_to_one_batch(up, server):
    """Sixteen mebibytes; what is more is told of by the calls that it hits, with their ids."""
    with Control(up.control_path) as control:
        control.send(json.dumps([{'id': i, 'method': 'recv', 'params': {'name': 'up'}} for i in range(20)]) + '\n')
        wait_waiting(up, 20)
        flood(server, 1 << 20)
        answers = control.answer()
    assert sorted(a['id'] for a in answers) == list(range(20))
    good = [a for a in answers if 'result' in a]
    assert len(good) == 15 and all(len(a['result']['messages'][0]['data']) == 1 << 20 for a in good)
    assert {a['error']['message'] for a in answers if 'error' in a} == {'the answer is too large'}


def test_a_message_of_any_size_has_room_in_an_answer(up, server):
    """A binary one as large as max_message, which the answer makes larger by a third."""
    data = bytes(range(256)) * 65536
    with Control(up.control_path) as control:
        begin(control, 1, 'recv', name='up')
        wait_waiting(up, 1)
        server.command(path='/', binary=base64.b64encode(data).decode(), count=1)
        message, = control.answer()['result']['messages']
    assert base64.b64decode(message['data']) == data


@pytest.mark.parametrize('count, size', [(4, 1500000), (60, 100000)])
def test_many_answers_at_once(up, server, count, size):
    """They come in the same moment and are more than is written at once: who reads gets them all."""
    with Control(up.control_path) as control:
        for i in range(count):
            begin(control, i, 'recv', name='up')
        wait_waiting(up, count)
        flood(server, size)
        for i in range(count):
            answer = control.answer()
            assert answer['id'] == i and len(answer['result']['messages'][0]['data']) == size
        assert control.call('version')


def test_messages_kept_for_calls_are_bounded(up, server):
    """Thousands of calls that collect: they end early rather than take all the memory."""
    before = up.rss()
    with Control(up.control_path) as control:
        for _ in range(60):
            control.send(json.dumps([{'id': i, 'method': 'recv', 'params': {'name': 'up', 'count': 1000}}
                                     for i in range(64)]) + '\n')
        wait_waiting(up, 60 * 64)
        server.command(path='/', text='x' * 1000, count=100)
        up.wait_status('up', lambda b: b['rx']['messages'] == 100)
        assert up.rss() - before < slack(1) * (200 << 20)
        # Those that gave up early have what came until then, in order and without a hole.
        early = 60 * 64 - up.status()['daemon']['waiting']
        assert early > 0
        up.call('close', name='up', wait=True)
        for _ in range(60):
            for answer in control.answer():
                messages = answer.get('result', answer.get('error', {}).get('data'))['messages']
                assert [m['seq'] for m in messages] == list(range(1, len(messages) + 1))


def test_a_client_that_takes_nothing_is_dropped(wsbridged, server):
    daemon = wsbridged({'up': {'url': server.url()}}, limits={'control_stall': '0.3s'})
    daemon.wait_open()
    with Control(daemon.control_path) as deaf:
        begin(deaf, 1, 'recv', name='up')
        wait_waiting(daemon, 1)
        flood(server, 4 << 20)
        wait_until(lambda: daemon.log_lines('dropped: it does not read its answers'))
        wait_until(lambda: daemon.status()['daemon']['control_clients']['now'] == 1)
    # One that reads slowly, but does, stays.
    with Control(daemon.control_path) as slow:
        begin(slow, 1, 'recv', name='up')
        wait_waiting(daemon, 1)
        flood(server, 4 << 20)
        got = b''
        while not got.endswith(b'\n'):
            time.sleep(0.03)  # all of it takes longer than a client may take nothing
            got += slow.socket.recv(100000)
        assert len(json.loads(got)['result']['messages'][0]['data']) == 4 << 20
    assert len(daemon.log_lines('does not read its answers')) == 1


def test_the_time_of_a_reload_counts(up, server):
    """Also for a client that was there before."""
    with Control(up.control_path) as deaf:
        begin(deaf, 1, 'recv', name='up')
        wait_waiting(up, 1)
        up.write({'bridges': {'up': {'url': server.url()}}, 'limits': {'control_stall': 0.2}})
        up.call('reload')
        assert up.status()['daemon']['limits']['control_stall'] == 0.2
        flood(server, 4 << 20)
        wait_until(lambda: up.log_lines('dropped: it does not read its answers'))


# The tool -------------------------------------------------------------------


@pytest.mark.parametrize('closed', ['<&-', '>&-', '2>&-', '<&- >&- 2>&-'])
def test_what_a_server_says_is_no_command(up, closed):
    """A message must not reach the control socket because it has the number of standard output."""
    script = f'exec "$0" -s {up.control_path} recv up {closed}'
    process = subprocess.Popen(['sh', '-c', script, *WRAPPER, programs.wsbridge], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    wait_waiting(up, 1)
    up.call('send', name='up', text='x' * 10000 + '\nclose up\nshutdown\n' + 'x' * 10000)
    out, errors = process.communicate(timeout=slack(10))
    assert (len(out) > 0) == ('>' not in closed.replace('2>&-', ''))
    assert process.returncode == (0 if out else 1)
    assert errors == (b'' if out or '2>' in closed else b'wsbridge: standard output: Bad file descriptor\n')
    assert up.status('up')['state'] == 'open'
    assert not up.log_lines('neither')


def test_the_log_is_for_nobody_else(wsbridged, dumb_server):
    """A daemon without standard error: its log goes nowhere, not into a connection."""
    server = dumb_server()
    daemon = wsbridged({'b': {'url': server.url()}}, start=False)
    daemon.process = subprocess.Popen(
        ['sh', '-c', 'exec "$0" "$@" <&- >&- 2>&-', *WRAPPER, programs.wsbridged, '-c', daemon.conf_path, '-s',
         daemon.control_path, '--log-level', 'debug'])
    with open(daemon.log_path, 'w', encoding='ascii'):
        pass
    daemon.wait_ready()
    daemon.wait_open()
    assert {os.readlink(f'/proc/{daemon.pid}/fd/{number}') for number in range(3)} == {'/dev/null'}
