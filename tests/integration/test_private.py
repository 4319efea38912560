# SPDX-License-Identifier: Apache-2.0
"""Private bridges: each local client and its upstream connection are a pair, from beginning to end."""

import os
import signal
import subprocess
import threading

import pytest

import external
import frames
from dumb_server import echo, serve_quietly
from harness import free_port, slack, wait_until
from records import JsonClient
from scripted import answer, drop


@pytest.fixture
def private(wsbridged, dumb_server):
    """private(script, endpoint={...}, ...): the daemon with the private bridge "b", and its server."""
    def start(script=echo, endpoint=None, **options):
        server = dumb_server(script)
        daemon = wsbridged({'b': {'url': server.url(), 'sharing': 'private', 'endpoint': endpoint or {}, **options}})
        return daemon, server
    return start


@pytest.fixture
def external_program(folder):
    """external_program(make, ...): what make(folder, ...) gives, a program and its port; the port."""
    made = []

    def start(make, *args):
        program, port = make(folder, *args)
        made.append(program)
        return port

    yield start
    for one in made:
        one.stop()


def read_to_end(client):
    data = b''
    while more := client.socket.recv(1 << 20):
        data += more
    return data


# Pairs ----------------------------------------------------------------------


def test_nobody_sees_what_others_send(private):
    daemon, server = private()
    assert daemon.status('b')['state'] == 'idle' and not server.connections
    clients = [daemon.client('b') for _ in range(10)]
    for i, client in enumerate(clients):
        client.send(f'{i}\n' * 3)
    for i, client in enumerate(clients):
        assert client.lines(3) == [b'%d' % i] * 3
    assert all(client.silent(0.02) for client in clients)
    assert len(server.connections) == 10
    bridge = daemon.status('b')
    assert len(bridge['clients']) == 10 and {c['state'] for c in bridge['clients']} == {'open'}
    for client in clients:
        client.close()
    wait_until(lambda: all(c.ended for c in server.connections))
    assert {c.close.code for c in server.connections} == {1000}
    assert daemon.wait_state('b', 'idle')['clients'] == []


def test_a_client_that_leaves_ends_its_connection_only(private):
    daemon, server = private()
    first, second = daemon.client('b'), daemon.client('b')
    server.wait_connection(2)
    first.send('a\n')
    second.send('b\n')
    assert (first.line(), second.line()) == (b'a', b'b')
    first.close()
    wait_until(lambda: sum(bool(c.close) for c in server.connections) == 1)
    second.send('c\n')
    assert second.line() == b'c'


def test_what_is_written_first_waits_for_the_connection(private):
    opened = threading.Event()

    def late(conn):
        opened.wait(slack(20))
        echo(conn)

    daemon, _ = private(late)
    with daemon.client('b') as client:
        client.send(''.join(f'{i}\n' for i in range(5000)))
        daemon.wait_status('b', lambda b: b['clients'] and b['clients'][0]['state'] == 'connecting')
        opened.set()
        assert client.lines(5000) == [b'%d' % i for i in range(5000)]


@pytest.mark.parametrize('count', [0, 1, 1000])
def test_what_a_client_wrote_before_it_left_is_sent(private, count):
    """Also if the connection was not there yet: printf ... | socat -u - UNIX-CONNECT:..."""
    opened = threading.Event()

    def late(conn):
        opened.wait(slack(20))
        serve_quietly(conn)

    daemon, server = private(late)
    with daemon.client('b') as client:
        client.send(''.join(f'{i}\n' for i in range(count)))
    conn = server.wait_connection()
    opened.set()
    wait_until(lambda: conn.ended)
    assert [f.payload for f in conn.of(frames.TEXT)] == [b'%d' % i for i in range(count)]
    assert conn.close.code == 1000
    assert daemon.wait_state('b', 'idle')['clients'] == []


def test_half_close_sends_everything_and_gets_every_answer(private):
    """Then the connection is closed with 1000, and the client gets its end."""
    daemon, server = private(linger=0.4)
    with daemon.client('b') as client:
        client.send(''.join(f'{i}\n' for i in range(20000)) + 'no newline')
        client.half_close()
        lines = client.rest_of_lines()
    assert lines == [b'%d' % i for i in range(20000)] + [b'no newline']
    conn = server.connections[0]
    assert (conn.close.code, conn.frames[-1]) == (1000, conn.close)


def test_the_servers_end_comes_before_linger(private):
    def script(conn):
        conn.upgrade()
        while conn.frame().payload != b'quit':
            pass
        conn.send(frames.text('bye') + frames.close(1000))
        conn.frame()

    daemon, _ = private(script, linger='1h')
    with daemon.client('b') as client:
        client.send('hello\nquit\n')
        client.half_close()
        assert client.rest_of_lines() == [b'bye']
    daemon.wait_status('b', lambda b: b['clients'] == [])


@pytest.mark.parametrize('end', ['close', 'cut'])
def test_the_servers_end_closes_the_client(private, end):
    """It gets what came before, also if it reads late, and there is no second attempt."""
    many = b''.join(frames.text(f'{i} ' + 'x' * 1000) for i in range(500))

    def script(conn):
        conn.upgrade()
        conn.frame()
        conn.send(many)
        if end == 'close':
            conn.send(frames.close(1000))
            conn.drain_to_close()

    daemon, server = private(script, {'queue': '4M'})
    with daemon.client('b') as client:
        client.send('go\n')
        wait_until(lambda: daemon.status('b')['rx']['messages'] == 500 or not daemon.status('b')['clients'])
        lines = client.rest_of_lines()
    assert [int(line.split()[0]) for line in lines] == list(range(500))
    assert len(server.connections) == 1


def test_a_client_that_does_not_take_its_answers(private):
    """With overflow block the server waits for it, as with any stream; nothing is lost."""
    many = b''.join(frames.frame(frames.BINARY, b'%06d' % i * 200) for i in range(20000))

    def script(conn):
        conn.upgrade()
        conn.send(many)
        conn.send(frames.close(1000))
        conn.drain_to_close()

    daemon, _ = private(script, {'framing': 'raw', 'overflow': 'block', 'queue': '64K'},
                        ping={'interval': 0.1, 'timeout': 0.2})
    with daemon.client('b') as client:
        daemon.wait_status('b', lambda b: b['clients'] and b['clients'][0]['slow'])
        assert daemon.status('b')['rx']['messages'] < 20000
        assert read_to_end(client) == b''.join(b'%06d' % i * 200 for i in range(20000))
    assert daemon.status('b')['dropped'] == 0


@pytest.mark.parametrize('script', [answer('503 Busy'), answer('404 Not Found'), lambda conn: conn.reset()])
def test_a_dial_that_fails_ends_the_client(private, script):
    daemon, server = private(script, reconnect={'initial': 0.01, 'max': 0.01})
    with daemon.client('b') as client:
        client.send('lost\n')
        assert client.line() is None
    # The next client is a new attempt.
    with daemon.client('b') as client:
        assert client.line() is None
    assert len(server.connections) == 2


def test_a_dial_that_fails_is_told_in_json(wsbridged, dumb_server):
    refused = {'url': f'ws://127.0.0.1:{free_port()}/', 'sharing': 'private', 'endpoint': {'framing': 'json'}}
    server = dumb_server(answer('403 Forbidden'))
    daemon = wsbridged({'b': refused, 'c': {**refused, 'url': server.url()}})
    with JsonClient(daemon.path('b.sock')) as client:
        record = client.record()
        assert (record['type'], record['error']['kind'], record['error']['stage']) == ('error', 'connect', 'connect')
        assert client.record() is None
    with JsonClient(daemon.path('c.sock')) as client:
        error = client.record()['error']
        assert (error['kind'], error['status']) == ('bad_status', 403)
        assert client.record() is None


def test_json_in_private(private):
    daemon, server = private(endpoint={'framing': 'json'})
    for _ in range(2):
        with JsonClient(daemon.path('b.sock')) as client:
            opened = client.record()
            assert (opened['type'], opened['epoch']) == ('open', 1)
            client.write(type='text', data='x', id=1)
            assert sorted(r['type'] for r in client.records(2)) == ['ack', 'text']
            client.write(type='close', code=4000, reason='enough')
            closed = client.record_of('close')
            assert (closed['code'], closed['clean'], closed['retry_in']) == (4000, True, None)
            assert client.record() is None
    assert [c.close.code for c in server.connections] == [4000, 4000]


def test_a_private_client_that_dies_inside_a_message(private):
    daemon, server = private(serve_quietly, {'framing': 'json'})
    with JsonClient(daemon.path('b.sock')) as other:
        other.record_of('open')
        with JsonClient(daemon.path('b.sock')) as client:
            client.record_of('open')
            client.write(type='text', data='half', fin=False, id=1)
            assert client.record()['type'] == 'ack'
        wait_until(lambda: server.connections[1].ended)
        other.write(type='text', data='whole', id=2)
        assert other.record()['type'] == 'ack'
    assert not server.connections[1].of(frames.CONTINUATION)


def test_on_open_is_for_each(private):
    daemon, server = private(on_open=['hello'])
    for _ in range(3):
        with daemon.client('b') as client:
            client.send('x\n')
            assert client.lines(2) == [b'hello', b'x']
    for conn in server.connections:
        assert [f.payload for f in conn.of(frames.TEXT)] == [b'hello', b'x']


def test_many_that_come_and_go(private):
    daemon, server = private(linger=0.2)
    with daemon.client('b') as client:
        client.send('warm\n')
        assert client.line() == b'warm'
    wait_until(lambda: server.connections[0].ended)
    daemon.wait_status('b', lambda b: b['clients'] == [])
    before = daemon.n_fds()
    for _ in range(3):
        clients = [daemon.client('b') for _ in range(12)]
        for i, client in enumerate(clients):
            client.send('x\n' * (i % 4))
            if i % 3 == 0:
                client.half_close()
            if i % 3 == 1:
                client.close()
        for i, client in enumerate(clients):
            if i % 3 == 0:
                assert client.rest_of_lines() == [b'x'] * (i % 4)
            client.close()
    daemon.wait_status('b', lambda b: b['clients'] == [])
    wait_until(lambda: daemon.n_fds() <= before, what=f'{before} descriptors again')


def test_stop_ends_pairs_with_1001(private):
    daemon, server = private()
    with daemon.client('b') as client:
        client.send('x\n')
        assert client.line() == b'x'
        assert daemon.stop() == 0
        assert client.line() is None
    assert server.connections[0].close.code == 1001


def test_a_pair_that_is_cut_leaves_the_others(private):
    daemon, server = private()
    first, second = daemon.client('b'), daemon.client('b')
    for client in (first, second):
        client.send('x\n')
        assert client.line() == b'x'
    drop(server.connections[0])
    ended = first if server.connections[0].of(frames.TEXT) and not first.silent(0.2) else second
    other = second if ended is first else first
    assert ended.line() is None
    other.send('y\n')
    assert other.line() == b'y'


# Real programs --------------------------------------------------------------


def run(daemon, line, **options):
    return subprocess.run(['sh', '-c', line], cwd=daemon.folder, capture_output=True, timeout=slack(20), check=True,
                          **options).stdout


@pytest.fixture
def mqtt(wsbridged, external_program):
    port = external_program(external.mosquitto)
    return wsbridged({'mqtt': {'url': f'ws://127.0.0.1:{port}/mqtt', 'subprotocols': ['mqtt'], 'sharing': 'private',
                               'linger': 0.2, 'endpoint': {'framing': 'raw'}}})


def subscriber(daemon, *words):
    return subprocess.Popen([external.find('mosquitto_sub', 'mosquitto-clients'), '--unix', 'mqtt.sock', *words],
                            cwd=daemon.folder, stdout=subprocess.PIPE)


def subscribed(daemon, count):
    """So many subscribers have sent CONNECT and SUBSCRIBE, and had both answers."""
    daemon.wait_status('mqtt', lambda b: sum(c['sent'] >= 2 for c in b['clients']) == count)


def test_mosquitto(mqtt):
    one = subscriber(mqtt, '-t', 'test/#', '-q', '1', '-C', '4', '-F', '%t %p')
    two = subscriber(mqtt, '-t', 'other', '-C', '1')
    subscribed(mqtt, 2)
    pub = external.find('mosquitto_pub', 'mosquitto-clients') + ' --unix mqtt.sock'
    run(mqtt, f'{pub} -t test/a -m "hello world" -q 2')
    run(mqtt, f'{pub} -t other -m "not for one"')
    run(mqtt, f'printf "line 1\\nline 2\\n" | {pub} -t test/b -l -q 1')
    run(mqtt, f'head -c 20000 /dev/zero | tr "\\0" z | {pub} -t test/big -s -q 1')
    out, _ = one.communicate(timeout=slack(20))
    assert out == b'test/a hello world\ntest/b line 1\ntest/b line 2\ntest/big ' + b'z' * 20000 + b'\n'
    assert two.communicate(timeout=slack(20))[0] == b'not for one\n'
    mqtt.wait_status('mqtt', lambda b: b['clients'] == [])


def test_a_broker_that_goes_ends_its_subscribers(wsbridged, folder):
    program, port = external.mosquitto(folder)
    try:
        daemon = wsbridged({'mqtt': {'url': f'ws://127.0.0.1:{port}/mqtt', 'subprotocols': ['mqtt'],
                                     'sharing': 'private', 'endpoint': {'framing': 'raw'}}})
        sub = subscriber(daemon, '-t', 'x', '-E')
        assert sub.wait(slack(20)) == 0
        sub = subscriber(daemon, '-t', 'x')
        subscribed(daemon, 1)
    finally:
        program.stop()
    daemon.wait_status('mqtt', lambda b: b['clients'] == [] or b['clients'][0]['state'] != 'open')
    sub.send_signal(signal.SIGKILL)
    sub.communicate()


@pytest.fixture
def tunnel(wsbridged, external_program):
    """tunnel(command): a private raw bridge to websockify before a TCP server that runs this command."""
    def start(command, **options):
        port = external_program(external.websockify, external_program(external.tcp_server, command))
        return wsbridged({'t': {'url': f'ws://127.0.0.1:{port}/', 'subprotocols': ['binary'], 'sharing': 'private',
                                'endpoint': {'framing': 'raw', 'overflow': 'block'}, **options}})
    return start


def test_netcat_through_websockify(tunnel):
    daemon = tunnel('cat', linger=0.5)
    nc = external.find('nc', 'netcat-openbsd')
    assert run(daemon, f"printf 'hello\\nworld' | {nc} -N -U t.sock") == b'hello\nworld'
    big = os.urandom(3 << 20)
    assert run(daemon, f'{nc} -N -U t.sock', input=big) == big
    daemon.wait_status('t', lambda b: b['clients'] == [])


def test_a_server_that_speaks_first_and_ends(tunnel):
    """As ssh and SMTP do; netcat ends because the server does."""
    daemon = tunnel("echo 220 hello; read -r line; echo \\\"250 $line\\\"")
    nc = external.find('nc', 'netcat-openbsd')
    with subprocess.Popen([nc, '-U', daemon.path('t.sock')], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as talk:
        assert talk.stdout.readline() == b'220 hello\n'
        talk.stdin.write(b'HELO me\n')
        talk.stdin.flush()
        assert talk.stdout.read() == b'250 HELO me\n'
        talk.stdin.close()
        assert talk.wait(slack(20)) == 0


def test_netcats_at_once(tunnel):
    daemon = tunnel('cat', linger=0.5)
    nc = external.find('nc', 'netcat-openbsd')
    talks = [subprocess.Popen([nc, '-N', '-U', daemon.path('t.sock')], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
             for _ in range(5)]
    for i, talk in enumerate(talks):
        talk.stdin.write(b'%d\n' % i * 1000)
        talk.stdin.close()
    for i, talk in enumerate(talks):
        assert talk.stdout.read() == b'%d\n' % i * 1000
        talk.stdout.close()
        assert talk.wait(slack(20)) == 0
