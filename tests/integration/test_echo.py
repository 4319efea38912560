# SPDX-License-Identifier: Apache-2.0
"""The main job, against two servers that were not written here: lines become messages and come back."""

import base64
import threading

import pytest

import frames
from dumb_server import echo
from harness import slack, wait_until


def write_in_background(client, data):
    """Writing 10,000 lines and reading none of the answers would be a deadlock of our own making."""
    thread = threading.Thread(target=client.send, args=(data,), daemon=True)
    thread.start()
    return thread


@pytest.mark.limit(60)
def test_ten_thousand_lines_in_order(wsbridged, each_server):
    daemon = wsbridged({'echo': {'url': each_server.url()}})
    daemon.wait_open()
    expected = [b'line %d' % i for i in range(10000)]
    with daemon.client('echo') as client:
        writer = write_in_background(client, b''.join(line + b'\n' for line in expected))
        assert client.lines(len(expected)) == expected
        writer.join()
        assert client.silent()
    bridge = daemon.status('echo')
    for way in ('rx', 'tx'):
        assert bridge[way] == {'messages': 10000, 'bytes': sum(map(len, expected))}
    assert (bridge['dropped'], bridge['refused'], bridge['epoch'], bridge['reconnects']) == (0, 0, 1, 0)


@pytest.mark.parametrize('text', [
    '', ' ', 'x', 'with a CR\r', 'tab\tand "quotes" and \\n', 'grüße, 世界 🎉', '\ufeffbom',
    '\u0001\u007f\x00nul', 'a' * 125, 'a' * 126, 'a' * 127, 'a' * 65535, 'a' * 65536, '世' * 50000,
], ids=lambda t: f'{len(t.encode())}-bytes')
def test_text_comes_back_as_it_was(wsbridged, each_server, text):
    daemon = wsbridged({'echo': {'url': each_server.url()}})
    daemon.wait_open()
    with daemon.client('echo') as client:
        client.send(text + '\n')
        assert client.line().decode() == text


def test_last_line_without_newline_is_sent(wsbridged, each_server):
    daemon = wsbridged({'echo': {'url': each_server.url()}})
    daemon.wait_open()
    with daemon.client('echo') as client:
        client.send('one\ntwo')
        assert client.line() == b'one'
        assert client.silent()
        client.half_close()
        assert client.line() == b'two'


BYTES = bytes(range(256))


@pytest.mark.parametrize('endpoint, line, expected', [
    ({'send_as': 'binary'}, b'\xff\xfe\x00 raw', base64.b64encode(b'\xff\xfe\x00 raw')),
    ({'send_as': 'base64'}, base64.b64encode(BYTES), base64.b64encode(BYTES)),
    ({'send_as': 'base64'}, b'', b''),
    ({'send_as': 'base64', 'binary': 'hex'}, base64.b64encode(BYTES), BYTES.hex().encode()),
    ({'send_as': 'binary', 'binary': 'hex'}, b'abc', b'616263'),
])
def test_binary(wsbridged, each_server, endpoint, line, expected):
    daemon = wsbridged({'echo': {'url': each_server.url(), 'endpoint': endpoint}})
    daemon.wait_open()
    with daemon.client('echo') as client:
        client.send(line + b'\n')
        assert client.line() == expected


def test_binary_drop(wsbridged, start_server):
    server = start_server()
    daemon = wsbridged({'quiet': {'url': server.url(), 'endpoint': {'binary': 'drop'}}})
    daemon.wait_open()
    with daemon.client('quiet') as client:
        daemon.wait_status('quiet', lambda b: b['clients'])
        server.command(binary='AAAA')
        server.command(text='after')
        assert client.line() == b'after'
        bridge = daemon.status('quiet')
        assert bridge['endpoints'][0]['unfit'] == 1
        assert bridge['dropped'] == 1


@pytest.mark.parametrize('newlines, delimiter, message, expected', [
    ('space', '\n', 'a\nb', b'a b\n'),
    ('escape', '\n', 'a\nb\\c', b'a\\nb\\\\c\n'),
    ('space', '\0', 'a\nb', b'a\nb\0'),
    ('space', '\0', 'a\0b', b'a b\0'),
    ('escape', '\0', 'a\0b\nc', b'a\\0b\nc\0'),
])
def test_newlines_inside_messages(wsbridged, start_server, newlines, delimiter, message, expected):
    server = start_server()
    daemon = wsbridged({'b': {'url': server.url(), 'endpoint': {'newlines': newlines, 'delimiter': delimiter}}})
    daemon.wait_open()
    with daemon.client('b', delimiter=expected[-1:]) as client:
        daemon.wait_status('b', lambda b: b['clients'])
        server.command(text=message)
        assert client.line() == expected[:-1]
        # What was escaped comes back as it was when it is written again.
        client.send(expected)
        again = client.line()
        assert again == expected[:-1]
        assert daemon.status('b')['endpoints'][0]['replaced'] == (1 if newlines == 'space' and delimiter in message
                                                                  else 0)


def test_newlines_reject(wsbridged, start_server):
    server = start_server()
    daemon = wsbridged({'b': {'url': server.url(), 'endpoint': {'newlines': 'reject'}}})
    daemon.wait_open()
    with daemon.client('b') as client:
        daemon.wait_status('b', lambda b: b['clients'])
        server.command(text='a\nb')
        server.command(text='whole')
        assert client.line() == b'whole'
        assert daemon.status('b')['endpoints'][0]['unfit'] == 1


@pytest.mark.limit(90)
def test_sixteen_mebibytes(wsbridged, each_server):
    daemon = wsbridged({'big': {'url': each_server.url()}})
    daemon.wait_open()
    text = b'0123456789abcdef' * (1 << 20)
    assert len(text) == 16 << 20
    with daemon.client('big', timeout=60) as client:
        writer = write_in_background(client, text + b'\nafter\n')
        # No assert on the texts themselves: pytest would print their difference.
        same = client.line() == text
        assert same
        assert client.line() == b'after'
        writer.join()
    assert daemon.status('big')['dropped'] == 0


def test_a_line_above_max_message_is_refused_and_the_next_one_sent(wsbridged, each_server):
    daemon = wsbridged({'b': {'url': each_server.url(), 'max_message': '1K'}})
    daemon.wait_open()
    with daemon.client('b') as client:
        client.send(b'x' * 1024 + b'\n' + b'y' * 1025 + b'\n' + b'z' * 100000 + b'\nafter\n')
        assert client.line() == b'x' * 1024
        assert client.line() == b'after'
        assert daemon.status('b')['refused'] == 2
        # Repeats are logged at each doubling only.
        client.send((b'y' * 1025 + b'\n') * 1000 + b'end\n')
        assert client.line() == b'end'
        assert daemon.status('b')['refused'] == 1002
        assert 1 <= len(daemon.log_lines('line is longer than max_message (1024 bytes)')) <= 10


def test_a_line_that_is_not_utf8_is_refused_and_the_next_one_sent(wsbridged, each_server):
    daemon = wsbridged({'b': {'url': each_server.url()}})
    daemon.wait_open()
    with daemon.client('b') as client:
        client.send(b'\xff\xfe\n\xed\xa0\x80\nafter\n')
        assert client.line() == b'after'
        assert daemon.status('b')['refused'] == 2
        assert daemon.status('b')['epoch'] == 1


@pytest.mark.parametrize('size', [1, 2, 7, 100, 65536])
def test_fragmented_messages_are_joined(wsbridged, each_server, size):
    daemon = wsbridged({'b': {'url': each_server.url(f'/fragments?size={size}')}})
    daemon.wait_open()
    texts = ['', 'x', 'a grüße 世界 🎉 ' * 20, 'end']
    with daemon.client('b') as client:
        client.send(''.join(t + '\n' for t in texts))
        # The server cuts at characters or at bytes; whole ones must come out.
        assert [line.decode() for line in client.lines(len(texts))] == texts


def test_control_frames_between_fragments(wsbridged, dumb_server):
    def script(conn):
        conn.upgrade()
        conn.send(frames.text('a', fin=False) + frames.frame(frames.PING, b'between'))
        conn.send(frames.frame(frames.CONTINUATION, b'b', fin=False) + frames.frame(frames.PONG, b'unasked'))
        conn.send(frames.frame(frames.CONTINUATION, b'', fin=False) + frames.frame(frames.CONTINUATION, b'c'))
        conn.drain()

    server = dumb_server([echo, script])
    daemon = wsbridged({'b': {'url': server.url()}})
    daemon.wait_open()
    with daemon.client('b') as client:
        daemon.wait_status('b', lambda b: b['clients'])
        daemon.call('reconnect', name='b')
        assert client.line() == b'abc'
    conn = server.wait_connection(2)
    assert wait_until(lambda: conn.of(frames.PONG), what='a pong')[0].payload == b'between'


def test_a_message_right_behind_the_upgrade_is_not_lost(wsbridged, dumb_server):
    def script(conn):
        conn.upgrade(behind=frames.text('first'))
        conn.drain()

    server = dumb_server([echo, script])
    daemon = wsbridged({'b': {'url': server.url()}})
    daemon.wait_open()
    with daemon.client('b') as client:
        daemon.wait_status('b', lambda b: b['clients'])
        daemon.call('reconnect', name='b')
        assert client.line() == b'first'


def test_subprotocol(wsbridged, start_server):
    server = start_server('websockets', '--subprotocols', 'chat.v2,chat.v1')
    daemon = wsbridged({'b': {'url': server.url(), 'subprotocols': ['chat.v1', 'chat.v2', 'other']}})
    daemon.wait_open()
    assert server.wait_event('open')['subprotocol'] in ('chat.v1', 'chat.v2')
    assert daemon.status('b')['subprotocol'] == server.wait_event('open')['subprotocol']
    headers = server.wait_event('open')['headers']
    assert ['Sec-WebSocket-Protocol', 'chat.v1, chat.v2, other'] in headers


def test_what_the_server_sees_by_default(wsbridged, each_server):
    daemon = wsbridged({'b': {'url': each_server.url('/defaults?q=1%20x')}})
    daemon.wait_open()
    headers = dict(each_server.wait_event('open', path='/defaults')['headers'])
    version = daemon.call('version')['version']
    assert headers['Host'] == f'127.0.0.1:{each_server.port}'
    assert headers['User-Agent'] == f'wsbridge/{version}'
    assert headers['Sec-WebSocket-Version'] == '13'
    assert len(base64.b64decode(headers['Sec-WebSocket-Key'], validate=True)) == 16
    assert not headers.keys() & {'Origin', 'Authorization', 'Cookie', 'Sec-WebSocket-Protocol'}


def test_what_the_server_sees_as_configured(wsbridged, each_server):
    daemon = wsbridged({'b': {
        'url': f'ws://us%40er:p%3Ass@127.0.0.1:{each_server.port}/configured', 'host': 'other.example:8080',
        'origin': 'https://example.com', 'user_agent': 'tester/1',
        'headers': {'X-One': '1', 'X-Many': ['a', 'b'], 'x-ümlaut'.replace('ü', 'u'): 'grüße'},
    }})
    daemon.wait_open()
    headers = each_server.wait_event('open', path='/configured')['headers']
    for pair in (['Host', 'other.example:8080'], ['Origin', 'https://example.com'], ['User-Agent', 'tester/1'],
                 ['X-One', '1'], ['X-Many', 'a'], ['X-Many', 'b'],
                 ['Authorization', 'Basic ' + base64.b64encode(b'us@er:p:ss').decode()]):
        assert headers.count(pair) == 1, (pair, headers)


def test_headers_can_be_left_out(wsbridged, dumb_server):
    server = dumb_server(echo)
    daemon = wsbridged({'b': {'url': server.url(), 'host': None, 'user_agent': None, 'origin': None}})
    daemon.wait_open()
    conn = server.wait_connection()
    assert [conn.header(name) for name in ('host', 'user-agent', 'origin')] == [None, None, None]


def test_the_request_line(wsbridged, dumb_server):
    server = dumb_server(echo)
    daemon = wsbridged({
        'path': {'url': server.url('/a/b%20c?x=1&y=%2F')},
        'none': {'url': f'ws://127.0.0.1:{server.port}'},
        'query': {'url': f'ws://127.0.0.1:{server.port}?q'},
    })
    daemon.wait_open()
    lines = {c.request.split(b'\r\n')[0] for c in server.connections}
    assert lines == {b'GET /a/b%20c?x=1&y=%2F HTTP/1.1', b'GET / HTTP/1.1', b'GET /?q HTTP/1.1'}


def test_secrets_are_shown_nowhere(wsbridged, dumb_server):
    secret = 'correct-horse-battery'
    server = dumb_server(echo)
    daemon = wsbridged({'b': {
        'url': f'ws://user:{secret}@127.0.0.1:{server.port}/x?token={secret}', 'headers': {'X-Key': secret},
    }}, log={'level': 'debug'})
    daemon.wait_open()
    daemon.call('reconnect', name='b')
    daemon.wait_status('b', lambda b: b['epoch'] == 2)
    assert secret in server.wait_connection(2).request.decode()
    assert secret not in str(daemon.status())
    assert secret not in daemon.log()


def test_every_frame_is_masked_with_a_key_of_its_own(wsbridged, dumb_server):
    server = dumb_server(echo)
    daemon = wsbridged({'b': {'url': server.url()}})
    daemon.wait_open()
    with daemon.client('b') as client:
        client.send(b''.join(b'%d\n' % i for i in range(200)))
        assert client.lines(200) == [b'%d' % i for i in range(200)]
    daemon.call('send', name='b', ping='p')
    conn = server.wait_connection()
    wait_until(lambda: conn.of(frames.PING), what='the ping')
    keys = [f.key for f in conn.frames]
    assert None not in keys
    # 32 random bits: two equal ones among 200 are possible, many are not.
    assert len(set(keys)) >= len(keys) - 1
    assert all(f.rsv == 0 and f.fin for f in conn.frames)


def test_mask_zero_is_for_packet_captures_and_warns(wsbridged, dumb_server):
    server = dumb_server(echo)
    daemon = wsbridged({'b': {'url': server.url(), 'mask': 'zero'}})
    daemon.wait_open()
    with daemon.client('b') as client:
        client.send(b'seen\n')
        assert client.line() == b'seen'
    assert [f.key for f in server.wait_connection().frames] == [b'\0\0\0\0']
    daemon.log_contains('mask is "zero"')


def test_on_open_messages_go_first_and_again_after_a_reconnect(wsbridged, start_server):
    server = start_server()
    steps = ['plain', {'text': 'text'}, {'json': {'b': [1, 2.5, None], 'a': 'ü'}}, {'binary': 'AAEC'}]
    daemon = wsbridged({'b': {'url': server.url('/silent?log=1'), 'on_open': steps, 'start': 'manual'}})
    expected = [('plain', None), ('text', None), ('{"b":[1,2.5,null],"a":"ü"}', None), (None, 'AAEC')]
    with daemon.client('b') as client:
        client.send('local\n')
        daemon.wait_status('b', lambda b: b['outbox']['messages'] == 1)
        daemon.call('open', name='b', wait=True)
        server.wait_event('message', 5)
        daemon.call('reconnect', name='b')
        server.wait_event('message', 9)
    seen = [(e['text'], e['binary']) for e in server.select('message')]
    assert seen == expected + [('local', None)] + expected


def test_lines_written_before_the_first_connection_arrive(wsbridged, start_server):
    server = start_server()
    daemon = wsbridged({'b': {'url': server.url(), 'start': 'manual'}})
    with daemon.client('b') as client:
        client.send(b''.join(b'%d\n' % i for i in range(100)))
        daemon.wait_status('b', lambda b: b['outbox']['messages'] == 100)
        assert daemon.status('b')['state'] == 'closed'
        daemon.call('open', name='b', wait=True)
        assert client.lines(100) == [b'%d' % i for i in range(100)]
        assert daemon.status('b')['outbox']['messages'] == 0


def test_two_endpoints_and_two_bridges_do_not_mix(wsbridged, each_server):
    daemon = wsbridged({
        'a': {'url': each_server.url(), 'endpoints': ['$DIR/a1.sock', {'unix': '$DIR/a2.sock', 'send_as': 'binary'}]},
        'b': {'url': each_server.url()},
    })
    daemon.wait_open()
    with daemon.client('a1') as a1, daemon.client('a2') as a2, daemon.client('b') as b:
        daemon.wait_status('a', lambda s: len(s['clients']) == 2)
        a1.send('one\n')
        assert (a1.line(), a2.line()) == (b'one', b'one')
        a2.send('two\n')
        assert (a1.line(), a2.line()) == (b'dHdv', b'dHdv')
        b.send('three\n')
        assert b.line() == b'three'
        assert a1.silent(slack(0.1)) and a2.silent(slack(0.1))
