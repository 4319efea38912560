# SPDX-License-Identifier: Apache-2.0
"""
Many bridges that lose one server at the same moment: they must not come back to it at one moment,
nor faster than limits.dials_per_second lets them. The spread of their dials is printed (-s shows it).
"""

import collections
import socket
import struct
import time

import pytest

import frames
from harness import slack, wait_until
from scripted import listen_at

BRIDGES = 200
PER_SECOND = 100
BURST = PER_SECOND // 4  # what may begin at once after a pause


def dialed(conn):
    """
    When its first bytes came, by the kernel's own clock: a moment after the dial, and the same
    however late this thread is. It is tcpi_last_data_recv of struct tcp_info, in milliseconds.
    """
    ago, = struct.unpack_from('I', conn.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104), 52)
    return time.monotonic() - ago / 1000


class Lost:
    """The script of a server: fine at first; then it drops all, and is hardly back when it drops them again."""

    def __init__(self):
        self.dials = []
        self.hangs_up = False

    def __call__(self, conn):
        conn.read_request()
        self.dials.append(dialed(conn))
        conn.upgrade()
        if self.hangs_up:
            return
        while conn.frame().opcode != frames.CLOSE:
            pass
        conn.send(frames.close(conn.close.code))


def peak(times, span):
    """The most within any such span."""
    times, most, first = sorted(times), 0, 0
    for i, t in enumerate(times):
        while t - times[first] >= span:
            first += 1
        most = max(most, i - first + 1)
    return most


def histogram(times):
    """Of tenths of a second since the first."""
    begin = min(times)
    tenths = collections.Counter(int((t - begin) * 10) for t in times)
    return [f'{i / 10:5.1f} s {tenths[i]:4} {"#" * tenths[i]}' for i in range(max(tenths) + 1)]


def wait_all_open(daemon, epochs):
    """All bridges, with connections later than these."""
    def all_open():
        bridges = daemon.status()['bridges']
        return all(b['state'] == 'open' and b['epoch'] > e for b, e in zip(bridges, epochs)) and bridges
    return wait_until(all_open, 20)


@pytest.mark.limit(60)
def test_many_bridges_lose_one_server(wsbridged, scripted):
    lost = Lost()
    listener = listen_at(('127.0.0.1', 0))
    listener.listen(BRIDGES)
    server = scripted(lost, listener=listener)
    bridge = {'url': server.url(), 'endpoints': [], 'reconnect': {'initial': 0.2, 'max': 1},
              'ping': {'interval': 'off'}}
    daemon = wsbridged({f'b{i:03}': bridge for i in range(BRIDGES)}, limits={'dials_per_second': PER_SECOND})
    before = [b['epoch'] for b in wait_all_open(daemon, [0] * BRIDGES)]
    first, lost.dials = lost.dials, []
    # All at once; and whoever comes back within the next moments is thrown out again.
    lost.hangs_up = True
    cpu = daemon.cpu_seconds()
    for conn in server.connections:
        conn.socket.shutdown(socket.SHUT_RDWR)
    time.sleep(1.6)
    lost.hangs_up = False
    bridges = wait_all_open(daemon, before)
    cpu = daemon.cpu_seconds() - cpu
    again = lost.dials
    for what, times in (('at the start', first), ('after the loss', again)):
        print(f'\n{len(times)} dials of {BRIDGES} bridges {what} within {max(times) - min(times):.2f} s; '
              f'at most {peak(times, 0.1)} in 100 ms, {peak(times, 1)} in 1 s:')
        print('\n'.join(histogram(times)))
        # The kernel counts in ticks of up to 10 ms, so one more may seem to belong to the span.
        assert peak(times, 0.1) <= BURST + PER_SECOND / 10 + 2
        assert peak(times, 1) <= PER_SECOND + BURST + 2
    assert len(first) == BRIDGES
    assert len(again) == sum(b['epoch'] for b in bridges) - sum(before)
    # More wanted to come than was let in, so the limit was felt, and used.
    assert len(again) > BRIDGES + PER_SECOND // 2
    assert cpu < slack(2)


@pytest.mark.limit(60)
def test_nobody_waits_for_ever_behind_the_others(wsbridged, scripted):
    """The turns go round: of bridges that all fail all the time, none is left out."""
    server = scripted(lambda conn: conn.upgrade(status='HTTP/1.1 503 Busy'))
    bridge = {'url': server.url(), 'endpoints': [], 'reconnect': {'initial': 0.01, 'max': 0.01}}
    daemon = wsbridged({f'b{i:03}': bridge for i in range(50)}, limits={'dials_per_second': PER_SECOND})
    wait_until(lambda: len(server.connections) >= 1.5 * PER_SECOND)
    attempts = [b['attempts'] for b in daemon.status()['bridges']]
    assert max(attempts) - min(attempts) <= 2, attempts


def test_the_limit_can_be_changed_while_many_wait(wsbridged, scripted):
    server = scripted(lambda conn: conn.upgrade() or conn.drain())
    bridge = {'url': server.url(), 'endpoints': []}
    bridges = {f'b{i:03}': bridge for i in range(60)}
    daemon = wsbridged(bridges, limits={'dials_per_second': 2})
    daemon.wait_status('b000', lambda b: b['state'] == 'open')
    assert len(server.connections) < 30
    daemon.write({'bridges': bridges, 'limits': {'dials_per_second': 0}})
    daemon.call('reload')
    began = time.monotonic()
    wait_all_open(daemon, [0] * len(bridges))
    assert time.monotonic() - began < slack(3)
