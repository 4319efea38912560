# SPDX-License-Identifier: Apache-2.0
"""The calls that wait for what comes from upstream: request, recv, ping and wait."""

import base64
import json
import threading
import time

import pytest

import frames
from harness import Control, RpcError, slack, wait_until


def refused(daemon, method, **params):
    with pytest.raises(RpcError) as error:
        daemon.call(method, **params)
    return error.value


def begin(control, identifier, method, **params):
    """A call whose answer is looked for later."""
    control.send(json.dumps({'id': identifier, 'method': method, 'params': params}) + '\n')


def wait_begun(daemon, control):
    """Answers are in order but for those that wait: what was begun before, waits now."""
    control.send('{"id":"begun","method":"version"}\n')
    assert control.answer()['id'] == 'begun'


def slow_answers(conn):
    """Answers requests {"id": N} backwards, three at a time, with other messages between them."""
    conn.upgrade()
    while True:
        asked = [json.loads(conn.frame().payload) for _ in range(3)]
        for one in reversed(asked):
            conn.text(b'{"method":"news"}')
            conn.text(json.dumps({'id': one['id'], 'result': one['id'] * 2}).encode())


# request --------------------------------------------------------------------


def test_request_gets_its_answer(up):
    result = up.call('request', name='up', json={'id': 7, 'x': 1.10}, match={'pointer': '/id', 'equals': 7})
    assert (result['type'], json.loads(result['data'])['id'], result['seq'], result['epoch']) == ('text', 7, 1, 1)
    assert abs(result['time'] - time.time()) < 60
    result = up.call('request', name='up', text='hello', match={'contains': 'ell'})
    assert (result['data'], result['seq']) == ('hello', 2)
    result = up.call('request', name='up', binary='AAH/', match={'regex': '.'})
    assert (result['type'], result['data']) == ('binary', 'AAH/')


def test_local_clients_still_get_the_answer(up):
    with up.client('up') as client:
        up.wait_status('up', lambda b: b['clients'])
        up.call('request', name='up', text='one', match={'contains': 'one'})
        assert client.line() == b'one'


def test_requests_at_once_do_not_mix(wsbridged, dumb_server):
    daemon = wsbridged({'b': {'url': dumb_server(slow_answers).url()}})
    daemon.wait_open()
    with Control(daemon.control_path) as one, Control(daemon.control_path) as other:
        for control, ids in ((one, (1, 2)), (other, (3,))):
            for i in ids:
                begin(control, i, 'request', name='b', json={'id': i}, match={'pointer': '/id', 'equals': i})
        answers = [one.answer(), one.answer(), other.answer()]
    assert {a['id']: json.loads(a['result']['data'])['result'] for a in answers} == {1: 2, 2: 4, 3: 6}


def test_a_message_answers_one_request_only(wsbridged, dumb_server):
    """Three with the same match get three messages, in the order of the requests."""
    daemon = wsbridged({'b': {'url': dumb_server(slow_answers).url()}})
    daemon.wait_open()
    with Control(daemon.control_path) as control:
        for i in (1, 2, 3):
            begin(control, i, 'request', name='b', json={'id': i}, match={'contains': 'result'})
        answers = [control.answer() for _ in range(3)]
    assert [a['id'] for a in answers] == [1, 2, 3]
    assert [json.loads(a['result']['data'])['id'] for a in answers] == [3, 2, 1]


def test_many_askers(up):
    """Each of 16 connections asks 20 times and gets its own answers."""
    wrong = []

    def ask(number):
        with Control(up.control_path) as control:
            for i in range(20):
                mine = f'{number}-{i}'
                result = control.call('request', name='up', json={'id': mine},
                                      match={'pointer': '/id', 'equals': mine})
                if json.loads(result['data']) != {'id': mine}:
                    wrong.append((mine, result))

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert up.status('up')['rx']['messages'] == 320


def test_request_byte_by_byte_and_two_in_one_write(up):
    line = json.dumps({'id': 1, 'method': 'request', 'params': {'name': 'up', 'text': 'slow',
                                                                'match': {'contains': 'slow'}}}) + '\n'
    with Control(up.control_path) as control:
        for byte in line:
            control.send(byte)
        assert control.answer()['result']['data'] == 'slow'
        control.send(line + line.replace('slow', 'fast').replace('1', '2'))
        assert {a['id']: a['result']['data'] for a in (control.answer(), control.answer())} == {1: 'slow', 2: 'fast'}


def test_request_in_plain_words(up):
    with Control(up.control_path) as control:
        answer = control.ask('request up json={"id":1} match={"pointer":"/id","equals":1} timeout=5s')
    assert answer['result']['data'] == '{"id":1}'


def test_request_without_an_answer(up, server):
    began = time.monotonic()
    error = refused(up, 'request', name='up', text='x', match={'contains': 'other'}, timeout=0.2)
    assert (error.code, error.kind, error.data['bridge']) == (-32005, 'timeout', 'up')
    assert 0.2 <= time.monotonic() - began < slack(5)


def test_request_whose_connection_is_lost(wsbridged, dumb_server):
    def script(conn):
        conn.upgrade()
        conn.frame()
        conn.reset()

    def late(conn):
        conn.upgrade(behind=frames.text(b'answer'))
        conn.drain()

    daemon = wsbridged({'b': {'url': dumb_server([script, late]).url(), 'reconnect': {'initial': 0.01}}})
    daemon.wait_open()
    error = refused(daemon, 'request', name='b', text='x', match={'contains': 'answer'})
    assert error.kind == 'not_open'


@pytest.mark.parametrize('params, option', [
    ({'match': {'contains': 'x'}}, 'text'),
    ({'text': 'x', 'binary': 'eA==', 'match': {'contains': 'x'}}, 'binary'),
    ({'text': 'x'}, 'match'),
    ({'text': 'x', 'match': 'x'}, 'match'),
    ({'text': 'x', 'match': {}}, 'match'),
    ({'text': 'x', 'match': {'pointer': 'x'}}, 'match.pointer'),
    ({'text': 'x', 'match': {'regex': '('}}, 'match.regex'),
    ({'text': 'x', 'match': {'contains': 'x', 'equals': 1}}, 'match.equals'),
    ({'text': 'x', 'match': {'contians': 'x'}}, 'match.contians'),
    ({'text': 'x', 'match': {'contains': 'x'}, 'timeout': -1}, 'timeout'),
    ({'binary': '?', 'match': {'contains': 'x'}}, 'binary'),
    ({'ping': 'x', 'match': {'contains': 'x'}}, 'ping'),
])
def test_bad_requests(up, params, option):
    error = refused(up, 'request', name='up', **params)
    assert (error.code, error.kind, error.data['option']) == (-32602, 'invalid_option', option)
    assert up.status('up')['tx']['messages'] == 0


def test_nothing_to_ask(up, server):
    match = {'contains': 'x'}
    assert refused(up, 'request', name='down', text='x', match=match).kind == 'not_open'
    assert refused(up, 'request', name='ip', text='x', match=match).kind == 'no_such_bridge'
    up.call('open', name='own', url=server.url(), sharing='private', endpoint=up.path('own.sock'))
    assert refused(up, 'request', name='own', text='x', match=match).kind == 'not_open'
    assert refused(up, 'ping', name='own').kind == 'not_open'


# recv -----------------------------------------------------------------------


def test_recv_gets_the_next_messages(up, server):
    with Control(up.control_path) as control, up.client('up') as client:
        begin(control, 1, 'recv', name='up', count=3)
        wait_begun(up, control)
        client.send('one\ntwo\nthree\nfour\n')
        answer = control.answer()
        client.lines(4)
    messages = answer['result']['messages']
    assert [(m['type'], m['data'], m['seq'], m['epoch']) for m in messages] == [
        ('text', 'one', 1, 1), ('text', 'two', 2, 1), ('text', 'three', 3, 1)]


def test_all_that_receive_get_each_message(up):
    with Control(up.control_path) as one, Control(up.control_path) as other:
        for control in (one, other):
            begin(control, 1, 'recv', name='up')
            wait_begun(up, control)
        up.call('send', name='up', text='x')
        assert [c.answer()['result']['messages'][0]['data'] for c in (one, other)] == ['x', 'x']


def test_recv_does_not_get_what_answers_a_request(up):
    with Control(up.control_path) as control:
        begin(control, 1, 'recv', name='up')
        wait_begun(up, control)
        up.call('request', name='up', text='mine', match={'contains': 'mine'})
        up.call('send', name='up', text='yours')
        assert control.answer()['result']['messages'][0]['data'] == 'yours'


def test_recv_with_a_match(up):
    with Control(up.control_path) as control:
        begin(control, 1, 'recv', name='up', match={'regex': '^b'}, count=2)
        wait_begun(up, control)
        for text in ('a', 'b1', 'ab', 'b2'):
            up.call('send', name='up', text=text)
        assert [m['data'] for m in control.answer()['result']['messages']] == ['b1', 'b2']


def test_recv_goes_on_with_the_next_connection(up, server):
    with Control(up.control_path) as control:
        begin(control, 1, 'recv', name='up', count=2)
        wait_begun(up, control)
        up.call('send', name='up', text='first')
        wait_until(lambda: up.status('up')['rx']['messages'] == 1)
        up.call('reconnect', name='up')
        up.wait_status('up', lambda b: b['state'] == 'open' and b['epoch'] == 2)
        up.call('send', name='up', text='second')
        messages = control.answer()['result']['messages']
    assert [(m['data'], m['epoch']) for m in messages] == [('first', 1), ('second', 2)]


def test_recv_that_ends_early_gives_what_came(up):
    with Control(up.control_path) as control:
        begin(control, 1, 'recv', name='up', count=2, timeout=0.5)
        wait_begun(up, control)
        up.call('send', name='up', text='only')
        error = control.answer()['error']
        assert (error['data']['kind'], error['data']['messages'][0]['data']) == ('timeout', 'only')
        begin(control, 2, 'recv', name='up', count=2)
        wait_begun(up, control)
        up.call('send', name='up', text='again')
        wait_until(lambda: up.status('up')['rx']['messages'] == 2)
        up.call('close', name='up')
        error = control.answer()['error']
        assert (error['data']['kind'], error['data']['messages'][0]['data']) == ('not_open', 'again')
    assert refused(up, 'recv', name='down').kind == 'not_open'
    assert refused(up, 'recv', name='up', count=0).data['option'] == 'count'


def test_messages_of_any_bytes(wsbridged, dumb_server):
    def script(conn):
        conn.upgrade()
        conn.frame()
        conn.text(b'nul \x00 quote " \xf0\x9f\x8e\x89')
        conn.text(b'bad \xff')
        conn.send(frames.frame(frames.BINARY, bytes(range(256))))
        conn.drain()

    daemon = wsbridged({'b': {'url': dumb_server(script).url(), 'validate_utf8': False}})
    daemon.wait_open()
    with Control(daemon.control_path) as control:
        begin(control, 1, 'recv', name='b', count=3)
        wait_begun(daemon, control)
        daemon.call('send', name='b', text='go')
        first, second, third = control.answer()['result']['messages']
    assert first['data'] == 'nul \x00 quote " \U0001f389'
    assert second['data'] == 'bad \\xff'
    assert (third['type'], base64.b64decode(third['data'])) == ('binary', bytes(range(256)))


def test_answers_after_the_end_of_input(up):
    with Control(up.control_path) as control:
        begin(control, 1, 'recv', name='up')
        begin(control, 2, 'request', name='up', text='x', match={'contains': 'x'})
        control.half_close()
        assert control.answer()['id'] == 2
        up.call('send', name='up', text='y')
        assert control.answer()['id'] == 1
        assert control.answer() is None


def test_the_end_of_the_daemon_answers(up):
    with Control(up.control_path) as control:
        for i, (method, params) in enumerate([('recv', {'match': {'contains': 'y'}}), ('wait', {'state': 'waiting'}),
                                              ('request', {'text': 'x', 'match': {'contains': 'y'}})]):
            begin(control, i, method, name='up', **params)
        wait_begun(up, control)
        up.call('shutdown')
        answers = [control.answer() for _ in range(3)]
    assert sorted(a['id'] for a in answers) == [0, 1, 2]
    assert {a['error']['data']['kind'] for a in answers} == {'not_open'}
    assert up.wait_exit() == 0


def test_a_client_that_leaves_while_it_waits(up):
    with Control(up.control_path) as control:
        begin(control, 1, 'recv', name='up', match={'contains': 'y'})
        begin(control, 2, 'request', name='up', text='x', match={'contains': 'y'})
        begin(control, 3, 'ping', name='up')
        wait_until(lambda: up.status()['daemon']['waiting'] >= 2)
    up.call('request', name='up', text='z', match={'contains': 'z'})
    wait_until(lambda: up.status()['daemon']['control_clients']['now'] == 1)


# ping -----------------------------------------------------------------------


def test_ping(up):
    result = up.call('ping', name='up')
    assert result.keys() == {'rtt'} and 0 < result['rtt'] < slack(1)


def test_ping_has_a_payload_of_its_own(wsbridged, dumb_server):
    """Another pong is not the answer to it."""
    def script(conn):
        conn.upgrade()
        pings = [conn.frame() for _ in range(2)]
        assert len({p.payload for p in pings}) == 2 and {p.opcode for p in pings} == {frames.PING}
        conn.send(frames.frame(frames.PONG, b''))
        conn.send(frames.frame(frames.PONG, pings[1].payload))
        conn.drain()

    server = dumb_server(script)
    daemon = wsbridged({'b': {'url': server.url(), 'ping': {'interval': 0}}})
    daemon.wait_open()
    with Control(daemon.control_path) as control:
        for i, timeout in enumerate((0.5, 5)):
            begin(control, i, 'ping', name='b', timeout=timeout)
        answers = {a['id']: a for a in (control.answer(), control.answer())}
    assert 'result' in answers[1]
    assert answers[0]['error']['data']['kind'] == 'timeout'


def test_ping_without_a_connection(up, wsbridged, dumb_server):
    assert refused(up, 'ping', name='down').kind == 'not_open'

    def script(conn):
        conn.upgrade()
        conn.frame()
        conn.reset()

    daemon = wsbridged({'b': {'url': dumb_server(script).url(), 'ping': {'interval': 0}}})
    daemon.wait_open()
    assert refused(daemon, 'ping', name='b').kind == 'not_open'


# wait -----------------------------------------------------------------------


def test_wait_for_a_state(up):
    assert up.call('wait', name='up')['state'] == 'open'
    assert up.call('wait', name='down', state='closed')['state'] == 'closed'
    with Control(up.control_path) as control:
        begin(control, 1, 'wait', name='down')
        begin(control, 2, 'wait', name='up', state='closed')
        wait_begun(up, control)
        up.call('open', name='down')
        assert (control.answer()['id'], up.status('down')['state']) == (1, 'open')
        up.call('close', name='up')
        assert control.answer()['result']['state'] == 'closed'


def test_wait_for_a_state_that_does_not_last(up):
    with Control(up.control_path) as control:
        begin(control, 1, 'wait', name='up', state='connecting')
        wait_begun(up, control)
        up.call('reconnect', name='up')
        assert control.answer()['result']['state'] == 'connecting'


def test_wait_in_vain(up, server):
    error = refused(up, 'wait', name='down', timeout=0.1)
    assert (error.code, error.kind) == (-32005, 'timeout') and 'closed' in error.message
    assert refused(up, 'wait', name='down', state='broken').data['option'] == 'state'
    assert refused(up, 'wait', name='dawn').kind == 'no_such_bridge'
    up.call('open', name='made', url=server.url(), endpoint=up.path('made.sock'), wait=True)
    with Control(up.control_path) as control:
        begin(control, 1, 'wait', name='made', state='failed')
        begin(control, 2, 'wait', name='made', state='closed')
        wait_begun(up, control)
        up.call('close', name='made', wait=True)
        answers = {a['id']: a for a in (control.answer(), control.answer())}
    assert answers[1]['error']['data']['kind'] == 'not_open'
    assert answers[2]['result']['state'] == 'closed'


def test_wait_for_a_bridge_that_fails(wsbridged, dumb_server):
    def refuse(conn):
        conn.upgrade(status='HTTP/1.1 403 Forbidden')

    daemon = wsbridged({'b': {'url': dumb_server(refuse).url(), 'reconnect': {'attempts': 1}}})
    error = refused(daemon, 'wait', name='b')
    assert (error.code, error.data['status']) == (-32010, 403)
