# SPDX-License-Identifier: Apache-2.0
"""FIFO endpoints with the programs that people read and write them with."""

import os
import random
import re
import signal
import socket
import stat
import subprocess
import threading
import time

import pytest

import frames
from dumb_server import echo
from harness import slack, wait_until

LINE = re.compile(rb'(\d+) (x+)\n')


@pytest.fixture
def fifo(serve):
    """fifo(...): as serve, with the FIFOs out and in of framing lines in the daemon's folder."""
    def start(**endpoint):
        return serve(endpoint={'framing': 'lines', 'fifo': {'out': '$DIR/out', 'in': '$DIR/in'},
                               **endpoint})
    return start


class Feed:
    """Sends numbered messages of many lengths until it is stopped."""

    def __init__(self, conn):
        self.conn, self.over, self.sent = conn, False, 0
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        dice = random.Random(1)
        while not self.over:
            batch = b''.join(frames.text(f'{self.sent + i} ' + 'x' * dice.randint(1, 300)) for i in range(20))
            self.sent += 20
            self.conn.send(batch)
            time.sleep(0.001)

    def stop(self):
        self.over = True
        self.thread.join()


@pytest.fixture
def feed():
    made = []

    def start(conn):
        made.append(Feed(conn))
        return made[-1]

    yield start
    for one in made:
        one.stop()


def numbers_of(pieces):
    """What each reader read must be whole records, but for its last; the numbers of the whole ones."""
    numbers = []
    for piece in pieces:
        whole, _, torn = piece.rpartition(b'\n')
        whole += b'\n' if whole else b''
        assert LINE.sub(b'', whole) == b'', f'a torn record: {LINE.sub(b"", whole)[:100]!r}'
        assert re.fullmatch(rb'\d* ?x*', torn), torn[:100]
        numbers += [int(m[1]) for m in LINE.finditer(whole)]
    return numbers


def test_readers_that_come_and_go(fifo, feed):
    """Each begins with a whole record, however the one before it ended."""
    daemon, _, conn = fifo()
    feed(conn)
    dice, pieces, end = random.Random(2), [], time.monotonic() + 3
    while time.monotonic() < end:
        with open(daemon.path('out'), 'rb', buffering=0) as out:
            pieces.append(b''.join(out.read(dice.randint(1, 3000)) for _ in range(dice.randint(0, 3))))
    assert len(pieces) > 20
    numbers = numbers_of(pieces)
    assert len(numbers) > 100 and numbers == sorted(set(numbers))


def test_cat_is_killed_again_and_again(fifo, feed):
    daemon, _, conn = fifo()
    feed(conn)
    pieces = []
    for i in range(40):
        with open(daemon.path(f'got{i}'), 'wb') as out:
            cat = subprocess.Popen(['cat', daemon.path('out')], stdout=out)
        wait_until(lambda i=i: os.path.getsize(daemon.path(f'got{i}')) > 0)
        cat.send_signal(signal.SIGKILL if i % 2 else signal.SIGTERM)
        cat.wait()
        with open(daemon.path(f'got{i}'), 'rb') as got:
            pieces.append(got.read())
    numbers = numbers_of(pieces)
    assert numbers == sorted(set(numbers))
    daemon.wait_status('b', lambda b: b['clients'] == [])


def test_tail_follows(fifo):
    daemon, _, conn = fifo()
    for round_number in range(3):
        tail = subprocess.Popen(['stdbuf', '-oL', 'tail', '-n', '+1', '-f', daemon.path('out')], stdout=subprocess.PIPE)
        daemon.wait_status('b', lambda b: len(b['clients']) == 1)
        for i in range(20):
            conn.text(f'{round_number} {i}')
            assert tail.stdout.readline() == b'%d %d\n' % (round_number, i)
        tail.kill()
        tail.communicate()
        daemon.wait_status('b', lambda b: b['clients'] == [])


def test_the_client_of_a_fifo_in_status(fifo):
    daemon, _, conn = fifo()
    conn.text('nobody hears it')
    daemon.wait_status('b', lambda b: b['unheard'] == 1)
    with open(daemon.path('out'), 'rb', buffering=0) as out:
        bridge = daemon.wait_status('b', lambda b: len(b['clients']) == 1)
        assert bridge['clients'][0]['pid'] is None and bridge['clients'][0]['uid'] is None
        assert bridge['endpoints'][0]['endpoint'] == daemon.path('out')
        conn.text('but this')
        assert out.readline() == b'but this\n'
    daemon.wait_status('b', lambda b: b['clients'] == [])


def test_a_reader_that_stops_reading_loses_whole_messages(fifo):
    daemon, _, conn = fifo(queue='16K')
    with open(daemon.path('out'), 'rb', buffering=0) as out:
        daemon.wait_status('b', lambda b: len(b['clients']) == 1)
        for i in range(3000):
            conn.text(f'{i} ' + 'x' * 200)
        daemon.wait_status('b', lambda b: b['rx']['messages'] == 3000)
        daemon.log_contains('does not read fast enough')
        data = b''
        while b'\n2999 ' not in data or not data.endswith(b'\n'):
            data += out.read(65536)
        numbers = numbers_of([data])
        lost = daemon.status('b')['dropped']
        assert lost > 0 and len(numbers) == 3000 - lost and numbers == sorted(set(numbers))


# In -------------------------------------------------------------------------


def wait_texts(conn, count):
    return [f.payload for f in wait_until(lambda: len(conn.of(frames.TEXT)) >= count and conn.of(frames.TEXT))]


def test_echo_into_a_fifo(fifo):
    daemon, _, conn = fifo()
    for i in range(50):
        subprocess.run(['sh', '-c', f'echo "line {i}" > in'], cwd=daemon.folder, check=True, timeout=slack(10))
    assert wait_texts(conn, 50) == [b'line %d' % i for i in range(50)]
    assert daemon.status('b')['clients'] == []


def test_many_writers_at_once(fifo):
    daemon, _, conn = fifo()
    script = 'for i in 1 2 3 4 5 6 7 8 9 10; do echo "$0 $i"; done > in'
    writers = [subprocess.Popen(['sh', '-c', script, str(n)], cwd=daemon.folder) for n in range(20)]
    assert [w.wait() for w in writers] == [0] * 20
    texts = wait_texts(conn, 200)
    assert sorted(texts) == sorted(b'%d %d' % (n, i) for n in range(20) for i in range(1, 11))
    for n in range(20):
        assert [t for t in texts if t.startswith(b'%d ' % n)] == [b'%d %d' % (n, i) for i in range(1, 11)]


def test_a_record_goes_on_until_its_delimiter(fifo):
    """Whoever writes it: a FIFO does not tell writers apart. The end of the FIFO ends the last one."""
    daemon, _, conn = fifo()
    for piece in ('one, ', 'two, ', 'three\n', 'and an end'):
        subprocess.run(['sh', '-c', 'printf "%s" "$0" > in', piece], cwd=daemon.folder, check=True, timeout=slack(10))
    assert wait_texts(conn, 1) == [b'one, two, three']
    os.unlink(daemon.path('in'))
    assert wait_texts(conn, 2)[1] == b'and an end'


def test_a_pair_of_fifos_is_a_shell_dialogue(serve):
    daemon, _, _ = serve(echo, {'framing': 'lines', 'fifo': {'out': '$DIR/out', 'in': '$DIR/in'}})
    script = 'exec 3<out 4>in; for i in 1 2 3; do echo "ask $i" >&4; read -r a <&3; echo "<$a>"; done'
    done = subprocess.run(['sh', '-c', script], cwd=daemon.folder, capture_output=True, timeout=slack(20), check=True)
    assert done.stdout == b'<ask 1>\n<ask 2>\n<ask 3>\n'


def test_json_through_fifos(serve):
    """Answers to what is written to `in` go to the reader of `out`."""
    daemon, _, _ = serve(endpoint={'fifo': {'out': '$DIR/out', 'in': '$DIR/in'}})
    with open(daemon.path('out'), 'rb', buffering=0) as out:
        daemon.wait_status('b', lambda b: len(b['clients']) == 1)
        with open(daemon.path('in'), 'wb', buffering=0) as into:
            into.write(b'{"type":"text","data":"x","id":1}\nwrong\n')
        answers = sorted(out.readline() for _ in range(2))
        assert answers[0] == b'{"type":"ack","id":1}\n'
        assert answers[1].startswith(b'{"type":"error",')


# Others' files --------------------------------------------------------------


def symlink(path):
    os.mkfifo(path + '.real')
    os.symlink(path + '.real', path)


def dangling(path):
    os.symlink(path + '.nowhere', path)


def regular(path):
    with open(path, 'wb') as f:
        f.write(b'precious')


def hard_link(path):
    os.mkfifo(path + '.first')
    os.link(path + '.first', path)


def a_socket(path):
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(path)


def foreign(path):
    os.mkfifo(path, 0o666)
    os.chown(path, 65534, 65534)


KINDS = [symlink, dangling, regular, hard_link, os.mkdir, a_socket]
if os.getuid() == 0:
    KINDS.append(foreign)


def picture(path):
    st = os.lstat(path)
    content = open(path, 'rb').read() if stat.S_ISREG(st.st_mode) else None
    return st.st_ino, st.st_mode, st.st_uid, st.st_gid, st.st_nlink, st.st_mtime_ns, content


@pytest.mark.parametrize('side', ['out', 'in'])
@pytest.mark.parametrize('make', KINDS, ids=lambda kind: kind.__name__)
def test_what_is_no_fifo_of_ours_is_refused_and_left_alone(wsbridged, server, make, side):
    daemon = wsbridged({'b': {'url': server.url(), 'endpoint': {'fifo': {side: '$DIR/pipe'}}}}, start=False)
    path = daemon.path('pipe')
    make(path)
    before = picture(path)
    daemon.start()
    failed = daemon.wait_state('b', 'failed')
    error = failed['last_error']
    assert error['kind'] == 'endpoint' and path in error['message']
    assert not os.path.exists(path + '.nowhere') and not os.path.exists(path + '.next')
    assert daemon.stop() == 0
    assert picture(path) == before


def test_a_directory_that_everybody_may_write_to(wsbridged, server):
    daemon = wsbridged({'b': {'url': server.url(), 'endpoint': {'fifo': {'out': '$DIR/open/out'}}}}, start=False)
    os.mkdir(daemon.path('open'))
    os.chmod(daemon.path('open'), 0o777)
    daemon.start()
    assert 'everybody may write' in daemon.wait_state('b', 'failed')['last_error']['message']
    os.chmod(daemon.path('open'), 0o1777)
    daemon.call('open', name='b')
    daemon.wait_open('b')
    assert stat.S_IMODE(os.lstat(daemon.path('open/out')).st_mode) == 0o600


# While it runs --------------------------------------------------------------


def hears(daemon, conn, text):
    """A new reader gets what is sent now."""
    with open(daemon.path('out'), 'rb', buffering=0) as out:
        daemon.wait_status('b', lambda b: len(b['clients']) == 1)
        conn.text(text)
        line = out.readline()
    daemon.wait_status('b', lambda b: b['clients'] == [])
    return line == text.encode() + b'\n'


def is_there(path):
    return os.path.exists(path) and stat.S_ISFIFO(os.lstat(path).st_mode)


def test_fifos_that_are_removed_are_made_again(fifo):
    daemon, _, conn = fifo()
    assert hears(daemon, conn, 'one')
    for i in range(3):
        for name in ('out', 'in'):
            os.unlink(daemon.path(name))
            wait_until(lambda name=name: is_there(daemon.path(name)), what=f'{name} is made again')
        assert hears(daemon, conn, f'again {i}')
        subprocess.run(['sh', '-c', f'echo {i} > in'], cwd=daemon.folder, check=True, timeout=slack(10))
        assert wait_texts(conn, i + 1)[-1] == b'%d' % i


@pytest.mark.parametrize('name', ['out', 'in'])
def test_a_file_that_takes_its_place_is_left_alone(fifo, name):
    daemon, _, conn = fifo()
    path = daemon.path(name)
    victim = daemon.path('victim')
    regular(victim)
    with open(daemon.path('out'), 'rb', buffering=0):
        daemon.wait_status('b', lambda b: len(b['clients']) == 1)
        os.symlink(victim, path + '.link')
        os.rename(path + '.link', path)
        before = picture(victim), picture(path)
        wait_until(lambda: daemon.log_lines('left alone'), what='it says so')
        for _ in range(100):
            conn.text('not for a file')
        daemon.wait_status('b', lambda b: b['rx']['messages'] == 100)
    assert (picture(victim), picture(path)) == before
    assert daemon.status('b')['state'] == 'open'
    os.unlink(path)
    wait_until(lambda: is_there(path))
    assert hears(daemon, conn, 'here again')
    assert daemon.stop() == 0
    assert picture(victim) == before[0]
    assert not os.path.lexists(path)  # it was ours


def test_a_fifo_that_was_there_stays(wsbridged, dumb_server):
    server = dumb_server()
    daemon = wsbridged({'b': {'url': server.url(), 'endpoint': {'fifo': {'out': '$DIR/out', 'in': '$DIR/in'}}}},
                       start=False)
    for name in ('out', 'in'):
        os.mkfifo(daemon.path(name), 0o640)
        os.chmod(daemon.path(name), 0o640)
    daemon.start()
    daemon.wait_open()
    conn = server.wait_connection()
    for i in range(5):
        assert hears(daemon, conn, f'{i}')
    assert daemon.stop() == 0
    for name in ('out', 'in'):
        assert stat.S_IMODE(os.lstat(daemon.path(name)).st_mode) == 0o640
        assert is_there(daemon.path(name))
    assert not os.path.lexists(daemon.path('out.next'))


def test_after_a_crash(fifo):
    daemon, server, conn = fifo()
    assert hears(daemon, conn, 'before')
    with open(daemon.path('out'), 'rb', buffering=0):
        daemon.wait_status('b', lambda b: len(b['clients']) == 1)
        daemon.kill()
    daemon.start()
    daemon.wait_open()
    assert hears(daemon, server.wait_connection(2), 'after')
    subprocess.run(['sh', '-c', 'echo also > in'], cwd=daemon.folder, check=True, timeout=slack(10))
    assert wait_texts(server.connections[1], 1) == [b'also']
