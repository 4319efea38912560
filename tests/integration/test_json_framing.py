# SPDX-License-Identifier: Apache-2.0
"""The json framing, end to end: messages with their numbers, events, orders and their answers."""

import json
import threading
import time

import pytest

import frames
from dumb_server import serve_quietly
from harness import b64, free_port, slack, wait_until
from records import attach, json_client
from scripted import drop

PAYLOAD = b'{"v":0.10,"n":9223372036854775808,"a":1,"a":2,"e":1E+2}'
AT_ONCE = {'reconnect': {'initial': 0.01, 'max': 0.01}}


# Inbound --------------------------------------------------------------------


def test_messages_carry_their_numbers(serve):
    daemon, server, conn = serve(endpoint={'events': []})
    client = attach(daemon)
    before = time.time()
    conn.text('hällo "\\\n\t\x01')
    conn.send(frames.frame(frames.BINARY, bytes(range(256))))
    first, second = client.records(2)
    times = first.pop('time'), second.pop('time')
    assert before - 0.1 <= times[0] <= times[1] <= time.time() + 0.1
    assert first == {'type': 'text', 'seq': 1, 'epoch': 1, 'data': 'hällo "\\\n\t\x01'}
    assert second == {'type': 'binary', 'seq': 2, 'epoch': 1, 'data': b64(bytes(range(256)))}
    drop(conn)
    server.wait_connection(2)
    daemon.wait_status('b', lambda b: b['epoch'] == 2 and b['state'] == 'open')
    server.connections[1].text('after')
    third = client.record()
    assert (third['seq'], third['epoch'], third['data']) == (3, 2, 'after')
    assert daemon.status('b')['seq'] == 3


def test_events_of_a_connection(wsbridged, dumb_server):
    server = dumb_server([lambda c: (c.upgrade(Sec_WebSocket_Protocol='chat'), c.drain_to_close()), serve_quietly])
    daemon = wsbridged({'b': {'url': server.url('/p?secret=1'), 'subprotocols': ['chat'], 'start': 'manual',
                              'reconnect': {'initial': 0.2, 'max': 0.2, 'jitter': 'none'},
                              'endpoint': {'framing': 'json'}}})
    client = attach(daemon)
    daemon.call('open', name='b')
    opened = client.record()
    assert opened.pop('time') > 1e9
    assert opened == {'type': 'open', 'url': server.url('/p?...'), 'subprotocol': 'chat', 'epoch': 1}
    conn = server.wait_connection()
    conn.send(frames.frame(frames.PING, b'are you there') + frames.frame(frames.PONG, b'\xff\xfe'))
    conn.send(frames.text('x') + frames.close(4001, 'geh weg ü'.encode()))
    ping, pong, text, closed = client.records(4)
    assert (ping['type'], ping['data']) == ('ping', 'are you there') and 'encoding' not in ping
    assert (pong['type'], pong['data'], pong['encoding']) == ('pong', '//4=', 'base64')
    assert (text['type'], text['seq']) == ('text', 1)
    assert closed.pop('time') > 1e9
    assert closed == {'type': 'close', 'code': 4001, 'reason': 'geh weg ü', 'clean': True, 'retry_in': 0.2}
    # The second server chooses no subprotocol.
    again = client.record()
    assert (again['type'], again['subprotocol'], again['epoch']) == ('open', None, 2)
    assert [f.payload for f in conn.of(frames.PONG)] == [b'are you there']


def test_a_connection_that_is_cut(serve):
    daemon, _, conn = serve(reconnect={'when': 'never'})
    client = attach(daemon)
    drop(conn)
    closed = client.record()
    assert (closed['type'], closed['code'], closed['clean'], closed['retry_in']) == ('close', 1006, False, None)
    assert closed['reason']  # a sentence of ours
    assert daemon.wait_state('b', 'failed')


def test_an_attempt_that_fails(wsbridged):
    daemon = wsbridged({'b': {'url': f'ws://127.0.0.1:{free_port()}/', 'start': 'manual',
                              'endpoint': {'framing': 'json'}}})
    client = attach(daemon)
    daemon.call('open', name='b')
    record = client.record()
    assert record['type'] == 'error' and 'id' not in record and record['time'] > 1e9
    error = record['error']
    assert (error['code'], error['kind'], error['stage'], error['retryable']) == (-32007, 'connect', 'connect', True)
    assert 'refused' in error['message']


@pytest.mark.parametrize('events', [[], ['close'], ['ping', 'open'], ['pong', 'ack', 'error', 'gap'],
                                    ['open', 'close', 'ping', 'pong', 'gap', 'error', 'ack']])
def test_only_the_events_that_were_asked_for(serve, events):
    daemon, server, conn = serve(endpoint={'events': events})
    client = attach(daemon)
    client.write(type='text', data='x', id=1)
    wait_until(lambda: conn.of(frames.TEXT))
    client.send('no JSON\n')
    daemon.wait_status('b', lambda b: b['refused'] == 1)
    conn.send(frames.frame(frames.PING) + frames.frame(frames.PONG) + frames.text('first') + frames.close(1000))
    second = server.wait_connection(2)
    daemon.wait_status('b', lambda b: b['epoch'] == 2 and b['state'] == 'open')
    second.text('last')
    seen = []
    while (record := client.record()).get('data') != 'last':
        seen.append(record['type'])
    expected = [e for e in ('ack', 'error', 'ping', 'pong', 'text', 'close', 'open')
                if e in events or e == 'text']
    assert seen == expected


INLINE = [  # a text message, and what stands after "data":
    (PAYLOAD, PAYLOAD),
    (b' [ 1 , "a\\nb" ] ', b'[ 1 , "a\\nb" ]'),
    (b'{\n"a":\r\n1}', b'{ "a":  1}'),
    (b'-0.0e-0', b'-0.0e-0'),
    (b'"\\ud83d\\ude00\\/"', b'"\\ud83d\\ude00\\/"'),
    (b'null', b'null'),
]
NOT_INLINE = ['', ' ', '{', '01', '{"a":1}}', '{"a":1}\n{"a":2}', "{'a':1}", 'NaN', '"\n"', 'plain']


def after_data(line, mark=b''):
    head, _, tail = line.partition(mark + b'"data":')
    assert head.startswith(b'{"type":"text","seq":') and tail.endswith(b'}'), line
    return tail[:-1].strip()


def test_inline_is_byte_for_byte(serve):
    daemon, _, conn = serve(endpoint={'data': 'inline', 'events': []})
    client = attach(daemon)
    for message, _ in INLINE:
        conn.text(message)
    for _, expected in INLINE:
        line = client.line()
        assert after_data(line, b'"inline":true,') == expected
        json.loads(line)
    for message in NOT_INLINE:
        conn.text(message)
    for message in NOT_INLINE:
        line = client.line()
        assert b'"inline"' not in line
        assert json.loads(after_data(line)) == message


@pytest.mark.parametrize('data', ['string', 'inline'])
def test_no_message_can_forge_a_record(serve, data):
    forged = '"}\n{"type":"ack","id":1}\n'
    texts = [forged, json.dumps(forged), '[1,\n{"type":"ack","id":1}\n]', '\x00\n\r\u2028\u2029\x7f']
    daemon, _, conn = serve(endpoint={'data': data})
    client = attach(daemon)
    for text in texts:
        conn.text(text)
    for text in texts:
        record = client.record()
        assert record['type'] == 'text'
        assert record['data'] == (json.loads(text) if record.get('inline') else text)
    assert client.silent()


# Outbound -------------------------------------------------------------------


def test_json_goes_out_byte_for_byte(serve):
    daemon, _, conn = serve()
    client = attach(daemon)
    for value in (PAYLOAD, b'[ 1 ,\t2 ]', b'"\\u00e4\\/"', b'-0', b'null'):
        client.send(b'{ "type" : "json" , "data" : ' + value + b' }\n')
    wait_until(lambda: len(conn.of(frames.TEXT)) == 5)
    assert [f.payload for f in conn.of(frames.TEXT)] == [PAYLOAD, b'[ 1 ,\t2 ]', b'"\\u00e4\\/"', b'-0', b'null']


@pytest.mark.parametrize('data', ['string', 'inline'])
def test_what_came_may_be_written_back(serve, data):
    daemon, _, conn = serve(endpoint={'data': data, 'events': []})
    client = attach(daemon)
    for message in (PAYLOAD, b'no JSON \xc3\xa4'):
        conn.text(message)
        client.send(client.line() + b'\n')
    conn.send(frames.frame(frames.BINARY, b'\0\xff'))
    client.send(client.line() + b'\n')
    wait_until(lambda: conn.of(frames.BINARY))
    assert [(f.opcode, f.payload) for f in conn.frames] == [
        (frames.TEXT, PAYLOAD), (frames.TEXT, b'no JSON \xc3\xa4'), (frames.BINARY, b'\0\xff')]


def test_every_order(serve):
    daemon, server, conn = serve()
    client = attach(daemon)
    orders = [{'type': 'text', 'data': 'grüße "\n'}, {'type': 'text', 'data': ''},
              {'type': 'binary', 'data': b64(b'\0\x01\xff')}, {'type': 'binary', 'data': ''},
              {'type': 'ping', 'data': 'pi'}, {'type': 'ping', 'data': '//4=', 'encoding': 'base64'},
              {'type': 'pong'}, {'type': 'pong', 'data': 'po'},
              {'type': 'close', 'code': 4321, 'reason': 'genug ü'}]
    for i, order in enumerate(orders):
        client.write({**order, 'id': i})
    answers = [client.record_of('ack')['id'] for _ in orders]
    assert sorted(answers) == list(range(len(orders)))
    assert [a for a in answers if a < 4] == [0, 1, 2, 3]
    closed = client.record_of('close')
    assert (closed['code'], closed['clean']) == (4321, True)
    server.wait_connection(2)
    messages = [(f.opcode, f.payload) for f in conn.frames if f.opcode in (frames.TEXT, frames.BINARY)]
    assert messages == [(frames.TEXT, 'grüße "\n'.encode()), (frames.TEXT, b''),
                        (frames.BINARY, b'\0\x01\xff'), (frames.BINARY, b'')]
    assert [f.payload for f in conn.of(frames.PING)] == [b'pi', b'\xff\xfe']
    assert [f.payload for f in conn.of(frames.PONG)] == [b'', b'po']
    assert (conn.close.code, conn.close.reason) == (4321, 'genug ü'.encode())
    assert conn.frames[-1] is conn.close


def test_ids_come_back_as_they_were(serve):
    daemon, _, conn = serve()
    client = attach(daemon)
    ids = [b'1', b'1.0', b'9223372036854775808', b'"\\u0041 \xc3\xa4"', b'null', b'false', b'{"a":[1,{"a":2,"a":3}]}',
           b'""', b'"' + b'x' * 254 + b'"']
    for one in ids:
        client.send(b'{"id":' + one + b',"type":"text","data":"x"}\n')
        assert client.line() == b'{"type":"ack","id":' + one + b'}'
        client.send(b'{"id":' + one + b',"type":"nothing"}\n')
        line = client.line()
        assert line.startswith(b'{"type":"error",') and b',"id":' + one + b',"time":' in line
    wait_until(lambda: len(conn.of(frames.TEXT)) == len(ids))


# Answers --------------------------------------------------------------------


def until_quiet(client):
    """The records until none comes for a while."""
    records = []
    while not client.silent(0.3):
        records.append(client.record())
    return records


def test_an_ack_comes_when_the_kernel_has_it(wsbridged, dumb_server):
    """And of what is lost with the connection an error: each id is answered, once."""
    go_on, stop = threading.Event(), threading.Event()

    def script(conn):
        conn.upgrade()
        go_on.wait(slack(20))
        conn.read(8 << 20)
        stop.wait(slack(20))
        conn.reset()

    server = dumb_server([script, serve_quietly])
    daemon = wsbridged({'b': {'url': server.url(), 'endpoint': {'framing': 'json'}, **AT_ONCE,
                              'socket': {'sndbuf': '64K'}}})
    daemon.wait_open()
    client = attach(daemon)
    line, count = b'{"type":"text","data":"%d ' + bytes(1 << 18).replace(b'\0', b'x') + b'","id":%d}\n', 64
    sender = client.socket.dup()  # with a timeout of its own
    writer = threading.Thread(target=lambda: [sender.sendall(line % (i, i)) for i in range(count)], daemon=True)
    writer.start()
    daemon.wait_status('b', lambda b: b['tx']['messages'] >= 2)
    answers = until_quiet(client)  # all that fits is with the kernel
    early = len(answers)
    assert early + 40 < count
    go_on.set()
    while len(answers) < early + 28:
        answers.append(client.record())
    answers += until_quiet(client)
    assert len(answers) < count
    stop.set()
    while len([a for a in answers if 'id' in a]) < count:
        answers.append(client.record())
    writer.join()
    sender.close()
    cut = next(i for i, a in enumerate(answers) if a['type'] != 'ack')
    first, then = answers[:cut], [a for a in answers[cut:] if 'id' in a]
    assert [a['id'] for a in first] == list(range(len(first)))
    assert sorted(a['id'] for a in then) == list(range(len(first), count))
    assert {a['error']['kind'] for a in then if a['type'] == 'error'} == {'not_open'}
    # What was answered with an error was never sent, and the rest went over the next connection.
    acked = [a['id'] for a in then if a['type'] == 'ack']
    second = server.wait_connection(2)
    wait_until(lambda: len(second.of(frames.TEXT)) == len(acked))
    assert [int(f.payload.split()[0]) for f in second.of(frames.TEXT)] == acked == sorted(acked)


def test_ids_of_what_is_not_sent(wsbridged, dumb_server):
    """not_open: refused at once; timeout: waited too long; overflow: no room, or made room."""
    json_endpoint = {'framing': 'json'}
    url, manual = dumb_server().url(), {'start': 'manual', 'endpoint': json_endpoint}
    daemon = wsbridged({
        'none': {'url': url, **manual, 'outbox': {'size': 0}},
        'short': {'url': url, **manual, 'outbox': {'ttl': 0.1}},
        'small': {'url': url, **manual, 'outbox': {'size': 200}},
        'newest': {'url': url, **manual, 'outbox': {'size': 200, 'on_full': 'drop-oldest'}}})

    def answers(name, count, expected):
        with json_client(daemon, name) as client:
            for i in range(count):
                client.write(type='text', data='x' * 50, id=i)
            for _ in range(expected):
                record = client.record()
                assert record['type'] == 'error'
                yield record['id'], record['error']['kind']

    assert list(answers('none', 2, 2)) == [(0, 'not_open'), (1, 'not_open')]
    assert list(answers('short', 2, 2)) == [(0, 'timeout'), (1, 'timeout')]
    assert list(answers('small', 3, 2)) == [(1, 'not_open'), (2, 'not_open')]
    assert list(answers('newest', 3, 2)) == [(0, 'overflow'), (1, 'overflow')]
    boxes = [daemon.status(name)['outbox'] for name in ('none', 'short', 'small', 'newest')]
    assert [(b['messages'], b['expired'], b['dropped'], b['rejected']) for b in boxes] == [
        (0, 0, 0, 2), (0, 2, 0, 0), (1, 0, 0, 2), (1, 0, 2, 0)]
    for order in ('ping', 'pong', 'close'):
        with json_client(daemon, 'none') as client:
            client.write(type=order, id='x')
            assert client.record()['error']['kind'] == 'not_open'


# bad line, the error's kind, its option; the first has no id that could be known
BAD = [
    (b'', None, None), (b'   ', None, None),
    (b'hello', 'parse_error', None),
    (b'{"type":"text","data":"x","id":7', 'parse_error', None),
    (b'{"type":"text","data":"\xff","id":7}', 'parse_error', None),
    (b'{"type":"text","data":"x","id":7} {}', 'parse_error', None),
    (b'[1]', 'invalid_request', None),
    (b'"text"', 'invalid_request', None),
    (b'{}', 'invalid_option', 'type'),
    (b'{"id":7}', 'invalid_option', 'type'),
    (b'{"type":"gap","id":7}', 'invalid_option', 'type'),
    (b'{"type":1,"id":7}', 'invalid_option', 'type'),
    (b'{"type":"text","id":7}', 'invalid_option', 'data'),
    (b'{"type":"text","data":1,"id":7}', 'invalid_option', 'data'),
    (b'{"type":"text","data":"a","data":"b","id":7}', 'invalid_option', 'data'),
    (b'{"type":"text","data":"a","d\\u0061ta":"b","id":7}', 'invalid_option', None),
    (b'{"type":"text","dta":"a","id":7}', 'invalid_option', 'dta'),
    (b'{"type":"text","data":"\\ud800","id":7}', 'payload', None),
    (b'{"type":"text","data":"a","fin":0,"id":7}', 'invalid_option', 'fin'),
    (b'{"type":"json","data":{},"fin":false,"id":7}', 'invalid_option', 'fin'),
    (b'{"type":"binary","data":"AQI","id":7}', 'payload', None),
    (b'{"type":"binary","data":"A Q=","id":7}', 'payload', None),
    (b'{"type":"text","data":"' + b'x' * 1001 + b'","id":7}', 'overflow', None),
    (b'{"type":"binary","data":"' + b'AAAA' * 334 + b'","id":7}', 'overflow', None),
    (b'{"type":"json","data":"' + b'x' * 999 + b'","id":7}', 'overflow', None),
    (b'{"type":"ping","data":"' + b'x' * 126 + b'","id":7}', 'overflow', None),
    (b'{"type":"close","code":1005,"id":7}', 'invalid_option', 'code'),
    (b'{"type":"close","code":"1000","id":7}', 'invalid_option', 'code'),
    (b'{"type":"close","code":4000,"reason":"' + b'x' * 124 + b'","id":7}', 'overflow', None),
    (b'{"type":"text","data":"x","id":"' + b'x' * 300 + b'"}', 'overflow', None),
    (b'{"type":"text","data":"' + b'x' * 100000 + b'","id":7}', 'overflow', None),
    (b'[' * 100000, 'overflow', None),
    (b'[' * 1000, 'parse_error', None),
]


def test_bad_lines_are_answered_and_the_next_goes_on(serve):
    daemon, _, conn = serve(max_message=1000)
    client = attach(daemon)
    for i, (line, kind, option) in enumerate(BAD):
        client.send(line + b'\n')
        if kind:
            record = client.record()
            error = record['error']
            assert (record['type'], error['kind']) == ('error', kind), (line, record)
            assert option is None or error['option'] == option, (line, record)
            known = line.endswith(b'"id":7}') and kind not in ('parse_error',) and len(line) < 10000
            assert record.get('id') == (7 if known else None), (line, record)
        client.write(type='text', data='good', id=i)
        assert client.line() == b'{"type":"ack","id":%d}' % i
    wait_until(lambda: len(conn.frames) == len(BAD))
    assert daemon.status('b')['refused'] == len([kind for _, kind, _ in BAD if kind])


def test_the_last_record_needs_no_newline(serve):
    daemon, _, conn = serve()
    client = attach(daemon)
    client.send('{"type":"text","data":"last","id":1}')
    client.half_close()
    assert client.record() == {'type': 'ack', 'id': 1}
    assert wait_until(lambda: conn.frames)[0].payload == b'last'
    conn.text('still there')
    assert client.record()['data'] == 'still there'
