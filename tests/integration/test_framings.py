# SPDX-License-Identifier: Apache-2.0
"""Framings other than json, and what a shell makes of all of them: read, xargs, jq, socat."""

import json
import select
import subprocess

import pytest

import frames
from dumb_server import echo
from harness import LineSocket, slack, wait_until
from records import BINARY, TEXT, JsonClient, LengthClient, PacketClient, attach


class Pipeline:
    """A shell command line in the folder of the daemon; it ends when the daemon does."""

    def __init__(self, daemon, line):
        self.process = subprocess.Popen(['sh', '-c', line], cwd=daemon.folder, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.daemon = daemon

    def line(self):
        return self.process.stdout.readline()

    def rest(self):
        """Ends the daemon, and so the input of the pipeline; what it still writes."""
        assert self.daemon.stop() == 0
        out = self.process.communicate(timeout=slack(10))[0]
        assert self.process.returncode == 0, out
        return out


@pytest.fixture
def pipe(serve):
    """pipe(line, endpoint, script): the running pipeline, attached, and the server's connection."""
    made = []

    def start(line, endpoint, **options):
        daemon, _, conn = serve(endpoint=endpoint, **options)
        made.append(Pipeline(daemon, line))
        daemon.wait_status('b', lambda b: len(b['clients']) == 1)
        return made[-1], conn

    yield start
    for one in made:
        one.process.kill()
        one.process.stdout.close()
        one.process.wait()


HARD = ['plain', '', '  blanks  around ', r'back\slash \n \\', 'tab\tx', '$HOME `id` "quoted" \'too\'', 'ünïcödé']


def test_a_shell_loop(pipe):
    loop, conn = pipe('socat -u UNIX-CONNECT:b.sock - | while IFS= read -r line; do printf "<%s>\\n" "$line"; done',
                      {'framing': 'lines'})
    for text in HARD:
        conn.text(text)
        assert loop.line() == f'<{text}>\n'.encode()
    assert loop.rest() == b''


def test_a_shell_loop_that_answers(pipe):
    loop, conn = pipe("socat UNIX-CONNECT:b.sock SYSTEM:'while read -r line; do echo \"got $line\"; done'",
                      {'framing': 'lines'})
    for i in range(20):
        conn.text(f'{i}')
        wait_until(lambda i=i: len(conn.of(frames.TEXT)) == i + 1)
    assert [f.payload for f in conn.of(frames.TEXT)] == [b'got %d' % i for i in range(20)]
    loop.rest()


def test_xargs_on_the_nul_delimiter(pipe):
    """Newlines, blanks and quotes stay as they are."""
    loop, conn = pipe("socat -u UNIX-CONNECT:b.sock - | xargs -0 -n 1 printf '<%s>\\n'",
                      {'framing': 'lines', 'delimiter': '\0'})
    texts = [*HARD, 'two\nlines', '\n', 'nul\0inside']
    for text in texts:
        conn.text(text)
    expected = ''.join(f'<{text}>\n'.replace('\0', ' ') for text in texts)
    assert loop.rest() == expected.encode()


def test_nul_delimited_input(pipe):
    loop, conn = pipe("printf 'one\\ntwo\\0three\\0\\0last' | socat -u - UNIX-CONNECT:b.sock; "
                      "socat -u UNIX-CONNECT:b.sock -", {'framing': 'lines', 'delimiter': '\0'})
    wait_until(lambda: len(conn.of(frames.TEXT)) == 4)
    assert [f.payload for f in conn.of(frames.TEXT)] == [b'one\ntwo', b'three', b'', b'last']

    def one_reads():
        conn.text('there\n')
        return select.select([loop.process.stdout], [], [], 0.1)[0]

    wait_until(one_reads)
    loop.rest()


@pytest.mark.parametrize('data', ['string', 'inline'])
def test_jq(pipe, data):
    value = {'string': '.data | fromjson', 'inline': '.data'}[data]
    select = f'select(.type == "text") | [.seq, ({value} | .a)]'
    loop, conn = pipe(f"socat -u UNIX-CONNECT:b.sock - | jq --unbuffered -c '{select}'",
                      {'framing': 'json', 'data': data})
    for i, a in enumerate([1, 'zwei\n€', None, [3, {'four': 5.5}]], 1):
        conn.text(json.dumps({'a': a}, ensure_ascii=False))
        assert json.loads(loop.line()) == [i, a]
    loop.rest()


def test_jq_writes_records(pipe):
    loop, conn = pipe("jq -c -n '{type: \"json\", data: {op: \"subscribe\", args: [1, \"zwei\"]}, id: 1}' | "
                      "socat - UNIX-CONNECT:b.sock | jq --unbuffered -c .", {'framing': 'json'})
    assert json.loads(loop.line()) == {'type': 'ack', 'id': 1}
    wait_until(lambda: conn.frames)
    assert conn.frames[0].payload == b'{"op":"subscribe","args":[1,"zwei"]}'
    loop.process.kill()


# Length ---------------------------------------------------------------------

MESSAGES = [(TEXT, b''), (BINARY, b''), (TEXT, b'one\ntwo\0three\r'), (TEXT, 'grüße'.encode()),
            (BINARY, bytes(range(256))), (BINARY, b'\xff\n' * 100000), (TEXT, b'x' * 70000)]


def test_length_loses_nothing(serve):
    daemon, _, _ = serve(echo, {'framing': 'length'})
    client = attach(daemon, kind=LengthClient)
    for message in MESSAGES:
        client.write(*message)
    assert [client.record() for _ in MESSAGES] == MESSAGES
    # Byte by byte, and two at once.
    for byte in b'\0\0\0\2\1hi':
        client.send(bytes([byte]))
    client.send(b'\0\0\0\1\2\0' * 2)
    assert [client.record() for _ in range(3)] == [(TEXT, b'hi'), (BINARY, b'\0'), (BINARY, b'\0')]
    client.close()


def test_length_refuses_and_goes_on(serve):
    daemon, _, conn = serve(echo, {'framing': 'length'}, max_message=1000)
    client = attach(daemon, kind=LengthClient)
    for kind, payload in [(TEXT, b'\xff'), (3, b'what'), (0, b''), (TEXT, b'x' * 1001), (BINARY, b'x' * 100000)]:
        client.write(kind, payload)
        client.write(TEXT, b'next')
        assert client.record() == (TEXT, b'next')
    assert daemon.status('b')['refused'] == 5
    # What makes no sense at all is no framing of ours.
    client.send(b'GET / HTTP/1.1\r\nHost: x\r\n\r\n' * 100)
    assert client.record() is None
    assert daemon.status('b')['refused'] == 6
    daemon.wait_status('b', lambda b: b['clients'] == [])
    assert len(conn.of(frames.TEXT)) == 5
    client.close()


# Raw ------------------------------------------------------------------------


def read_all(client, n):
    data = b''
    while len(data) < n and (more := client.socket.recv(1 << 20)):
        data += more
    return data


@pytest.mark.parametrize('send_as, opcode', [('binary', frames.BINARY), ('text', frames.TEXT)])
def test_raw_is_a_stream(serve, send_as, opcode):
    daemon, _, conn = serve(echo, {'framing': 'raw', 'send_as': send_as})
    client = attach(daemon, kind=LineSocket)
    data = 'a€\n\0ü😀'.encode() * 5000
    cuts = [1, 2, 3, 4, 5, 1000, 1001, 30000, len(data)]
    start = 0
    for cut in cuts:
        client.send(data[start:cut])
        start = cut
    assert read_all(client, len(data)) == data
    assert {f.opcode for f in conn.frames} <= {opcode, frames.CONTINUATION}
    # Texts are cut between characters only.
    if send_as == 'text':
        messages = b''.join(f.payload + (b'\xff' if f.fin else b'') for f in conn.frames).split(b'\xff')
        assert all(m.decode() for m in messages if m)


def test_raw_keeps_half_a_character_for_the_rest_of_it(serve):
    daemon, _, conn = serve(endpoint={'framing': 'raw', 'send_as': 'text'})
    client = attach(daemon, kind=LineSocket)
    for i in range(3):
        client.send('a😀'.encode()[:3])
        wait_until(lambda i=i: len(conn.frames) == 2 * i + 1)
        client.send('😀b'.encode()[2:])
        wait_until(lambda i=i: len(conn.frames) == 2 * i + 2)
    assert [f.payload.decode() for f in conn.frames] == ['a', '😀b'] * 3
    client.send('😀'.encode()[:3])
    client.half_close()
    daemon.wait_status('b', lambda b: b['refused'] == 1)


# All at once ----------------------------------------------------------------


def test_several_framings_on_one_bridge(wsbridged, dumb_server):
    server = dumb_server()
    endpoints = {name: {'unix': f'$DIR/{name}.sock', **options} for name, options in {
        'lines': {}, 'nul': {'delimiter': '\0'}, 'escape': {'newlines': 'escape', 'binary': 'hex'},
        'json': {'framing': 'json', 'events': []}, 'inline': {'framing': 'json', 'data': 'inline', 'events': []},
        'length': {'framing': 'length'}, 'raw': {'framing': 'raw'},
        'packets': {'type': 'seqpacket'}, 'objects': {'type': 'seqpacket', 'framing': 'json', 'events': []}}.items()}
    daemon = wsbridged({'b': {'url': server.url(), 'endpoints': list(endpoints.values())}})
    daemon.wait_open()
    conn = server.wait_connection()
    kinds = {'json': JsonClient, 'inline': JsonClient, 'length': LengthClient, 'packets': PacketClient,
             'objects': PacketClient, 'nul': lambda path: LineSocket(path, b'\0')}
    clients = {name: kinds.get(name, LineSocket)(daemon.path(f'{name}.sock')) for name in endpoints}
    daemon.wait_status('b', lambda b: len(b['clients']) == len(clients))
    for _ in range(200):
        conn.send(frames.text('{"a":\n1}') + frames.frame(frames.BINARY, b'\0\n'))
    for _ in range(200):
        assert clients['lines'].lines(2) == [b'{"a": 1}', b'AAo=']
        assert clients['nul'].lines(2) == [b'{"a":\n1}', b'AAo=']
        assert clients['escape'].lines(2) == [b'{"a":\\n1}', b'000a']
        assert [r['data'] for r in clients['json'].records(2)] == ['{"a":\n1}', 'AAo=']
        assert [r['data'] for r in clients['inline'].records(2)] == [{'a': 1}, 'AAo=']
        assert [clients['length'].record() for _ in range(2)] == [(TEXT, b'{"a":\n1}'), (BINARY, b'\0\n')]
        assert [clients['packets'].packet() for _ in range(2)] == [b'{"a":\n1}', b'AAo=']
        assert [json.loads(clients['objects'].packet())['data'] for _ in range(2)] == ['{"a":\n1}', 'AAo=']
    assert read_all(clients['raw'], 200 * 10) == b'{"a":\n1}\0\n' * 200
    # And each sends in its own.
    for name, data in {'lines': b'lines\n', 'nul': b'n\nul\0', 'escape': b'es\\ncape\n',
                       'json': b'{"type":"text","data":"json"}\n', 'length': b'\0\0\0\6\1length', 'raw': b'raw',
                       'packets': b'pac\nkets',
                       'objects': b'{"type":"json","data":[1]}'}.items():
        seen = len(conn.frames)
        clients[name].send(data)
        wait_until(lambda seen=seen: len(conn.frames) > seen)
    assert [f.payload for f in conn.frames] == [b'lines', b'n\nul', b'es\ncape', b'json', b'length', b'raw',
                                                b'pac\nkets', b'[1]']
    for client in clients.values():
        client.close()
