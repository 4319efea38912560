# SPDX-License-Identifier: Apache-2.0
"""Messages in fragments: those that clients of the json framing send, and those that come so."""

import threading

import frames
from harness import wait_until
from records import attach, json_client
from scripted import drop


def test_fragments_leave_at_once(serve):
    daemon, _, conn = serve()
    client = attach(daemon)
    expected = []
    for kind, opcode, pieces in (('text', frames.TEXT, ['eins', '', 'zwei']),
                                 ('binary', frames.BINARY, ['AA==', 'AQ=='])):
        for i, piece in enumerate(pieces):
            last = i == len(pieces) - 1
            client.write(type=kind, data=piece, fin=last, id=i)
            assert client.record() == {'type': 'ack', 'id': i}
            expected.append((opcode if i == 0 else frames.CONTINUATION, last))
            wait_until(lambda: len(conn.frames) == len(expected))
    assert [(f.opcode, f.fin) for f in conn.frames] == expected
    assert b''.join(f.payload for f in conn.frames) == b'einszwei\0\1'


def test_fragments_of_several_clients_do_not_mix(serve):
    daemon, _, conn = serve()
    letters, rounds, pieces = 'abcd', 20, 5

    def talk(letter):
        with json_client(daemon) as client:
            for n in range(rounds):
                for i in range(pieces):
                    client.write(type='text', data=letter, fin=i == pieces - 1)
                client.write(type='text', data=letter.upper(), id=n)
                assert client.record_of('ack')['id'] == n

    threads = [threading.Thread(target=talk, args=(letter,)) for letter in letters]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    wait_until(lambda: sum(f.fin for f in list(conn.frames)) == 2 * rounds * len(letters))
    messages, parts = [], []
    for f in conn.frames:
        assert (f.opcode == frames.CONTINUATION) == bool(parts)
        parts.append(f.payload.decode())
        if f.fin:
            messages.append(''.join(parts))
            parts = []
    assert not parts
    assert sorted(messages) == sorted([x * pieces for x in letters] * rounds + list(letters.upper()) * rounds)
    for letter in letters:
        own = [m for m in messages if m[0].lower() == letter]
        assert own == [letter * pieces, letter.upper()] * rounds


def test_others_wait_for_the_end_of_a_message(serve):
    daemon, _, conn = serve()
    first, second = attach(daemon), attach(daemon)
    first.write(type='text', data='a', fin=False, id=1)
    assert first.record()['type'] == 'ack'
    second.write(type='text', data='whole', id=2)
    second.write(type='ping', data='between', id=3)  # may stand between fragments (RFC 6455, 5.4)
    assert second.record() == {'type': 'ack', 'id': 3}
    first.write(type='text', data='b', id=4)
    assert first.record() == {'type': 'ack', 'id': 4}
    assert second.record() == {'type': 'ack', 'id': 2}
    wait_until(lambda: len(conn.frames) == 4)
    assert [(f.opcode, f.payload) for f in conn.frames] == [
        (frames.TEXT, b'a'), (frames.PING, b'between'), (frames.CONTINUATION, b'b'), (frames.TEXT, b'whole')]


def test_a_client_that_dies_inside_a_message(serve):
    """No server can be told that a message ends here, so the connection is made anew."""
    daemon, server, conn = serve()
    dying, other = attach(daemon), attach(daemon)
    dying.write(type='text', data='never to be ended', fin=False, id=1)
    assert dying.record()['type'] == 'ack'
    other.write(type='text', data='whole', id=2)
    dying.close()
    second = server.wait_connection(2)
    assert other.record_of('ack') == {'type': 'ack', 'id': 2}
    wait_until(lambda: second.frames)
    assert [(f.opcode, f.payload, f.fin) for f in second.frames] == [(frames.TEXT, b'whole', True)]
    assert [f.payload for f in wait_until(lambda: conn.of(frames.TEXT))] == [b'never to be ended']
    assert not conn.of(frames.CONTINUATION)


def test_a_connection_that_ends_inside_a_message(serve):
    """The rest of it is refused up to its end; what comes then is whole again."""
    daemon, server, conn = serve()
    client = attach(daemon)
    client.write(type='text', data='a', fin=False, id=1)
    assert client.record()['type'] == 'ack'
    drop(conn)
    client.record_of('open')
    for i, (data, fin) in enumerate([('b', False), ('c', True), ('new', False), ('er', True)], 2):
        client.write(type='text', data=data, fin=fin, id=i)
    answers = client.records(4)
    assert [(a['type'], a['id']) for a in answers] == [('error', 2), ('error', 3), ('ack', 4), ('ack', 5)]
    assert [a['error']['kind'] for a in answers[:2]] == ['not_open'] * 2
    wait_until(lambda: len(server.connections[1].frames) == 2)
    assert [f.payload for f in server.connections[1].frames] == [b'new', b'er']


def test_fragments_are_of_one_type(serve):
    daemon, _, conn = serve()
    client = attach(daemon)
    for i, (kind, fin) in enumerate([('text', False), ('binary', False), ('text', True), ('binary', True)]):
        client.write(type=kind, data='AAAA', fin=fin, id=i)
        answer = client.record()
        assert (answer['type'], answer['id']) == ('error' if i == 1 else 'ack', i)
    wait_until(lambda: len(conn.frames) == 3)
    assert [(f.opcode, f.fin) for f in conn.frames] == [(frames.TEXT, False), (frames.CONTINUATION, True),
                                                        (frames.BINARY, True)]


# What the server sends in fragments ----------------------------------------


def in_pieces(*pieces, opcode=frames.TEXT):
    return [frames.frame(frames.CONTINUATION if i else opcode, piece, fin=i == len(pieces) - 1)
            for i, piece in enumerate(pieces)]


def test_deliver_tells_each_fragment_as_it_comes(serve):
    daemon, _, conn = serve(fragments='deliver', endpoint={'events': [], 'data': 'inline'})
    client = attach(daemon)
    euro = '€'.encode()
    sent = in_pieces(b'{"a":', b'1', b'}') + in_pieces(b'\0', b'', opcode=frames.BINARY)
    got = []
    for frame in sent:
        conn.send(frame)
        got.append(client.record())
    assert [(r['type'], r['seq'], r.get('fin'), r['data']) for r in got] == [
        ('text', 1, False, '{"a":'), ('text', 2, False, '1'), ('text', 3, None, '}'),
        ('binary', 4, False, 'AA=='), ('binary', 5, None, '')]
    assert not any('inline' in r for r in got)
    # A character that was cut belongs to one of its pieces, or to none twice.
    for frame in in_pieces(euro[:1], euro[1:2], euro[2:] + b'!'):
        conn.send(frame)
    conn.text('{"whole":1}')
    records = []
    while not records or 'inline' not in records[-1]:
        records.append(client.record())
    assert ''.join(r['data'] for r in records[:-1]) == '€!'
    assert records[-1]['data'] == {'whole': 1}


def test_deliver_and_lines(serve):
    daemon, _, conn = serve(fragments='deliver', endpoint={'framing': 'lines'})
    client = attach(daemon)
    for piece, expected in zip(in_pieces(b'one', b'two', b'three'), [b'one', b'two', b'three']):
        conn.send(piece)
        assert client.line() == expected


def test_join_waits_for_the_end(serve):
    daemon, _, conn = serve(endpoint={'events': []})
    client = attach(daemon)
    *pieces, last = in_pieces(b'one', b'two', b'three')
    conn.send(b''.join(pieces))
    assert client.silent()
    conn.send(last)
    assert (client.record()['data'], daemon.status('b')['seq']) == ('onetwothree', 1)
