# SPDX-License-Identifier: Apache-2.0
"""
`wsbridge connect` beside wsdump of websocket-client: the same server, the same input, and the same
comes out, switch by switch. wsdump has -r everywhere, for otherwise it writes for a terminal. What
differs on purpose is at the end, each difference with its test; wsbridge(1) lists them.
"""

import concurrent.futures
import gzip
import re
import shutil
import subprocess
import time
import zlib

import pytest

import frames
from dumb_server import echo
from harness import WRAPPER, programs, slack
from scripted import connect_proxy


def run(argv, data):
    return subprocess.run(argv, input=data, capture_output=True, timeout=slack(20), check=False)


@pytest.fixture
def both():
    """
    both(url, theirs, ours, data): how wsdump ended, and we, which had these switches and this input.
    Side by side also in time, for wsdump waits a second at least.
    """
    if shutil.which('wsdump') is None:
        pytest.skip('wsdump not found: apt-get install python3-websocket')

    def start(url, theirs, ours, data=b'hello\ngr\xc3\xbc\xc3\x9fe\n', eof_wait='1'):
        last = ['--eof-wait', eof_wait, url]
        with concurrent.futures.ThreadPoolExecutor() as pool:
            dumped = pool.submit(run, ['wsdump', '-r', *theirs, *last], data)
            shown = pool.submit(run, [*WRAPPER, programs.wsbridge, 'connect', '-r', *ours, *last], data)
            return dumped.result(), shown.result()
    return start


@pytest.fixture
def written(both):
    """The same, but only what they wrote; both have ended well."""
    def start(*args, **options):
        done = both(*args, **options)
        assert [one.returncode for one in done] == [0, 0], [one.stderr.decode() for one in done]
        return tuple(one.stdout for one in done)
    return start


@pytest.mark.parametrize('theirs, ours', [
    ([], []),
    (['--raw', '-v', '1'], ['--raw', '-v']),
    (['-v'], ['-v']),
    (['-t', 'first'], ['-t', 'first']),
    (['--text', 'gr\u00fc\u00dfe'], ['--text', 'gr\u00fc\u00dfe']),
    (['--text', 'first', '--verbose', '1'], ['--text', 'first', '--verbose']),
])
def test_output(written, server, theirs, ours):
    dumped, shown = written(server.url(), theirs, ours)
    assert b'hello' in dumped
    # wsdump ends without a closing handshake, so it has no Close to tell of.
    assert shown.removesuffix(b'close: 1000\n') == dumped


def test_timings(written, server):
    for one in written(server.url(), ['--timings'], ['--timings'], b'hello\n'):
        assert re.fullmatch(rb'\d+\.\d+(e-\d+)?: hello\n', one)
    for one in written(server.url(), ['--timings', '-v', '1'], ['--timings', '-v'], b'hello\n'):
        assert re.match(rb'\d+\.\d+(e-\d+)?: text: hello\n', one)


def test_eof_wait(written, dumb_server):
    """An answer that comes while it waits is written, and it waits no longer than that."""
    def late(conn):
        conn.upgrade()
        conn.frame()
        time.sleep(0.3)
        conn.text('late')
        try:
            conn.drain_to_close()
            conn.send(frames.close(1000))
        except EOFError:
            pass  # wsdump says nothing

    began = time.monotonic()
    dumped, shown = written(dumb_server(late).url(), [], [], b'x\n', eof_wait='1')
    assert dumped == shown == b'late\n'
    assert 1 <= time.monotonic() - began < slack(5)


def test_without_eof_wait_nobody_waits_for_answers(written, dumb_server):
    """0 is what wsdump does by itself; wsbridge waits a second then."""
    def silent(conn):
        conn.upgrade()
        conn.frame()
        try:
            conn.drain_to_close()
            conn.send(frames.close(1000))
        except EOFError:
            pass

    began = time.monotonic()
    assert written(dumb_server(silent).url(), [], [], b'x\n', eof_wait='0') == (b'', b'')
    assert time.monotonic() - began < slack(4)


def sections(trace):
    """Of -vv: request line, names of the request's headers, the response's lines, and the frames sent."""
    lines = [line.rstrip('\r') for line in trace.decode().splitlines()]
    response = lines.index('--- response header ---')
    request = [line for line in lines[1:response] if line and not line.startswith('---')]
    end = lines.index('-----------------------', response)
    names = {line.partition(':')[0].lower() for line in request[1:]}
    answer = [line for line in lines[response + 1:end]
              if not line.startswith(('Sec-WebSocket-Accept', 'Sec-WebSocket-Extensions'))]
    sent = [line for line in lines[end:] if re.match(r'\+\+Sent.*fin=1 opcode=(1|text)\b', line)]
    assert lines[0] == '--- request header ---' and '-----------------------' in lines[:response]
    return request[0], names, answer, len(sent)


@pytest.mark.parametrize('theirs', [['-v', '2'], ['-vv'], ['-v', 'v']])
def test_trace(both, server, theirs):
    """The same sections in the same order; how a frame looks is another thing. wsdump cannot compress."""
    dumped, shown = both(server.url('/path'), theirs, ['-vv', '-o', 'compression=false'])
    theirs, ours = sections(dumped.stderr), sections(shown.stderr)
    assert theirs[0] == ours[0] == 'GET /path HTTP/1.1'
    # Who says nothing has the origin of the server there; and names itself here.
    assert theirs[1] - {'origin'} == ours[1] - {'user-agent'}
    assert [x for x in theirs[2] if not x.startswith('Date:')] == [x for x in ours[2] if not x.startswith('Date:')]
    assert theirs[3] == ours[3] == 2
    assert shown.stdout.removesuffix(b'close: 1000\n') == dumped.stdout == b'text: hello\ntext: gr\xc3\xbc\xc3\x9fe\n'


@pytest.mark.parametrize('theirs, ours', [('-o', '--origin'), ('--origin', '--origin')])
def test_origin(written, dumb_server, theirs, ours):
    server = dumb_server(echo)
    written(server.url(), [theirs, 'http://origin.test'], [ours, 'http://origin.test'])
    assert [conn.header('origin') for conn in server.connections] == ['http://origin.test'] * 2


def test_what_the_server_sees(written, dumb_server):
    def script(conn):
        conn.upgrade(Sec_WebSocket_Protocol='b')
        while (f := conn.frame()).opcode == frames.TEXT:
            conn.text(f.payload.decode())
        conn.send(frames.close(1000))

    server = dumb_server(script)
    theirs = ['-s', 'a', 'b', '-o', 'http://origin.test', '--headers', 'X-One: 1,X-Two: 2']
    ours = ['-s', 'a', '-s', 'b', '--origin', 'http://origin.test', '-H', 'X-One: 1', '-H', 'X-Two: 2']
    dumped, shown = written(server.url('/path?q=1'), theirs, ours)
    assert dumped == shown
    names = ('sec-websocket-protocol', 'origin', 'x-one', 'x-two')
    seen = [[conn.header(name).replace(' ', '') for name in names] for conn in server.connections]
    assert seen[0] == seen[1]
    assert {conn.request.split(b'\r\n')[0] for conn in server.connections} == {b'GET /path?q=1 HTTP/1.1'}


@pytest.mark.parametrize('switch', ['-n', '--nocert'])
def test_nocert(written, scripted, certs, switch):
    server = scripted(echo, cert=certs['unknown CA'])
    dumped, shown = written(server.url(), [switch], [switch])
    assert dumped == shown != b''


def test_without_nocert(both, scripted, certs):
    server = scripted(echo, cert=certs['unknown CA'])
    dumped, shown = both(server.url(), [], [])
    assert b'CERTIFICATE_VERIFY_FAILED' in dumped.stderr and (dumped.stdout, dumped.returncode) == (b'', 1)
    assert (shown.stdout, shown.returncode) == (b'', 7) and b'certificate' in shown.stderr


@pytest.mark.parametrize('switch', ['-p', '--proxy'])
def test_proxy(written, dumb_server, scripted, switch):
    server = dumb_server(echo)
    proxy = scripted(connect_proxy(target=('127.0.0.1', server.port)))
    words = [switch, f'http://127.0.0.1:{proxy.port}']
    dumped, shown = written('ws://nowhere.test/', words, words)
    assert dumped == shown != b''
    assert len(proxy.connections) == 2


# Other on purpose -----------------------------------------------------------


def sends(*all_frames):
    """A server that sends these and closes with 1000."""
    def script(conn):
        conn.upgrade()
        conn.send(b''.join(all_frames) + frames.close(1000))
        conn.drain_to_close()
    return script


def deflated(data):
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize('payload, dumped', [
    (b'\xff\x00', b"b'\\xff\\x00'\n"), (gzip.compress(b'packed', mtime=0), b'[gzip] packed\n'),
    (deflated(b'packed'), b'[zlib] packed\n'),
])
def test_binary_messages_are_bytes(written, dumb_server, payload, dumped):
    """wsdump writes what Python writes, and unpacks what looks packed."""
    theirs, ours = written(dumb_server(sends(frames.frame(frames.BINARY, payload))).url(), [], [], b'')
    assert (theirs, ours) == (dumped, payload + b'\n')


def test_pings_are_no_messages(written, dumb_server):
    """wsdump writes their payload among the messages, without -v, too."""
    script = sends(frames.frame(frames.PING, b'data'), frames.text('t'))
    assert written(dumb_server(script).url(), [], [], b'') == (b"b'data'\nt\n", b't\n')
    dumped, shown = written(dumb_server(script).url(), ['-v', '1'], ['-v'], b'')
    assert dumped == b"ping: b'data'\ntext: t\nclose: None\n"
    assert shown == b'ping: data\ntext: t\nclose: 1000\n'


def test_a_message_is_whole(written, dumb_server):
    """wsdump writes each fragment for itself."""
    script = sends(frames.frame(frames.TEXT, b'one ', fin=False), frames.frame(frames.CONTINUATION, b'two'))
    dumped, shown = written(dumb_server(script).url(), [], [], b'')
    assert dumped == b"one \nb'two'\n" and shown == b'one two\n'


def test_the_end_is_told(both, dumb_server):
    """In a sentence, and in the exit status why; wsdump ends with Python's traceback and always with 1."""
    def refuse(conn):
        conn.upgrade(status='HTTP/1.1 403 Forbidden')

    dumped, shown = both(dumb_server(refuse).url(), [], [])
    assert dumped.returncode == 1 and dumped.stderr.startswith(b'Traceback')
    assert (shown.returncode, shown.stdout) == (7, b'')
    assert len(shown.stderr.splitlines()) == 1 and b'403' in shown.stderr


def test_who_closes_says_so(written, dumb_server):
    """wsdump drops the connection."""
    server = dumb_server(echo)
    written(server.url(), [], [], b'x\n')
    assert {conn.close and conn.close.code for conn in server.connections} == {None, 1000}
