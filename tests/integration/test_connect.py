# SPDX-License-Identifier: Apache-2.0
"""`wsbridge connect` in a pipe: exact bytes, what ends it, and what it says then."""

import base64
import fcntl
import os
import re
import signal
import subprocess
import threading
import time

import pytest

import frames
from cli import CONNECTION, DONE, ERROR, NOT_OPEN, PAYLOAD, TIMEOUT, USAGE, fails, fails_usage
from dumb_server import echo
from harness import WRAPPER, free_port, programs, slack, wait_until
from scripted import answer, connect_proxy

SECRET = 'hunter2'


@pytest.fixture
def connect():
    """connect(url, *words, input=b''): runs it to its end; bytes in and out, the errors as text."""
    def run(url, *words, **options):
        argv = WRAPPER + [programs.wsbridge, 'connect', url, *words]
        if 'stdin' not in options:
            options.setdefault('input', b'')
        options.setdefault('stdout', subprocess.PIPE)
        done = subprocess.run(argv, stderr=subprocess.PIPE, timeout=slack(30), check=False, **options)
        done.stderr = done.stderr.decode()
        return done
    return run


@pytest.fixture
def talk():
    """talk(url, *words): a running one, with pipes."""
    running = []

    def start(url, *words, **options):
        argv = WRAPPER + [programs.wsbridge, 'connect', url, *words]
        running.append(subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, **options))
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            stream.close()


def end(process, status=DONE):
    """What it still writes, and what it complains of."""
    out, err = process.communicate(timeout=slack(20))
    assert process.returncode == status, err
    return out, err.decode()


def echoed(connect, url, data, *words):
    """What comes back. Not every server answers what it has read when it sees our Close, so all is waited for."""
    return good(connect(url, '--messages', str(data.count(b'\n')), *words, input=data))


def good(done):
    assert (done.returncode, done.stderr) == (DONE, '')
    return done.stdout


def complains(done, status, sentence):
    assert (done.returncode, done.stderr) == (status, f'wsbridge: connect: {sentence}\n')


# Bytes -----------------------------------------------------------------------


@pytest.mark.parametrize('data', [
    b'hello\n', b'\n', b'\n\n', 'grüße 世界 🎉\n'.encode(), b'a\x1b[2J\x00\x07\r\n', b'one\ntwo\nthree\n',
    b'\\x41\n',
])
def test_lines_come_back_as_they_were(connect, each_server, data):
    assert echoed(connect, each_server.url('/exact'), data) == data
    assert each_server.wait_event('close', path='/exact')['code'] == 1000


def test_the_last_line_needs_no_newline(connect, server):
    assert good(connect(server.url(), '--messages', '2', input=b'a\nb')) == b'a\nb\n'


def test_against_our_own_server(connect, echo_server):
    """It answers whatever came before our Close."""
    data = b'x' * 100 + b'\n'
    same = good(connect(echo_server.url + '/', '--eof-wait', '0', input=data * 10000)) == data * 10000
    assert same
    assert re.fullmatch(rb'(\{"n":\d+,"time":[\d.]+\}\n){3}',
                        good(connect(echo_server.url + '/ticker?interval=10ms', '--messages', '3')))


def test_a_hundred_thousand_lines_in_order(connect, each_server, tmp_path):
    lines = b''.join(b'%d\n' % i for i in range(100000))
    (tmp_path / 'in').write_bytes(lines)
    with open(tmp_path / 'in', 'rb') as given, open(tmp_path / 'out', 'wb') as out:
        connect(each_server.url(), '--messages', '100000', stdin=given, stdout=out)
    same = (tmp_path / 'out').read_bytes() == lines
    assert same


@pytest.mark.limit(90)
def test_sixteen_mebibytes(connect, server):
    line = b'0123456789abcdef' * (1 << 20) + b'\n'
    same = echoed(connect, server.url(), line) == line
    assert same


def test_binary_messages(connect, start_server):
    server = start_server()
    assert echoed(connect, server.url('/?log=1'), b'\xff\x00\nb\n', '-b') == b'\xff\x00\nb\n'
    assert [base64.b64decode(e['binary']) for e in server.select('message')] == [b'\xff\x00', b'b']


def test_a_stream_of_bytes(connect, echo_server):
    data = bytes(range(256)) * 4096
    same = good(connect(echo_server.url + '/', '--stream', '--eof-wait', '0', input=data)) == data
    assert same


def test_a_stream_has_no_newlines_but_its_own(connect, server):
    assert good(connect(server.url('/fragments'), '--stream', '-t', 'a', '-t', 'b', '--messages', '2')) == b'ab'


def test_in_a_pipe_raw_makes_no_difference(connect, server):
    assert echoed(connect, server.url(), b'a\x1b\nb\n', '-r') == b'a\x1b\nb\n'


@pytest.mark.parametrize('fragments', ['join', 'deliver'])
def test_fragments_are_one_line(connect, server, fragments):
    words = ['-o', f'fragments={fragments}']
    assert echoed(connect, server.url('/fragments?size=2'), b'abcde\nfg\n', *words) == b'abcde\nfg\n'


def test_a_line_that_is_no_utf8_ends_it(connect, start_server):
    server = start_server()
    done = connect(server.url('/silent?log=1'), input=b'a\n\xff\nb\n')
    complains(done, PAYLOAD, 'line 2 of standard input is not valid UTF-8 (--binary sends bytes as they are)')
    assert server.wait_event('close')['code'] == 1000
    assert [e['text'] for e in server.select('message')] == ['a']


# What is sent before, and when it closes ---------------------------------------


def test_texts_go_first(connect, server):
    words = ['-t', 'one', '--text', 'two', '--messages', '3']
    assert good(connect(server.url(), *words, input=b'three\n')) == b'one\ntwo\nthree\n'


def test_messages_are_enough(talk, start_server):
    server = start_server()
    process = talk(server.url('/enough'), '--messages', '2', '-t', 'a', '-t', 'b', '-t', 'c')
    assert end_with_open_input(process) == b'a\nb\n'
    assert server.wait_event('close', path='/enough')['code'] == 1000


def end_with_open_input(process):
    assert process.wait(slack(20)) == DONE
    return process.stdout.read()


def test_fewer_messages_than_asked_for(connect, server):
    done = connect(server.url('/close?code=1000'), '--messages', '2', input=b'x\n')
    complains(done, NOT_OPEN, 'the server closed the connection after 0 of 2 messages')


def test_with_messages_the_end_of_input_is_none(talk, start_server):
    server = start_server()
    process = talk(server.url('/silent'), '--messages', '1')
    process.stdin.close()
    server.wait_event('open')
    server.command(text='late')
    assert end_with_open_input(process) == b'late\n'


@pytest.mark.parametrize('words, seconds', [([], 1), (['--eof-wait', '0.3'], 0.3), (['--eof-wait', '0'], 0)])
def test_eof_wait(connect, server, words, seconds):
    began = time.monotonic()
    assert good(connect(server.url('/silent'), *words, input=b'x\n')) == b''
    assert seconds <= time.monotonic() - began < seconds + slack(0.7)


def test_eof_wait_with_messages_is_a_limit(connect, server):
    done = connect(server.url('/silent'), '--eof-wait', '100ms', '--messages', '1', input=b'x\n')
    complains(done, TIMEOUT, '--eof-wait was over after 0 of 1 messages')


def test_eof_wait_forever_and_an_interrupt(talk, start_server):
    server = start_server()
    process = talk(server.url('/silent'), '--eof-wait', 'forever')
    process.stdin.close()
    server.wait_event('open')
    server.command(text='later')
    assert process.stdout.readline() == b'later\n'
    process.send_signal(signal.SIGINT)
    assert process.wait(slack(10)) == DONE
    assert server.wait_event('close')['code'] == 1000


def test_answers_that_come_after_our_close_are_written(connect, dumb_server):
    def script(conn):
        conn.upgrade()
        conn.drain_to_close()
        conn.text('after')
        conn.send(frames.close(1000))

    assert good(connect(dumb_server(script).url(), '--eof-wait', '0', input=b'x\n')) == b'after\n'


# What ended it -----------------------------------------------------------------


def violate(conn):
    conn.upgrade()
    conn.send(b'\x83\x00')
    conn.drain()


def vanish(conn):
    conn.upgrade()
    conn.frame()


def close_with(code, reason=b''):
    def script(conn):
        conn.upgrade()
        conn.frame()
        conn.send(frames.close(code, reason))
        conn.drain_to_close()
    return script


@pytest.mark.parametrize('script, words, status, sentence', [
    (close_with(1000), [], DONE, None),
    (close_with(1001, b'away'), [], NOT_OPEN, 'the server closed the connection: 1001 away'),
    (close_with(4000, b'\x1b[1m'), [], NOT_OPEN, 'the server closed the connection: 4000 \\x1b[1m'),
    (vanish, [], NOT_OPEN, 'the server ended the connection without a Close frame'),
    (violate, [], CONNECTION, None),
    (answer(404), [], CONNECTION, None),
    (echo, ['-o', 'max_message=3'], PAYLOAD, None),
    (lambda conn: conn.drain(), ['-o', 'timeouts.open=0.2'], TIMEOUT, None),
])
def test_exit_status(talk, dumb_server, script, words, status, sentence):
    process = talk(dumb_server(script).url(), '-t', 'four', *words)
    process.wait(slack(20))
    out, err = end(process, status)
    assert out == b''
    assert err == '' if status == DONE else err.startswith('wsbridge: connect: ')
    assert sentence is None or err == f'wsbridge: connect: {sentence}\n'


def test_nobody_there_and_the_input_is_left_to_others():
    script = f'"$0" connect ws://127.0.0.1:{free_port()}/; echo "status $?"; cat'
    done = subprocess.run(['sh', '-c', script, programs.wsbridge], input=b'for cat\n', capture_output=True,
                          timeout=slack(20), check=False)
    assert done.stdout == b'status %d\nfor cat\n' % CONNECTION


@pytest.mark.parametrize('words, sentence', [
    (['--messages', '0'], '--messages: expected a number such as 1'),
    (['--stream', '-v'], '--stream adds nothing: -v and --timings mean nothing here'),
    (['--stream', '--timings'], '--stream adds nothing: -v and --timings mean nothing here'),
])
def test_bad_usage(wsbridge, words, sentence):
    fails_usage(wsbridge(None, 'connect', 'ws://h/', *words), f'connect: {sentence}', 'connect')


@pytest.mark.parametrize('words, sentence', [
    (['-H', f'no colon {SECRET}'], '-H: expected NAME:VALUE'),
    (['-H', f'a b: {SECRET}'], '-H: expected NAME:VALUE'),
    (['-o', 'url=ws://other/'], '-o url: the URL is on the command line already'),
])
def test_bad_options(wsbridge, words, sentence):
    fails(wsbridge(None, 'connect', 'ws://h/', *words), USAGE, f'connect: {sentence}')


def test_an_interrupt_while_it_connects(talk, dumb_server):
    server = dumb_server(lambda conn: conn.drain())
    process = talk(server.url())
    server.wait_connection()
    process.send_signal(signal.SIGINT)
    assert end(process, NOT_OPEN)[1] == 'wsbridge: connect: interrupted before it was open\n'


def test_two_interrupts_at_once_are_one(talk, server):
    process = talk(server.url('/two'), '-t', 'x')
    assert process.stdout.readline() == b'x\n'
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    assert end(process) == (b'', '')
    assert server.wait_event('close', path='/two')['code'] == 1000


def test_the_second_interrupt_does_not_wait(talk, dumb_server):
    def script(conn):
        conn.upgrade()
        conn.drain()

    server = dumb_server(script)
    process = talk(server.url(), '-t', 'x')
    conn = server.wait_connection()
    wait_until(lambda: conn.frames, what='the text')
    process.send_signal(signal.SIGTERM)
    wait_until(lambda: conn.close, what='the Close')
    time.sleep(0.4)  # two that come together count as one
    process.send_signal(signal.SIGTERM)
    assert process.wait(slack(3)) == NOT_OPEN
    assert end(process, NOT_OPEN)[1] == 'wsbridge: connect: interrupted\n'


# Standard output ----------------------------------------------------------------


@pytest.mark.parametrize('ignored', [False, True])
def test_nobody_reads(talk, server, ignored):
    """SIGPIPE ends it like any filter, but after the Close; where that is ignored, it is an error like any other."""
    process = talk(server.url('/nobody'), preexec_fn=lambda: signal.signal(signal.SIGPIPE, (
        signal.SIG_DFL, signal.SIG_IGN)[ignored]))
    process.stdout.close()
    process.stdout = open(os.devnull, 'rb')
    process.stdin.write(b'x\n')
    process.stdin.flush()
    assert process.wait(slack(20)) == (ERROR if ignored else -signal.SIGPIPE)
    assert process.stderr.read() == (b'wsbridge: connect: standard output: Broken pipe\n' if ignored else b'')
    assert server.wait_event('close', path='/nobody')['code'] == 1000


@pytest.mark.parametrize('closed, status, out, errors', [
    ('<&-', 0, b'x\n', b''), ('2>&-', 0, b'x\n', b''),
    ('>&-', 1, b'', b'wsbridge: connect: standard output: Bad file descriptor\n'),
])
def test_without_a_standard_descriptor(server, closed, status, out, errors):
    script = f'"$0" connect {server.url()} -t x --messages 1 {closed}; echo status $?'
    done = subprocess.run(['sh', '-c', script, programs.wsbridge], capture_output=True, timeout=slack(20), check=False)
    assert (done.stdout, done.stderr) == (out + f'status {status}\n'.encode(), errors)


def test_a_full_disk(connect, server):
    with open('/dev/full', 'wb') as full:
        done = connect(server.url(), '--messages', '1', input=b'x\n', stdout=full)
    complains(done, ERROR, 'standard output: No space left on device')


def test_a_slow_reader_stops_the_server(talk, dumb_server):
    piece, count = b'x' * 65535 + b'\n', 1024
    sent = []

    def script(conn):
        conn.upgrade()
        for _ in range(count):
            conn.send(frames.text(piece[:-1].decode()))
            sent.append(time.monotonic())
        serve_rest(conn)

    def serve_rest(conn):
        conn.drain_to_close()
        conn.send(frames.close(1000))

    process = talk(dumb_server(script).url(), '--messages', str(count))
    wait_until(lambda: sent and time.monotonic() - sent[-1] > 0.5, what='the server cannot go on')
    assert len(sent) < count // 2
    with open(f'/proc/{process.pid}/statm', encoding='ascii') as f:
        resident = int(f.read().split()[1]) * os.sysconf('SC_PAGESIZE')
    assert WRAPPER or slack(1) > 1 or resident < 32 << 20
    out, _ = end(process)
    same = out == piece * count
    assert same


def test_the_descriptors_of_others_are_left_as_they_are(talk, server):
    process = talk(server.url(), '-t', 'x')
    assert process.stdout.readline() == b'x\n'
    flags = [fcntl.fcntl(f, fcntl.F_GETFL) for f in (process.stdin, process.stdout)]
    theirs = []
    for fd in (0, 1):
        with open(f'/proc/{process.pid}/fdinfo/{fd}', encoding='ascii') as f:
            theirs.append(int(re.search(r'flags:\s+(\d+)', f.read())[1], 8))
    assert not any(f & os.O_NONBLOCK for f in flags + theirs)
    process.stdin.close()
    assert process.wait(slack(10)) == DONE


# The switches of wsdump -----------------------------------------------------------


def test_nocert(connect, scripted, certs):
    server = scripted(echo, cert=certs['unknown CA'])
    done = connect(server.url(), input=b'x\n')
    assert (done.returncode, done.stdout) == (CONNECTION, b'')
    assert good(connect(server.url(), '-n', '--eof-wait', '0', input=b'x\n')) == b'x\n'
    assert good(connect(server.url(), '--nocert', '-o', 'tls.verify=true', '--eof-wait', '0', input=b'x\n')) == b'x\n'


def test_what_the_server_sees(connect, start_server):
    server = start_server('websockets', '--subprotocols', 'b')
    good(connect(server.url(), '-H', 'X-One: 1: 2', '-H', 'X-Two:a', '--header', 'X-Two: b', '-s', 'a', '-s', 'b,c',
                 '--origin', 'https://example.net', '-o', 'user_agent=me', '--eof-wait', '0'))
    seen = server.wait_event('open')
    assert seen['subprotocol'] == 'b'
    for pair in (['X-One', '1: 2'], ['X-Two', 'a'], ['X-Two', 'b'], ['Origin', 'https://example.net'],
                 ['Sec-WebSocket-Protocol', 'a, b, c'], ['User-Agent', 'me']):
        assert seen['headers'].count(pair) == 1, (pair, seen)


def test_proxy(connect, dumb_server, scripted):
    server = dumb_server(echo)
    proxy = scripted(connect_proxy(target=('127.0.0.1', server.port)))
    words = ['-p', f'http://127.0.0.1:{proxy.port}']
    assert good(connect('ws://nowhere.test/', *words, '--eof-wait', '0', input=b'x\n')) == b'x\n'
    assert proxy.wait_connection().request.startswith(b'CONNECT nowhere.test:80 ')


def ping_and_close(conn):
    conn.upgrade()
    conn.send(frames.frame(frames.PING, b'p\x01') + frames.frame(frames.PONG, b''))
    conn.send(frames.frame(frames.BINARY, b'\xff') + frames.text('t') + frames.close(1000, b'bye'))
    conn.drain_to_close()


def test_verbose(connect, dumb_server):
    expected = b'ping: p\x01\npong: \nbinary: \xff\ntext: t\nclose: 1000 bye\n'
    assert good(connect(dumb_server(ping_and_close).url(), '-v', stdin=subprocess.DEVNULL)) == expected
    assert good(connect(dumb_server(ping_and_close).url(), stdin=subprocess.DEVNULL)) == b'\xff\nt\n'


def test_timings(connect, server):
    assert re.fullmatch(rb'\d\.\d{3}: x\n', echoed(connect, server.url(), b'x\n', '--timings'))
    assert re.fullmatch(rb'\d\.\d{3}: text: x\n\d\.\d{3}: close: 1000\n',
                        echoed(connect, server.url(), b'x\n', '--timings', '-v'))


def test_very_verbose(connect, dumb_server, tmp_path):
    (tmp_path / 'key').write_text(SECRET)
    server = dumb_server(echo)
    headers = f'headers={{"X-Key": {{"file": "{tmp_path}/key"}}, "X-Seen": "seen"}}'
    done = connect(server.url(f'/p?token={SECRET}'), '-vv', '-H', f'Authorization: Bearer {SECRET}', '-o', headers,
                   '--messages', '1', input=b'hello\n')
    assert (done.returncode, done.stdout) == (DONE, b'text: hello\nclose: 1000\n')
    assert server.wait_connection().request.decode().count(SECRET) == 3
    assert SECRET not in done.stderr
    lines = done.stderr.splitlines()
    assert lines[:2] == ['--- request header ---', 'GET /p?*** HTTP/1.1']
    for line in ('Upgrade: websocket', 'X-Key: ***', 'X-Seen: seen', 'Authorization: ***',
                 'HTTP/1.1 101 Switching Protocols'):
        assert line in lines
    assert lines[-4:] == ['++Sent: fin=1 opcode=text length=5', '++Rcv: fin=1 opcode=text length=5',
                          '++Sent: fin=1 opcode=close length=2', '++Rcv: fin=1 opcode=close length=2']


def test_a_refusal_is_traced(connect, dumb_server):
    done = connect(dumb_server(answer(403, 'X-Why: no')).url(), '-vv')
    assert done.returncode == CONNECTION
    assert '--- response header ---\nHTTP/1.1 403 Whatever\nX-Why: no\n' in done.stderr


def test_steps_and_pings_of_a_bridge(connect, dumb_server):
    def script(conn):
        conn.upgrade()
        assert conn.frame().payload == b'login'
        conn.text('ok')
        while not conn.of(frames.PING):
            conn.frame()
        conn.text('alive')
        conn.drain_to_close()
        conn.send(frames.close(1000))

    words = ['-o', 'on_open=["login", {"expect": {"contains": "ok"}}]', '-o', 'ping.interval=0.1', '--messages', '1']
    assert good(connect(dumb_server(script).url(), *words)) == b'alive\n'


def test_a_server_that_is_dead_is_noticed(connect, dumb_server):
    stop = threading.Event()

    def script(conn):
        conn.upgrade()
        stop.wait(slack(20))

    words = ['-o', 'ping.interval=0.1', '-o', 'ping.timeout=0.1', '--messages', '1']
    done = connect(dumb_server(script).url(), *words)
    stop.set()
    complains(done, TIMEOUT, 'no answer to a ping within 0.1s')
