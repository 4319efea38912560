# SPDX-License-Identifier: Apache-2.0
"""Many local clients on one endpoint: each gets everything, and none can harm another."""

import os
import signal
import socket
import stat
import subprocess
import time

import pytest

import frames
from dumb_server import serve_quietly
from harness import slack, wait_until


def wait_clients(daemon, name, count):
    return daemon.wait_status(name, lambda b: len(b['clients']) == count, what=f'{count} clients of {name}')


@pytest.fixture
def source(wsbridged, start_server):
    """A daemon with the bridge "feed", and the server that feeds it by command."""
    server = start_server()

    def start(**options):
        daemon = wsbridged({'feed': {'url': server.url('/silent'), **options}})
        daemon.wait_open()
        return daemon, server
    return start


def test_thirty_two_clients_get_every_message(source):
    daemon, server = source()
    clients = [daemon.client('feed') for _ in range(32)]
    wait_clients(daemon, 'feed', 32)
    server.command(text='message', count=500)
    expected = [b'%d message' % i for i in range(500)]
    for client in clients:
        assert client.lines(500) == expected
    bridge = daemon.status('feed')
    assert bridge['rx']['messages'] == 500
    assert [c['sent'] for c in bridge['clients']] == [500] * 32
    assert {c['pid'] for c in bridge['clients']} == {os.getpid()}
    assert {c['uid'] for c in bridge['clients']} == {os.getuid()}
    assert (bridge['dropped'], bridge['unheard']) == (0, 0)


def test_lines_of_all_clients_go_out(wsbridged, start_server):
    server = start_server()
    daemon = wsbridged({'b': {'url': server.url('/silent?log=1')}})
    daemon.wait_open()
    for i in range(32):
        with daemon.client('b') as client:
            client.send(f'{i}-a\n{i}-b\n')
    server.wait_event('message', 64)
    seen = [e['text'] for e in server.select('message')]
    assert sorted(seen) == sorted(f'{i}-{x}' for i in range(32) for x in 'ab')
    # Each client's own lines stay in order.
    assert all(seen.index(f'{i}-a') < seen.index(f'{i}-b') for i in range(32))


def test_messages_that_nobody_hears_are_counted(source):
    daemon, server = source()
    server.command(text='lost', count=10)
    daemon.wait_status('feed', lambda b: b['rx']['messages'] == 10)
    bridge = daemon.status('feed')
    assert (bridge['unheard'], bridge['dropped']) == (10, 0)


def quick_and_slow(source, **slow):
    """Two clients; the slow one does not read, and has an endpoint with a queue of 64K for itself."""
    daemon, server = source(endpoints=[{'unix': '$DIR/quick.sock', 'queue': '8M'},
                                       {'unix': '$DIR/slow.sock', 'queue': '64K', **slow}])
    clients = daemon.client('quick'), daemon.client('slow')
    wait_clients(daemon, 'feed', 2)
    return daemon, server, *clients


def dropped(daemon):
    """By clients: of the quick and of the slow one."""
    of = {os.path.basename(c['endpoint']): c['dropped'] for c in daemon.status('feed')['clients']}
    return of.get('quick.sock'), of.get('slow.sock')


def test_a_client_that_does_not_read_loses_and_the_loss_is_counted_exactly(source):
    daemon, server, quick, slow = quick_and_slow(source)
    count, text = 3000, 'x' * 1000
    server.command(text=text, count=count)
    assert len(quick.lines(count)) == count
    of_quick, of_slow = dropped(daemon)
    assert of_quick == 0 and of_slow > 0
    bridge = daemon.status('feed')
    assert bridge['dropped'] == of_slow
    assert max(c['queued'] for c in bridge['clients']) <= 65536
    daemon.log_contains('dropped')
    # Nothing but whole messages, in order, and what is missing is what was counted.
    server.command(text='last')
    received = []
    while (line := slow.line()) != b'last':
        received.append(line)
    assert all(line.split(b' ', 1)[1] == text.encode() for line in received)
    numbers = [int(line.split(b' ')[0]) for line in received]
    assert numbers == sorted(set(numbers))
    assert len(received) + daemon.status('feed')['dropped'] == count
    assert quick.line() == b'last'


def test_drop_newest(source):
    daemon, server, quick, slow = quick_and_slow(source, overflow='drop-newest')
    server.command(text='x' * 1000, count=1000)
    assert len(quick.lines(1000)) == 1000
    assert dropped(daemon)[1] > 0
    # The newest went: what is there is the beginning, without a hole.
    kept = 1000 - daemon.status('feed')['dropped']
    assert [line.split(b' ')[0] for line in slow.lines(kept)] == [b'%d' % i for i in range(kept)]
    server.command(text='last')
    assert (quick.line(), slow.line()) == (b'last', b'last')


def test_disconnect(source):
    daemon, server, quick, slow = quick_and_slow(source, overflow='disconnect')
    server.command(text='x' * 1000, count=1000)
    assert len(quick.lines(1000)) == 1000
    bridge = wait_clients(daemon, 'feed', 1)
    assert bridge['dropped'] > 0 and bridge['epoch'] == 1
    # Messages from the beginning on, then the end, perhaps inside the one that was being written.
    received = b''
    while data := slow.socket.recv(1 << 20):
        received += data
    whole = received.split(b'\n')[:-1]
    assert [line.split(b' ')[0] for line in whole] == [b'%d' % i for i in range(len(whole))]
    assert 0 < len(whole) < 1000


def test_a_message_above_the_queue_reaches_a_reader(source):
    daemon, server = source(endpoint={'queue': '4K'})
    with daemon.client('feed') as client:
        wait_clients(daemon, 'feed', 1)
        server.command(text='y' * (2 << 20))
        line = client.line()
        assert len(line) == 2 << 20 and set(line) == {ord('y')}
        assert daemon.status('feed')['dropped'] == 0


def test_max_clients(source):
    daemon, server = source(endpoint={'max_clients': 2})
    first, second = daemon.client('feed'), daemon.client('feed')
    wait_clients(daemon, 'feed', 2)
    with daemon.client('feed') as third:
        assert third.line() is None
    assert daemon.status('feed')['endpoints'][0]['refused_clients'] == 1
    server.command(text='here')
    assert (first.line(), second.line()) == (b'here', b'here')
    first.close()
    wait_clients(daemon, 'feed', 1)
    with daemon.client('feed') as fourth:
        wait_clients(daemon, 'feed', 2)
        server.command(text='again')
        assert fourth.line() == b'again'


def test_the_limit_for_all_clients(wsbridged, server):
    daemon = wsbridged({'a': {'url': server.url()}, 'b': {'url': server.url()}}, limits={'clients': 3})
    clients = [daemon.client('a'), daemon.client('a'), daemon.client('b')]
    wait_clients(daemon, 'b', 1)
    with daemon.client('b') as more:
        assert more.line() is None
    assert daemon.status()['daemon']['clients'] == {'now': 3, 'max': 3}
    daemon.log_contains('limits.clients')
    clients[0].close()
    wait_until(lambda: daemon.status()['daemon']['clients']['now'] == 2)
    with daemon.client('b'):
        wait_clients(daemon, 'b', 2)


def test_a_client_that_has_half_closed_still_gets_messages(source):
    daemon, server = source()
    with daemon.client('feed') as client:
        client.send('last words')
        client.half_close()
        wait_until(lambda: daemon.status('feed')['tx']['messages'] == 1)
        for i in range(3):
            server.command(text=f'still {i}')
            assert client.line() == b'still %d' % i
        assert len(daemon.status('feed')['clients']) == 1
    wait_clients(daemon, 'feed', 0)


def test_clients_that_vanish_leave_nothing(source):
    daemon, server = source()
    wait_clients(daemon, 'feed', 0)
    before = daemon.n_fds()
    for round_number in range(3):
        clients = [daemon.client('feed') for _ in range(20)]
        wait_clients(daemon, 'feed', 20)
        server.command(text='z' * 5000, count=20)
        for i, client in enumerate(clients):
            if i % 2:
                client.send(b'half a line')
            client.close()  # with unread data
        wait_clients(daemon, 'feed', 0)
    wait_until(lambda: daemon.n_fds() == before, what=f'{before} descriptors again, there are {daemon.n_fds()}')
    assert daemon.status()['daemon']['clients']['now'] == 0
    assert daemon.status()['daemon']['queued']['now'] == 0


def test_a_killed_client_costs_no_time(source):
    daemon, server = source()
    before = daemon.n_fds()
    victim = subprocess.Popen(['socat', '-u', f'UNIX-CONNECT:{daemon.path("feed.sock")}', 'OPEN:/dev/null'])
    wait_clients(daemon, 'feed', 1)
    victim.kill()
    victim.wait()
    wait_clients(daemon, 'feed', 0)
    wait_until(lambda: daemon.n_fds() == before)
    # A level-triggered hang-up that is never taken would spin.
    used = daemon.cpu_seconds()
    time.sleep(0.5)  # what is measured is a length of time
    assert daemon.cpu_seconds() - used < slack(0.1)


@pytest.mark.parametrize('unread', [False, True])
@pytest.mark.parametrize('message_first', [False, True])
def test_what_a_vanished_client_wrote_is_still_sent(wsbridged, dumb_server, unread, message_first):
    """
    Whatever the daemon notices first: that it cannot write to the client any more, or that reading
    fails, as it does once if the client left something unread.
    """
    server = dumb_server(serve_quietly)
    daemon = wsbridged({'b': {'url': server.url()}})
    daemon.wait_open()
    conn = server.wait_connection()
    for i in range(5):
        client = daemon.client('b')
        daemon.wait_status('b', lambda b: len(b['clients']) == 1)
        if unread:
            conn.text('unread')
            daemon.wait_status('b', lambda b: b['clients'][0]['sent'] == 1)
        daemon.send_signal(signal.SIGSTOP)
        if message_first:
            conn.text('to a client that is gone ' * 10000)  # so long that it is written at once
        client.send(f'{i} first\n{i} second')
        client.close()
        daemon.send_signal(signal.SIGCONT)
        daemon.wait_status('b', lambda b: b['clients'] == [])
    daemon.call('close', name='b', wait=True)
    assert [f.payload.decode() for f in conn.of(frames.TEXT)] == [f'{i} {x}' for i in range(5)
                                                                  for x in ('first', 'second')]


@pytest.mark.parametrize('mode', ['0600', '0660', '0622', '0777'])
def test_mode_of_the_socket(source, mode):
    daemon, _ = source(endpoint={'mode': mode})
    assert stat.S_IMODE(os.stat(daemon.path('feed.sock')).st_mode) == int(mode, 8)


def test_a_path_as_long_as_a_socket_may_have(wsbridged, server):
    daemon = wsbridged(start=False)
    longest = daemon.folder + '/' + 'n' * (100 - len(daemon.folder) - 1)
    daemon.write({'bridges': {'b': {'url': server.url(), 'endpoint': longest}}})
    daemon.start()
    daemon.wait_open()
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(longest)
