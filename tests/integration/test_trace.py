# SPDX-License-Identifier: Apache-2.0
"""
`trace`: handshakes and the headers of frames in the log, of one bridge, for a while, from any
moment on, in step with the frames of both directions, and without what is secret.
"""

import json
import re
import threading
import time

import pytest

from dumb_server import echo
from fixtures import assert_little_memory
from harness import RpcError, wait_until

SECRET = 'k4n4r1'
FAST = {'reconnect': {'initial': 0.02, 'max': 0.05}}
OFF = 'trace: off, '
FRAME = re.compile(r'trace: (\+\+\w+: fin=\d opcode=\w+ length=\d+( compressed)?)$')


def traced(daemon, name='b'):
    """What the trace has said of this bridge, without time and object."""
    mark = f'bridge {name}: trace'
    return [line.split('trace', 1)[1].split(': ', 1)[1] for line in daemon.log_lines(mark)]


def frames(daemon):
    return [m[1] for m in map(FRAME.search, daemon.log_lines('trace: ++')) if m]


def wait_traced(daemon, *lines):
    wait_until(lambda: set(lines) <= set(traced(daemon)), what=f'the trace has {lines}')


@pytest.fixture
def one(wsbridged, each_server):
    daemon = wsbridged({'b': {'url': each_server.url(), **FAST}, 'c': {'url': each_server.url(), **FAST}})
    daemon.wait_open()
    return daemon


def test_frames(one):
    answer = one.call('trace', name='b')
    until = answer['traces'][0]['until']
    assert answer == {'traces': [{'name': 'b', 'until': until}]}
    assert 590 < until - time.time() < 602
    one.call('send', name='b', text='héllo')
    one.call('send', name='b', binary='AAEC')
    one.call('send', name='c', text='of another bridge')
    one.call('ping', name='b')
    wait_traced(one, '++Sent: fin=1 opcode=text length=6', '++Rcv: fin=1 opcode=text length=6',
                '++Sent: fin=1 opcode=binary length=3', '++Rcv: fin=1 opcode=binary length=3')
    assert re.search(r'\+\+Sent: fin=1 opcode=ping length=\d+', '\n'.join(traced(one)))
    assert re.search(r'\+\+Rcv: fin=1 opcode=pong length=\d+', '\n'.join(traced(one)))
    assert not traced(one, 'c') and not one.log_lines('llo')
    assert one.status('b')['trace'] == until == one.call('explain', name='b')['trace']
    assert one.status('c')['trace'] is None is one.call('explain', name='c')['trace']


def test_off(one):
    one.call('trace', name='b')
    one.call('trace', name='c')
    assert [t['name'] for t in one.call('trace')['traces']] == ['b', 'c']
    assert [t['name'] for t in one.call('trace', **{'for': 0, 'dry_run': True})['traces']] == ['b', 'c']
    assert [t['name'] for t in one.call('trace', name='b', **{'for': 0})['traces']] == ['c']
    one.log_contains('bridge b: ' + OFF + 'as asked for')
    one.call('send', name='b', text='x')
    one.call('send', name='c', text='y')
    wait_until(lambda: '++Rcv: fin=1 opcode=text length=1' in traced(one, 'c'))
    assert not [line for line in traced(one) if line.startswith('++')]
    assert one.call('trace', **{'for': 'off'}) == {'traces': []}
    one.log_contains('bridge c: ' + OFF + 'as asked for')
    assert one.status('b')['trace'] is None
    one.call('trace', name='b', **{'for': 'off'})  # is off already
    one.log_contains(OFF, 2)


def test_it_turns_itself_off(one):
    one.call('trace', name='b', **{'for': '1s'})
    assert one.status('b')['trace'] - time.time() <= 2
    one.call('send', name='b', text='x')
    wait_traced(one, '++Rcv: fin=1 opcode=text length=1')
    one.log_contains('bridge b: ' + OFF + 'its time is over')
    said = len(traced(one))
    assert one.call('trace') == {'traces': []}
    one.call('ping', name='b')
    one.call('reconnect', name='b')
    one.wait_status('b', lambda b: b['epoch'] == 2 and b['state'] == 'open')
    assert len(traced(one)) == said


def test_again_means_from_now_on(one):
    one.call('trace', name='b', **{'for': '1s'})
    until = one.call('trace', name='b', **{'for': '1h'})['traces'][0]['until']
    assert until - time.time() > 3500
    time.sleep(1.2)  # nothing may happen when the first time is over
    assert one.status('b')['trace'] == until
    assert not one.log_lines(OFF)


def test_it_survives_reconnects(one):
    one.call('trace', name='b')
    one.call('reconnect', name='b')
    one.wait_status('b', lambda b: b['epoch'] == 2 and b['state'] == 'open')
    one.call('send', name='b', text='x')
    wait_traced(one, '++Rcv: fin=1 opcode=text length=1')
    said = traced(one)
    at = said.index('--- request header ---')
    assert said[at + 1] == 'GET / HTTP/1.1'
    assert 'Sec-WebSocket-Version: 13' in said[at:]
    at = said.index('--- response header ---')
    assert said[at + 1].startswith('HTTP/1.1 101 ')
    assert said.index('++Sent: fin=1 opcode=text length=1') > at
    assert said.index('++Sent: fin=1 opcode=close length=2') < said.index('--- request header ---')


def test_it_survives_a_reload(one):
    with open(one.conf_path, encoding='utf-8') as f:
        config = json.load(f)
    until = one.call('trace', name='b')['traces'][0]['until']
    one.call('trace', name='c')
    del config['bridges']['c']
    config['bridges']['b']['headers'] = {'X-New': SECRET}  # this needs another connection
    one.write(config)
    one.call('reload')
    one.log_contains('bridge c: ' + OFF + 'the bridge is gone')
    wait_traced(one, 'X-New: ***')
    assert one.status('b')['trace'] == until
    assert SECRET not in one.log()


def test_refusals_and_attempts(wsbridged, scripted):
    def refuse(conn):
        conn.read_request()
        conn.send(b'HTTP/1.1 403 No\r\nX-Why: so\r\nContent-Length: 3\r\n\r\n\x81\x01x')

    server = scripted([refuse, refuse, echo])
    daemon = wsbridged({'b': {'url': server.url(), 'start': 'manual', **FAST}})
    daemon.call('trace', name='b')
    daemon.call('open', name='b')
    daemon.wait_open()
    said = traced(daemon)
    assert said.count('--- request header ---') == 3
    assert said.count('HTTP/1.1 403 No') == said.count('X-Why: so') == 2
    assert not [line for line in said if line.startswith('++')]


SIZES = (5, 300, 16000, 70000)


def check_step(daemon, seen):
    """Only what can be: the messages of feed_all, whole or in the frames that they are cut into."""
    for line in frames(daemon)[seen:]:
        way, fin, opcode, length = re.fullmatch(r'\+\+(\w+): fin=(\d) opcode=(\w+) length=(\d+)', line).groups()
        whole = fin == '1' and opcode == 'text' and int(length) in SIZES
        part = way == 'Sent' and opcode in ('text', 'cont') and int(length) <= 70000
        assert whole or part, line
    assert not daemon.log_lines('trace: ++Sent: a ') and not daemon.log_lines('trace: ++Rcv: a ')


def feed_all(client, stop):
    while not stop.is_set():
        for size in SIZES:
            client.send('x' * size + '\n')  # no frame begins with an x


def swallow_all(client):
    try:
        while client.socket.recv(1 << 20):
            pass
    except ConnectionError:  # what was still on its way to the daemon is lost: it is closed
        pass


def trace_now_and_then(daemon, times, check):
    """Traces begin and end while both directions are full; check(seen) looks at what each of them has said."""
    stop = threading.Event()
    with daemon.client('b') as client:
        threads = [threading.Thread(target=feed_all, args=(client, stop)),
                   threading.Thread(target=swallow_all, args=(client,))]
        for thread in threads:
            thread.start()
        wait_until(lambda: daemon.status('b')['rx']['messages'] > 20)
        for _ in range(times):
            seen = len(frames(daemon))
            daemon.call('trace', name='b')
            wait_until(lambda seen=seen: len(frames(daemon)) >= seen + 10)
            daemon.call('trace', name='b', **{'for': 'off'})
            check(daemon, seen)
        stop.set()
        threads[0].join()
        client.half_close()
        daemon.call('close', name='b')
        client.socket.shutdown(2)
        threads[1].join()
    assert {line[:5] for line in frames(daemon)} == {'++Sen', '++Rcv'}


@pytest.mark.limit(60)
def test_it_begins_in_the_middle(wsbridged, each_server):
    """What is no frame header would be taken for one soon."""
    daemon = wsbridged({'b': {'url': each_server.url(), 'ping': {'interval': 'off'}}})
    daemon.wait_open()
    trace_now_and_then(daemon, 40, check_step)


def check_compressed(daemon, seen):
    for line in frames(daemon)[seen:]:
        assert re.fullmatch(r'\+\+(Sent|Rcv): fin=1 opcode=text length=(5|300|\d+ compressed)', line), line
    assert not daemon.log_lines('trace: ++Sent: a ') and not daemon.log_lines('trace: ++Rcv: a ')


@pytest.mark.limit(60)
@pytest.mark.parametrize('kind', ['websockets', 'ws'])
def test_compressed(wsbridged, start_server, kind):
    """The same where messages are compressed, which the lines say; what was agreed is seen only in the handshake."""
    server = start_server(kind, '--deflate', '{}')
    daemon = wsbridged({'b': {'url': server.url(), 'ping': {'interval': 'off'}}})
    daemon.wait_open()
    assert daemon.status('b')['compression']
    trace_now_and_then(daemon, 20, check_compressed)
    assert [line for line in frames(daemon) if line.startswith('++Rcv') and line.endswith('compressed')]
    assert [line for line in frames(daemon) if line.startswith('++Sent') and line.endswith('compressed')]


def test_it_is_bounded(one, each_server):
    """200 lines a second; the rest is counted."""
    one.call('trace', name='b')
    began = time.monotonic()
    each_server.command(count=3000, text='many')
    wait_until(lambda: one.status('b')['rx']['messages'] >= 3000)
    one.call('trace', name='b', **{'for': 'off'})
    seconds = time.monotonic() - began
    shown = len(frames(one))
    left = sum(int(re.search(r'trace: (\d+) more lines', line)[1]) for line in one.log_lines('more lines are left out'))
    assert 200 <= shown <= 200 * (seconds + 2)
    assert 3000 <= shown + left <= 3000 + 10  # and a ping
    assert one.log_lines('more lines are left out (200 a second are shown)')


def test_no_level_hides_it(wsbridged, server):
    daemon = wsbridged({'b': {'url': server.url()}}, log={'level': 'error'})
    daemon.wait_open()
    daemon.call('trace', name='b', **{'for': '1s'})
    daemon.call('send', name='b', text='x')
    wait_traced(daemon, '++Rcv: fin=1 opcode=text length=1')
    daemon.log_contains(OFF)


def test_as_json(wsbridged, server):
    daemon = wsbridged({'b': {'url': server.url()}}, log={'format': 'json'})
    daemon.wait_open()
    daemon.call('trace', name='b')
    daemon.call('send', name='b', text='x')
    wait_until(lambda: any('opcode=text' in line for line in daemon.log().splitlines()))
    line = [json.loads(line) for line in daemon.log().splitlines() if 'opcode=text' in line][0]
    assert (line['level'], line['object']) == ('debug', 'bridge b')
    assert line['message'] == 'trace: ++Sent: fin=1 opcode=text length=1'


def test_private_connections_have_numbers(wsbridged, server):
    daemon = wsbridged({'b': {'url': server.url(), 'sharing': 'private'}})
    first = daemon.client('b')
    first.send('one\n')
    assert first.line() == b'one'
    daemon.call('trace', name='b')
    first.send('three\n')
    assert first.line() == b'three'
    with daemon.client('b') as second:
        second.send('fourth\n')
        assert second.line() == b'fourth'
    first.close()
    wait_until(lambda: len(daemon.log_lines('opcode=close')) == 4)
    assert daemon.log_lines('trace (1): ++Sent: fin=1 opcode=text length=5')
    assert not daemon.log_lines('trace (1): GET')
    assert daemon.log_lines('trace (2): GET / HTTP/1.1')
    assert daemon.log_lines('trace (2): ++Rcv: fin=1 opcode=text length=6')


def test_nothing_secret(wsbridged, scripted, folder):
    with open(f'{folder}/secret', 'w', encoding='utf-8') as f:
        f.write(SECRET)

    def upgrade(conn):
        conn.upgrade(extra=[f'Set-Cookie: s={SECRET}', f'X-Custom: {SECRET}', f'X-Session: {SECRET}', 'X-Plain: shown'])
        conn.drain()

    server = scripted(upgrade)
    daemon = wsbridged({'b': {
        'url': f'ws://127.0.0.1:{server.port}/path?token={SECRET}', 'start': 'manual', 'cookie': f'c={SECRET}',
        'auth': {'bearer': SECRET}, 'headers': {'X-Custom': SECRET, 'X-File': {'file': f'{folder}/secret'}},
        'on_open': [{'json': {'t': '${t}'}, 'secrets': {'t': {'file': f'{folder}/secret'}}}],
    }})
    daemon.call('trace', name='b')
    daemon.call('open', name='b', wait=True)
    daemon.call('send', name='b', text=SECRET)
    wait_traced(daemon, f'++Sent: fin=1 opcode=text length={len(SECRET)}')
    said = traced(daemon)
    for line in ('GET /path?*** HTTP/1.1', 'Authorization: ***', 'Cookie: ***', 'X-File: ***', 'Set-Cookie: ***',
                 'X-Session: ***', 'X-Plain: shown', f'++Sent: fin=1 opcode=text length={len(SECRET) + 8}'):
        assert line in said, said
    assert said.count('X-Custom: ***') == 2
    assert SECRET not in daemon.log()
    assert SECRET.encode() in server.connections[0].request


@pytest.mark.parametrize('params, option', [
    ({'for': '1min'}, 'name'), ({'name': 'nosuch'}, None), ({'name': 'b', 'for': '2d'}, 'for'),
    ({'name': 'b', 'for': 0.5}, 'for'), ({'name': 'b', 'for': 'x'}, 'for'), ({'name': '', 'for': 0}, 'name'),
])
def test_refused(wsbridged, params, option):
    daemon = wsbridged({'b': {'url': 'ws://127.0.0.1:9/', 'start': 'manual'}})
    with pytest.raises(RpcError) as error:
        daemon.call('trace', **params)
    assert error.value.data.get('option') == option
    assert error.value.kind == ('invalid_option' if option else 'no_such_bridge')
    assert daemon.call('trace') == {'traces': []}
    assert daemon.call('trace', name='b', dry_run=True) == {'traces': [], 'dry_run': True}


def test_command(one, wsbridge):
    done = wsbridge(one, 'trace')
    assert (done.returncode, done.stdout) == (0, 'no bridge is traced\n')
    done = wsbridge(one, 'trace', 'b', '--for', '30s')
    assert re.fullmatch(r'b: traced in the log of the daemon until \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\n', done.stdout)
    assert wsbridge(one, 'trace').stdout == done.stdout
    assert done.stdout[3:] in wsbridge(one, 'explain', 'b').stdout
    assert '  traced       in the log of the daemon until ' in wsbridge(one, 'status', 'b').stdout
    assert 'traced' not in wsbridge(one, 'status', 'c').stdout + wsbridge(one, 'explain', 'c').stdout
    assert wsbridge(one, 'trace', 'b', '--for', '0').stdout == 'no bridge is traced\n'
    wsbridge(one, 'trace', 'b')
    assert wsbridge(one, '--json', 'trace', 'off').stdout == '{"traces":[]}\n'
    assert wsbridge(one, 'trace', 'nosuch').returncode == 4
    assert wsbridge(one, 'trace', 'b', '--for', 'ever').returncode == 2


@pytest.mark.limit(60)
def test_on_and_off_leaves_nothing(one):
    before = one.rss()
    for _ in range(1000):
        one.call('trace', name='b')
        one.call('trace', name='b', **{'for': 0})
    assert one.call('trace') == {'traces': []}
    assert_little_memory(one.rss() - before, 2 << 20)
