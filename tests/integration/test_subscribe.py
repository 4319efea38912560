# SPDX-License-Identifier: Apache-2.0
"""Subscriptions: which events come, that none is lost without a word, and what becomes of slow readers."""

import base64
import json
import time

import pytest

import frames
from harness import Control, RpcError, slack, wait_until

ENDED = {'code', 'reason', 'clean', 'retry_in'}


class Reader(Control):
    """A connection with subscriptions: events and answers apart."""

    def event(self):
        """The parameters of the next notification; None: the daemon has closed."""
        answer = self.answer()
        if answer is None:
            return None
        assert (answer['jsonrpc'], answer['method']) == ('2.0', 'event') and 'id' not in answer
        return answer['params']

    def events(self, count):
        return [self.event() for _ in range(count)]

    def until(self, **fields):
        """All events up to the first one with these fields."""
        seen = []
        while not seen or any(seen[-1].get(k) != v for k, v in fields.items()):
            seen.append(self.event())
        return seen


@pytest.fixture
def reader(up):
    with Reader(up.control_path) as made:
        yield made


def refused(control, method, **params):
    with pytest.raises(RpcError) as error:
        control.call(method, **params)
    return error.value


def test_messages(up, reader):
    result = reader.call('subscribe', name='up', events=['message'])
    assert result.keys() == {'subscription', 'cursor'}
    up.call('send', name='up', text='grüße\n')
    up.call('send', name='up', binary=base64.b64encode(b'\xff\x00').decode())
    first, second = reader.events(2)
    assert first.keys() == {'subscription', 'bridge', 'event', 'cursor', 'time', 'type', 'data', 'seq', 'epoch'}
    assert (first['subscription'], first['bridge'], first['event']) == (result['subscription'], 'up', 'message')
    assert (first['type'], first['data'], first['seq'], first['epoch']) == ('text', 'grüße\n', 1, 1)
    assert abs(first['time'] - time.time()) < 60
    assert (second['type'], second['data'], second['seq']) == ('binary', '/wA=', 2)


def test_the_life_of_a_connection(wsbridged, dumb_server):
    def script(conn):
        conn.upgrade(Sec_WebSocket_Protocol='a')
        conn.frame()
        conn.send(frames.frame(frames.PING, b'hi'))
        conn.send(frames.frame(frames.PONG, b'\xff'))
        conn.send(frames.close(4001, b'why'))
        conn.drain_to_close()

    def refuse(conn):
        conn.upgrade(status='HTTP/1.1 503 Service Unavailable')

    server = dumb_server([script, refuse])
    daemon = wsbridged({'b': {'url': server.url('/x?secret'), 'subprotocols': ['a'], 'start': 'manual',
                              'ping': {'interval': 0}, 'reconnect': {'initial': 0.01, 'max': 60, 'slow': 60}}})
    with Reader(daemon.control_path) as reader:
        reader.call('subscribe', name='b')
        daemon.call('open', name='b', wait=True)
        daemon.call('send', name='b', text='go')
        events = reader.until(event='error')
    assert [e.get('state', e['event']) for e in events] == [
        'connecting', 'open', 'open', 'ping', 'pong', 'close', 'waiting', 'connecting', 'error']
    _, opened, state, ping, pong, close, *_, error = events
    assert (opened['event'], opened['url'], opened['subprotocol'], opened['epoch']) == ('open', server.url('/x?...'),
                                                                                        'a', 1)
    assert (state['event'], state['state']) == ('state', 'open')
    assert (ping['data'], pong['data']) == ('hi', '\\xff')
    assert ENDED <= close.keys()
    assert (close['code'], close['reason'], close['clean']) == (4001, 'why', True) and close['retry_in'] > 0
    assert (error['error']['kind'], error['error']['status']) == ('bad_status', 503)


def test_all_bridges_and_those_that_come(up, server, reader):
    reader.call('subscribe', name='*', events=['state'])
    up.call('open', name='new', url=server.url(), endpoint=up.path('new.sock'), wait=True)
    up.call('close', name='new', wait=True)
    up.call('open', name='down', wait=True)
    events = reader.until(bridge='down', state='open')
    assert [(e['bridge'], e['state']) for e in events] == [
        ('new', 'connecting'), ('new', 'open'), ('new', 'closing'), ('new', 'closed'),
        ('down', 'connecting'), ('down', 'open')]


def test_private_bridges(wsbridged, server):
    daemon = wsbridged({'b': {'url': server.url(), 'sharing': 'private'}})
    with Reader(daemon.control_path) as reader:
        reader.call('subscribe', name='b', events=['message', 'open'])
        with daemon.client('b') as client:
            client.send('x\n')
            assert client.line() == b'x'
        assert [e.get('data', e['event']) for e in reader.events(2)] == ['open', 'x']


def test_fragments(wsbridged, server):
    daemon = wsbridged({'b': {'url': server.url('/fragments?size=2'), 'fragments': 'deliver'}})
    daemon.wait_open()
    with Reader(daemon.control_path) as reader:
        reader.call('subscribe', name='b', events=['message'])
        daemon.call('send', name='b', text='abcde')
        seen = reader.events(3)
        while seen[-1].get('fin') is False:
            seen.append(reader.event())
    assert ''.join(e['data'] for e in seen) == 'abcde'


def test_several_subscriptions_and_their_end(up, reader):
    first = reader.call('subscribe', name='up', events=['message'])['subscription']
    second = reader.call('subscribe', name='*', events=['message', 'state'])['subscription']
    assert first != second
    up.call('send', name='up', text='x')
    assert {e['subscription'] for e in reader.events(2)} == {first, second}
    assert reader.call('unsubscribe', subscription=first) == {'removed': 1}
    up.call('send', name='up', text='y')
    assert reader.event()['subscription'] == second
    reader.call('subscribe', name='up', events=['ping'])
    assert reader.call('unsubscribe', name='*') == {'removed': 1}
    up.call('send', name='up', text='z')
    wait_until(lambda: up.status('up')['rx']['messages'] == 3)
    assert reader.silent()
    error = refused(reader, 'unsubscribe', subscription=second)
    assert (error.kind, error.data['option']) == ('invalid_option', 'subscription')


def test_bad_subscriptions(reader):
    assert refused(reader, 'subscribe').data['option'] == 'name'
    assert refused(reader, 'subscribe', name='ub').kind == 'no_such_bridge'
    assert refused(reader, 'subscribe', name='up', events=['messages']).data['option'] == 'events[0]'
    assert refused(reader, 'subscribe', name='up', events=['ping', 'ping']).kind == 'invalid_option'
    for since in ('', 'x', '1', 'abc:1', '0123456789abcdef:', '0123456789abcdef:1x', '0123456789abcdef:' + '1' * 30):
        assert refused(reader, 'subscribe', name='up', since=since).data['option'] == 'since'
    for params in ({}, {'name': 'up', 'subscription': 1}, {'subscription': 77}, {'name': 'up'}):
        assert refused(reader, 'unsubscribe', **params).kind == 'invalid_option'
    for _ in range(16):
        reader.call('subscribe', name='up')
    assert refused(reader, 'subscribe', name='up').kind == 'overflow'


def test_plain_words(up, reader):
    assert 'subscription' in reader.ask('subscribe * events=message,state')['result']
    up.call('send', name='up', text='x')
    assert reader.event()['data'] == 'x'


def test_a_reader_that_has_ended_its_input(up, reader):
    """As of printf ... | socat: events go on until it closes, and then nothing of it stays."""
    reader.call('subscribe', name='up', events=['message'])
    reader.half_close()
    for text in ('a', 'b'):
        up.call('send', name='up', text=text)
        assert reader.event()['data'] == text
    reader.close()
    wait_until(lambda: up.status()['daemon']['control_clients']['now'] == 1)


def test_the_end_of_the_daemon(up, reader):
    reader.call('subscribe', name='up', events=['state', 'close'])
    up.call('shutdown')
    assert [e.get('state', e['event']) for e in reader.until(state='closed')] == ['closing', 'close', 'closed']
    assert reader.event() is None


# since ----------------------------------------------------------------------


def test_since_goes_on_without_loss(up, server):
    """A reader that comes and goes sees every message once."""
    seen, cursor = [], None
    for _ in range(10):
        with Reader(up.control_path) as reader:
            reader.call('subscribe', name='up', events=['message'], **({'since': cursor} if cursor else {}))
            for i in range(3):
                up.call('send', name='up', text=f'{len(seen)} {i}')
            events = reader.events(2)  # not the third
            cursor = events[-1]['cursor']
            seen += [e['seq'] for e in events]
    assert seen == list(range(1, 21))


def test_since_the_answer_to_subscribe(up):
    with Reader(up.control_path) as reader:
        cursor = reader.call('subscribe', name='up', events=['message'])['cursor']
    up.call('send', name='up', text='meanwhile')
    wait_until(lambda: up.status('up')['rx']['messages'] == 1)
    with Reader(up.control_path) as reader:
        assert reader.call('subscribe', name='up', events=['message'], since=cursor)['cursor'] == cursor
        assert reader.event()['data'] == 'meanwhile'


def test_since_another_run(up):
    with Reader(up.control_path) as reader:
        cursor = reader.call('subscribe', name='up', events=['message'])['cursor']
    up.restart()
    up.wait_open('up')
    with Reader(up.control_path) as reader:
        reader.call('subscribe', name='up', events=['message'], since=cursor)
        gap = reader.event()
        assert (gap['event'], gap['dropped'], gap['bridge']) == ('gap', None, 'up')
        up.call('send', name='up', text='x')
        assert reader.event()['data'] == 'x'


def test_since_a_time_when_this_was_not_recorded(up, reader):
    """Others have asked for other events meanwhile: nobody knows what was missed."""
    cursor = reader.call('subscribe', name='up', events=['state'])['cursor']
    up.call('send', name='up', text='missed')
    wait_until(lambda: up.status('up')['rx']['messages'] == 1)
    up.call('reconnect', name='up')
    assert reader.until(state='open')
    with Reader(up.control_path) as other:
        other.call('subscribe', name='up', events=['message', 'state'], since=cursor)
        events = other.until(state='open')
    assert [e.get('state', e['event']) for e in events][0] == 'gap' and events[0]['dropped'] is None
    with Reader(up.control_path) as other:
        other.call('subscribe', name='up', events=['state'], since=cursor)
        assert 'gap' not in [e['event'] for e in other.until(state='open')]


def test_a_cursor_of_the_future(up, reader):
    cursor = reader.call('subscribe', name='up', events=['message'])['cursor']
    run = cursor.partition(':')[0]
    reader.call('subscribe', name='*', events=['message'], since=f'{run}:1000000')
    assert reader.event()['event'] == 'gap'


# Slow readers ---------------------------------------------------------------


def flood(daemon, server, count, size):
    before = daemon.status('up')['rx']['messages']
    server.command(path='/', text='x' * size, count=count)
    daemon.wait_status('up', lambda b: b['rx']['messages'] == before + count, timeout=30)


@pytest.mark.limit(90)
def test_a_slow_reader_is_told_how_much_it_missed(up, server, reader):
    """More than is kept: what comes is in order, and what does not is counted to the last one."""
    count = 6000
    reader.call('subscribe', name='up', events=['message'])
    flood(up, server, count, 1000)
    assert up.status('up')['rx']['messages'] == count
    got = missed = 0
    while got + missed < count:
        event = reader.event()
        if event['event'] == 'gap':
            missed += event['dropped']
        else:
            got += 1
            assert event['seq'] == got + missed
    assert got > 4000 and missed > 0
    assert reader.silent()


@pytest.mark.limit(90)
def test_memory_is_bounded(up, server, reader):
    reader.call('subscribe', name='up', events=['message'])
    flood(up, server, 50, 1 << 20)
    first = up.rss()
    flood(up, server, 100, 1 << 20)
    assert up.rss() - first < slack(32 << 20)
    events = [reader.event()]
    while events[-1].get('seq') != 150:
        events.append(reader.event())
    assert 'gap' in {e['event'] for e in events}


def test_a_reader_that_does_not_read_is_dropped(wsbridged, server):
    daemon = wsbridged({'up': {'url': server.url()}}, limits={'control_stall': 0.5})
    daemon.wait_open()
    with Reader(daemon.control_path) as reader:
        reader.call('subscribe', name='up', events=['message'])
        flood(daemon, server, 2000, 1000)
        wait_until(lambda: daemon.status()['daemon']['control_clients']['now'] == 1)
    assert daemon.log_lines('does not read its answers')
    assert daemon.status('up')['state'] == 'open'


def test_a_reader_that_is_slow_holds_up_nobody(up, server, reader):
    reader.call('subscribe', name='up', events=['message'])
    flood(up, server, 2000, 1000)
    with Reader(up.control_path) as other, up.client('up') as client:
        other.call('subscribe', name='up', events=['message'])
        up.call('send', name='up', text='now')
        assert other.event()['data'] == 'now' and client.line() == b'now'


def test_nobody_listens(up, server):
    """Without subscriptions nothing is kept; after the last one only for a while."""
    with Reader(up.control_path) as reader:
        reader.call('subscribe', name='up')
    flood(up, server, 100, 10)
    with Reader(up.control_path) as reader:
        reader.call('subscribe', name='up')
        assert reader.silent()
