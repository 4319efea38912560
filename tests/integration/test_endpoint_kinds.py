# SPDX-License-Identifier: Apache-2.0
"""
Kinds of sockets and who may do what at them: seqpacket, abstract names, inherited ones, mode and
owner, allow_users and allow_groups, access, replay, and what happens when descriptors run out.
"""

import grp
import json
import os
import pwd
import signal
import socket
import stat
import subprocess
import sys
import threading
import time

import pytest

import frames
import harness
from dumb_server import echo
from harness import LineSocket, slack, wait_until
from records import JsonClient, PacketClient, attach

ME = pwd.getpwuid(os.getuid()).pw_name
IS_ROOT = os.getuid() == 0


# Seqpacket ------------------------------------------------------------------


def test_a_packet_is_a_message(serve):
    daemon, _, conn = serve(echo, {'type': 'seqpacket', 'framing': 'lines'})
    with attach(daemon, kind=PacketClient) as client:
        for packet in (b'one', b'two\nlines', 'grüße'.encode(), b'x' * 100000):
            client.send(packet)
            assert client.packet() == packet
        client.send(b'\xff')
        daemon.wait_status('b', lambda b: b['refused'] == 1)
        client.send(b'next')
        assert client.packet() == b'next'
        # End of input: it still receives.
        client.send(b'last')
        client.socket.shutdown(socket.SHUT_WR)
        assert client.packet() == b'last'
        conn.text('still')
        assert client.packet() == b'still'
    daemon.wait_status('b', lambda b: b['clients'] == [])


def test_the_delimiter_alone_is_an_empty_packet(serve):
    """An empty one would look like the end. A delimiter at the end of others is there out of habit."""
    daemon, _, conn = serve(echo, {'type': 'seqpacket', 'framing': 'lines'})
    with attach(daemon, kind=PacketClient) as client:
        for packet, answer in ((b'\n', b'\n'), (b'a\n', b'a'), (b'b\n\n', b'b\n')):
            client.send(packet)
            assert client.packet() == answer
    wait_until(lambda: conn.frames)
    assert [f.payload for f in conn.frames] == [b'', b'a', b'b\n']


def test_what_no_packet_can_hold_is_dropped_and_told(serve):
    daemon, _, conn = serve(endpoint={'type': 'seqpacket', 'framing': 'json', 'events': ['gap']}, max_message='64M')
    with attach(daemon, kind=PacketClient) as client:
        for text in ('before', 'x' * (32 << 20), 'after'):
            conn.text(text)
        before, gap, after = (json.loads(client.packet()) for _ in range(3))
        assert (before['data'], after['data']) == ('before', 'after')
        assert gap == {'type': 'gap', 'dropped': 1, 'from': 2, 'to': 2}
        daemon.log_contains('longer than a packet may be')
        assert daemon.status('b')['dropped'] == 1


# Abstract and inherited names -----------------------------------------------


def test_an_abstract_name(wsbridged, server):
    name = f'wsbridge-test-{os.getpid()}'
    bridge = {'url': server.url(), 'endpoint': {'unix': f'@{name}', 'allow_users': [ME]}}
    daemon = wsbridged({'b': bridge})
    daemon.wait_open()
    assert daemon.status('b')['endpoints'][0]['endpoint'] == f'@{name}'

    def echoes():
        with LineSocket(f'\0{name}') as client:
            client.send('hello\n')
            return client.line() == b'hello'

    assert echoes()
    # Somebody has it: it stays his.
    other = wsbridged({'b': bridge})
    other.wait_state('b', 'failed')
    assert other.status('b')['last_error']['kind'] == 'endpoint'
    assert echoes()
    daemon.kill()
    other.call('open', name='b')
    other.wait_open()
    assert echoes()
    daemon.expected_status = -signal.SIGKILL


# Does what a service manager does for a service of sockets; arguments: NAME=PATH..., the program.
ACTIVATE = '''
import os, socket, sys
split = sys.argv.index('--')
names, kept = [], []
for i, word in enumerate(sys.argv[1:split]):
    name, path = word.split('=')
    s = socket.socket(socket.AF_UNIX)
    s.bind(path)
    s.listen(8)
    os.dup2(s.detach(), 100 + i)
    names.append(name)
for i in range(len(names)):
    os.dup2(100 + i, 3 + i)
    os.close(100 + i)
os.environ.update(LISTEN_FDS=str(len(names)), LISTEN_PID=str(os.getpid()), LISTEN_FDNAMES=':'.join(names))
os.execvp(sys.argv[split + 1], sys.argv[split + 1:])
'''


@pytest.fixture
def activated(folder, wsbridged, monkeypatch):
    """activated(bridges, *names): a daemon that is handed down a socket of each name, at $DIR/NAME."""
    slack(1)  # is known before the wrapper changes

    def start(bridges, *names):
        words = [f'{name}={folder}/{name}' for name in names]
        monkeypatch.setattr(harness, 'WRAPPER', [sys.executable, '-c', ACTIVATE, *words, '--', *harness.WRAPPER])
        return wsbridged(bridges)
    return start


def test_sockets_that_are_handed_down(activated, server, folder):
    daemon = activated({'a': {'url': server.url(), 'endpoint': 'systemd:one'},
                        'b': {'url': server.url(), 'endpoint': {'unix': 'systemd:two', 'framing': 'json'}},
                        'c': {'url': server.url(), 'endpoint': 'systemd:three'}}, 'one', 'two', 'unused')
    daemon.wait_open('a', 'b')
    with LineSocket(f'{folder}/one') as lines, JsonClient(f'{folder}/two') as objects:
        lines.send('hello\n')
        assert lines.line() == b'hello'
        objects.write(type='text', data='hallo')
        assert objects.record()['data'] == 'hallo'
    failed = daemon.wait_state('c', 'failed')
    assert failed['last_error']['kind'] == 'endpoint' and 'three' in failed['last_error']['message']
    # They belong to whoever made them.
    assert daemon.stop() == 0
    assert os.path.exists(f'{folder}/one') and os.path.exists(f'{folder}/two')


def test_a_socket_that_is_handed_down_outlives_a_reload(activated, server, folder):
    daemon = activated({'a': {'url': server.url(), 'endpoint': 'systemd:one'}}, 'one')
    daemon.wait_open()
    for framing in ('json', 'lines', 'json'):
        daemon.write({'bridges': {'a': {'url': server.url(), 'endpoint': {'unix': 'systemd:one', 'framing': framing}}}})
        assert daemon.call('reload')['changed'] == ['a']
        daemon.wait_open('a')
        with JsonClient(f'{folder}/one') as client:
            client.send('{"type":"text","data":"x"}\n')
            assert ('seq' in client.record()) == (framing == 'json')


# Mode and owner -------------------------------------------------------------


class Watcher:
    """Looks at all sockets of a folder, again and again, and keeps each mode and owner that it sees."""

    def __init__(self, folder):
        self.folder, self.seen, self.over = folder, set(), False
        self.thread = threading.Thread(target=self._watch)
        self.thread.start()

    def _watch(self):
        while not self.over:
            for name in os.listdir(self.folder):
                try:
                    st = os.lstat(os.path.join(self.folder, name))
                except FileNotFoundError:
                    continue
                if stat.S_ISSOCK(st.st_mode) or stat.S_ISFIFO(st.st_mode):
                    self.seen.add((stat.S_IMODE(st.st_mode), st.st_uid, st.st_gid))

    def stop(self):
        self.over = True
        self.thread.join()
        return self.seen


@pytest.mark.parametrize('mode, owner, group', [
    ('0600', None, None), ('0660', None, None), ('0660', None, 'nogroup'), ('0640', 'nobody', 'nogroup')])
def test_never_wider_than_asked_for(folder, wsbridged, mode, owner, group):
    if not IS_ROOT:
        owner, group = owner and ME, group and grp.getgrgid(os.getgid()).gr_name
    wanted = int(mode, 8), pwd.getpwnam(owner or ME).pw_uid, grp.getgrnam(group).gr_gid if group else os.getgid()
    options = {'mode': mode, **({'owner': owner} if owner else {}), **({'group': group} if group else {})}
    bridges = {f'b{i}': {'url': 'ws://127.0.0.1:9/', 'start': 'manual', 'endpoints': [
        {'unix': f'{folder}/{i}.sock', **options},
        {'fifo': {'out': f'{folder}/{i}.fifo'}, **options}]} for i in range(30)}
    before = os.umask(0)
    watcher = Watcher(folder)
    try:
        daemon = wsbridged(bridges)
        for i in range(30):
            for kind in ('sock', 'fifo'):
                st = os.stat(f'{folder}/{i}.{kind}')
                assert (stat.S_IMODE(st.st_mode), st.st_uid, st.st_gid) == wanted
        assert daemon.restart() is daemon
    finally:
        os.umask(before)
        seen = watcher.stop()
    assert wanted in seen
    for bits, uid, gid in seen:
        assert bits & ~wanted[0] == 0
        assert uid == wanted[1] or bits & 0o700 == 0 or uid == os.getuid()
        assert gid == wanted[2] or bits & 0o070 == 0


# Who may connect ------------------------------------------------------------

# Connects, writes, and prints what comes until the end.
TALK = '''
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.settimeout(20)
s.connect(sys.argv[1])
try:
    s.sendall(b'let me in\\n')
    print(s.makefile('rb').readline())
except (BrokenPipeError, ConnectionResetError):
    print(b'')
'''


def talk(path, **identity):
    done = subprocess.run([sys.executable, '-c', TALK, path], capture_output=True, timeout=slack(20), check=True,
                          **identity)
    return eval(done.stdout)  # noqa: S307 - a bytes literal of ours


def somebody(user='nobody', group='nogroup', more=()):
    return {'user': user, 'group': group, 'extra_groups': list(more)}


@pytest.mark.skipif(not IS_ROOT, reason='only root can be somebody else')
@pytest.mark.parametrize('allowed, who, welcome', [
    ({'allow_users': ['nobody']}, somebody(), True),
    ({'allow_users': [str(pwd.getpwnam('nobody').pw_uid)]}, somebody(), True),
    ({'allow_users': ['daemon', 'root']}, somebody(), False),
    ({'allow_users': ['nobody']}, {}, False),
    ({'allow_groups': ['nogroup']}, somebody(), True),
    ({'allow_groups': ['games']}, somebody(more=['games', 'mail']), True),
    ({'allow_groups': ['games']}, somebody(more=['mail']), False),
    ({'allow_groups': ['games']}, somebody(group='games'), True),
    ({'allow_users': ['daemon'], 'allow_groups': ['games']}, somebody(more=['games']), True),
    ({'allow_users': ['daemon'], 'allow_groups': ['games']}, somebody(), False),
    ({}, somebody(), True)])
def test_allow_users_and_groups(serve, allowed, who, welcome):
    daemon, _, conn = serve(echo, {'framing': 'lines', 'mode': '0666', **allowed})
    os.chmod(daemon.folder, 0o755)
    assert talk(daemon.path('b.sock'), **who) == (b'let me in\n' if welcome else b'')
    assert daemon.status('b')['endpoints'][0]['refused_clients'] == (not welcome)
    assert len(conn.of(frames.TEXT)) == welcome
    if not welcome:
        daemon.log_contains('not in allow_users or allow_groups')


@pytest.mark.parametrize('options', [{'type': 'stream'}, {'type': 'seqpacket'}])
def test_strangers_are_refused_before_a_byte_is_read(serve, options):
    """What was written before the daemon had even looked is not read either."""
    stranger = 'daemon' if ME != 'daemon' else 'bin'
    daemon, _, conn = serve(endpoint={'framing': 'lines', 'allow_users': [stranger], **options})
    kind = socket.SOCK_STREAM if options['type'] == 'stream' else socket.SOCK_SEQPACKET
    daemon.send_signal(signal.SIGSTOP)
    clients = []
    for _ in range(5):
        clients.append(socket.socket(socket.AF_UNIX, kind))
        clients[-1].settimeout(slack(20))
        clients[-1].connect(daemon.path('b.sock'))
        clients[-1].send(b'a line\n')
    daemon.send_signal(signal.SIGCONT)
    for client in clients:
        try:
            assert client.recv(100) == b''
        except ConnectionResetError:
            pass
        client.close()
    daemon.wait_status('b', lambda b: b['endpoints'][0]['refused_clients'] == 5)
    bridge = daemon.status('b')
    assert (bridge['tx']['messages'], bridge['clients'], conn.frames) == (0, [], [])


# Access and replay ----------------------------------------------------------


def test_access_r(serve):
    daemon, _, conn = serve(endpoint={'access': 'r'})
    with attach(daemon) as client:
        client.write(type='text', data='x', id=1)
        record = client.record()
        assert (record['type'], record['id'], record['error']['kind']) == ('error', 1, 'denied')
        client.write(type='close', id=2)
        assert client.record()['error']['kind'] == 'denied'
        conn.text('news')
        assert client.record()['data'] == 'news'
    bridge = daemon.status('b')
    assert (bridge['state'], bridge['refused'], bridge['tx']['messages'], conn.frames) == ('open', 2, 0, [])


def test_access_w(serve):
    daemon, _, conn = serve(endpoint={'access': 'w', 'framing': 'lines', 'replay': 0})
    with attach(daemon, kind=LineSocket) as client:
        conn.text('secret')
        daemon.wait_status('b', lambda b: b['rx']['messages'] == 1)
        client.send('report\n')
        wait_until(lambda: conn.frames)
        assert conn.frames[0].payload == b'report'
        assert client.silent()
    bridge = daemon.status('b')
    assert (bridge['unheard'], bridge['dropped']) == (1, 0)


@pytest.mark.parametrize('framing', ['lines', 'json'])
def test_replay(serve, framing):
    daemon, server, conn = serve(endpoint={'framing': framing, 'replay': 3})

    def data(client, count):
        return [line.decode() if framing == 'lines' else json.loads(line)['data'] for line in client.lines(count)]

    with LineSocket(daemon.path('b.sock')) as nothing:
        assert nothing.silent()
    for i in range(1, 6):
        conn.text(f'm{i}')
    daemon.wait_status('b', lambda b: b['rx']['messages'] == 5)
    first = attach(daemon, kind=LineSocket)
    assert data(first, 3) == ['m3', 'm4', 'm5']
    conn.text('m6')
    assert data(first, 1) == ['m6']
    second = attach(daemon, kind=LineSocket)
    assert data(second, 3) == ['m4', 'm5', 'm6']
    assert first.silent() and second.silent()
    # Events are not replayed, and a new connection changes nothing.
    conn.socket.shutdown(socket.SHUT_RDWR)
    server.wait_connection(2)
    daemon.wait_status('b', lambda b: b['epoch'] == 2 and b['state'] == 'open')
    assert data(attach(daemon, kind=LineSocket), 3) == ['m4', 'm5', 'm6']


def test_replay_goes_no_further_than_the_queue(serve):
    daemon, _, conn = serve(endpoint={'framing': 'lines', 'replay': 1000, 'queue': '1K'})
    for i in range(300):
        conn.text(f'{i:09}')
    daemon.wait_status('b', lambda b: b['rx']['messages'] == 300)
    with attach(daemon, kind=LineSocket) as client:
        conn.text('end')
        lines = []
        while (line := client.line()) != b'end':
            lines.append(int(line))
    assert lines == list(range(300 - len(lines), 300))
    assert 50 < len(lines) <= 103


# Descriptors ----------------------------------------------------------------


def test_accepting_waits_when_descriptors_run_out(wsbridged, server, monkeypatch):
    """It neither ends nor spins, and those who come then are served when others have left."""
    slack(1)
    monkeypatch.setattr(harness, 'WRAPPER', ['prlimit', '--nofile=64:64', *harness.WRAPPER])
    daemon = wsbridged({'b': {'url': server.url()}})
    daemon.wait_open()
    clients = [daemon.client('b') for _ in range(64)]
    daemon.wait_status('b', lambda b: len(b['clients']) > 20)
    clients[0].send('still\n')
    assert clients[0].line() == b'still'
    used = daemon.cpu_seconds()
    time.sleep(0.5)  # what is measured is a length of time
    assert daemon.cpu_seconds() - used < slack(0.1)
    assert 20 < len(daemon.status('b')['clients']) < 64
    for client in clients[:30]:
        client.close()
    clients[-1].send('at last\n')
    assert clients[-1].line() == b'at last'
    for client in clients[30:]:
        client.close()
    daemon.wait_status('b', lambda b: b['clients'] == [])
