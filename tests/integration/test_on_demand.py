# SPDX-License-Identifier: Apache-2.0
"""When a bridge dials: by itself, while somebody wants it, or when told to."""

import time

import pytest

import frames
from dumb_server import echo
from harness import RpcError, free_port, slack, wait_until
from scripted import drop

QUICK = {'initial': 0.02, 'max': 0.05}
ON_DEMAND = {'start': 'on-demand', 'linger': 0.2, 'reconnect': QUICK}


def nobody_came(server, seconds=0.15):
    time.sleep(seconds)  # nothing is to happen
    return not server.connections


def test_the_first_client_makes_it_dial_and_the_last_one_lets_it_go(wsbridged, dumb_server):
    server = dumb_server(echo)
    daemon = wsbridged({'b': {'url': server.url(), **ON_DEMAND}})
    bridge = daemon.status('b')
    assert (bridge['state'], bridge['epoch'], bridge['attempts'], bridge['retry_in']) == ('idle', 0, 0, None)
    assert nobody_came(server)
    for epoch in (1, 2, 3):
        with daemon.client('b') as first:
            first.send('at once\n')
            assert first.line() == b'at once'
            with daemon.client('b') as second:
                daemon.wait_status('b', lambda b: len(b['clients']) == 2)
                second.send('two\n')
                assert (first.line(), second.line()) == (b'two', b'two')
            daemon.wait_status('b', lambda b: len(b['clients']) == 1)
            time.sleep(0.3)  # longer than linger: one is still there
            bridge = daemon.status('b')
            assert (bridge['state'], bridge['epoch']) == ('open', epoch)
        left = time.monotonic()
        bridge = daemon.wait_state('b', 'idle')
        assert 0.15 <= time.monotonic() - left < slack(1.5)
        conn = server.wait_connection(epoch)
        assert conn.close.code == 1000 and conn.close.key
        assert bridge['last_close'] == {'code': 1000, 'reason': '', 'clean': True}
        assert (bridge['retry_in'], bridge['last_error'], len(server.connections)) == (None, None, epoch)
    assert bridge['reconnects'] == 2


def test_who_comes_while_it_lingers_finds_it_open(wsbridged, dumb_server):
    server = dumb_server(echo)
    daemon = wsbridged({'b': {'url': server.url(), **ON_DEMAND, 'linger': slack(0.5)}})
    for _ in range(3):
        with daemon.client('b') as client:
            client.send('x\n')
            assert client.line() == b'x'
        daemon.wait_status('b', lambda b: not b['clients'])
    with daemon.client('b') as client:
        daemon.wait_status('b', lambda b: b['clients'])
        time.sleep(slack(0.7))  # an old linger must not strike
        client.send('y\n')
        assert client.line() == b'y'
    assert (daemon.status('b')['epoch'], len(server.connections)) == (1, 1)


def test_a_linger_of_nothing(wsbridged, dumb_server):
    server = dumb_server(echo)
    daemon = wsbridged({'b': {'url': server.url(), **ON_DEMAND, 'linger': 0}})
    for epoch in (1, 2):
        with daemon.client('b') as client:
            client.send('x\n')
            assert client.line() == b'x'
        assert daemon.wait_state('b', 'idle')['epoch'] == epoch


def test_it_keeps_trying_only_while_somebody_is_there(wsbridged):
    daemon = wsbridged({'b': {'url': f'ws://127.0.0.1:{free_port()}/', **ON_DEMAND}})
    with daemon.client('b'):
        bridge = daemon.wait_status('b', lambda b: b['attempts'] >= 3)
        assert bridge['state'] in ('waiting', 'connecting') and bridge['last_error']['kind'] == 'connect'
    bridge = daemon.wait_state('b', 'idle')
    assert bridge['retry_in'] is None
    time.sleep(0.2)  # four of its waits
    assert daemon.status('b')['attempts'] == bridge['attempts']
    with daemon.client('b'):
        daemon.wait_status('b', lambda b: b['attempts'] > bridge['attempts'])


def test_a_connection_that_ends_comes_back_while_somebody_is_there(wsbridged, dumb_server):
    server = dumb_server(echo)
    daemon = wsbridged({'b': {'url': server.url(), **ON_DEMAND}})
    with daemon.client('b') as client:
        for epoch in (1, 2):
            client.send('x\n')
            assert client.line() == b'x'
            drop(server.connections[epoch - 1])
            daemon.wait_status('b', lambda b, e=epoch: b['epoch'] == e + 1 and b['state'] == 'open')
    assert daemon.wait_state('b', 'idle')['last_close']['code'] == 1000


def test_open_and_a_queued_message_wake_it(wsbridged, dumb_server):
    server = dumb_server(echo)
    daemon = wsbridged({'b': {'url': server.url(), **ON_DEMAND}})
    assert daemon.call('open', name='b', wait=True)['state'] == 'open'
    daemon.wait_state('b', 'idle')  # nobody came
    with pytest.raises(RpcError) as refused:
        daemon.call('send', name='b', text='x')
    assert refused.value.kind == 'not_open'
    assert daemon.call('send', name='b', text='for later', queue=True)['queued'] is True
    conn = server.wait_connection(2)
    wait_until(lambda: conn.of(frames.TEXT))
    daemon.wait_state('b', 'idle')
    assert [f.payload for f in conn.of(frames.TEXT)] == [b'for later']
    assert conn.close.code == 1000


def test_closed_is_closed_whoever_comes(wsbridged, dumb_server):
    server = dumb_server(echo)
    daemon = wsbridged({'b': {'url': server.url(), **ON_DEMAND}})
    daemon.call('close', name='b', wait=True)
    with daemon.client('b') as client:
        daemon.wait_status('b', lambda b: b['clients'])
        client.send('x\n')
        assert nobody_came(server) and daemon.status('b')['state'] == 'closed'
        assert daemon.call('open', name='b', wait=True)['state'] == 'open'
        assert client.line() == b'x'
    daemon.wait_state('b', 'idle')


def test_manual(wsbridged, dumb_server):
    server = dumb_server(echo)
    daemon = wsbridged({'b': {'url': server.url(), 'start': 'manual', 'reconnect': QUICK}})
    assert daemon.status('b')['state'] == 'closed'
    with daemon.client('b') as client:
        client.send('early\n')
        daemon.wait_status('b', lambda b: b['outbox']['messages'] == 1)
        assert nobody_came(server)
        daemon.call('open', name='b', wait=True)
        assert client.line() == b'early'
    # Once it is started, clients may come and go.
    daemon.wait_status('b', lambda b: not b['clients'])
    drop(server.connections[0])
    daemon.wait_status('b', lambda b: b['epoch'] == 2 and b['state'] == 'open')
    daemon.call('close', name='b', wait=True)
    assert daemon.status('b')['state'] == 'closed' and len(server.connections) == 2


def test_a_reload_changes_who_decides(wsbridged, dumb_server):
    """`start` and `linger` are live: nothing is dropped that may stay."""
    server = dumb_server(echo)
    bridge = {'url': server.url(), 'reconnect': QUICK, 'linger': 0.2}
    daemon = wsbridged({'b': bridge})
    daemon.wait_open('b')
    with daemon.client('b') as client:
        daemon.wait_status('b', lambda b: b['clients'])
        daemon.write({'bridges': {'b': {**bridge, 'start': 'on-demand'}}})
        assert daemon.call('reload')['changed'] == ['b']
        time.sleep(0.3)  # longer than linger
        client.send('x\n')
        assert client.line() == b'x'
        assert daemon.status('b')['epoch'] == 1
    daemon.wait_state('b', 'idle')
    daemon.write({'bridges': {'b': bridge}})
    assert daemon.call('reload')['changed'] == ['b']
    daemon.wait_status('b', lambda b: b['state'] == 'open' and b['epoch'] == 2)
