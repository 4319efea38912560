# SPDX-License-Identifier: Apache-2.0
"""
Every method at a control socket of every level. The table is compared with what the daemon says of
itself, so that a new method is missed here until somebody has decided who may call it.
"""

import json

import pytest

from harness import Control, RpcError, wait_until

LEVELS = ('read', 'send', 'admin')

# method: (the right it needs, parameters that it takes)
METHODS = {
    'open': ('admin', {'name': 'made', 'url': 'ws://127.0.0.1:1/', 'start': 'manual'}),
    'close': ('admin', {'name': 'up', 'wait': 5}),
    'send': ('send', {'name': 'up', 'text': 'x'}),
    'status': ('read', {'name': 'up'}),
    'request': ('send', {'name': 'up', 'text': 'x', 'match': {'contains': 'x'}}),
    'recv': ('read', {'name': 'up', 'match': {'contains': 'for recv'}}),
    'wait': ('read', {'name': 'up'}),
    'ping': ('send', {'name': 'up'}),
    'subscribe': ('read', {'name': 'up', 'events': ['ping']}),
    'unsubscribe': ('read', {'name': 'up'}),
    'reconnect': ('admin', {'name': 'up'}),
    'explain': ('read', {'name': 'up'}),
    'reload': ('admin', {}),
    'log': ('admin', {'level': 'notice'}),
    'trace': ('admin', {'name': 'up'}),
    'metrics': ('read', {}),
    'shutdown': ('admin', {'timeout': 5}),
    'version': ('read', {}),
    'rpc.discover': ('read', {}),
}


def is_allowed(method, level):
    return LEVELS.index(METHODS[method][0]) <= LEVELS.index(level)


@pytest.fixture
def sockets(wsbridged, server):
    """The daemon and a client of each level."""
    daemon = wsbridged({'up': {'url': server.url()}},
                       control=[{'unix': '$DIR/control.sock'}] + [{'unix': f'$DIR/{level}', 'level': level}
                                                                  for level in LEVELS])
    daemon.wait_open()
    clients = {level: Control(daemon.path(level)) for level in LEVELS}
    yield daemon, clients
    for client in clients.values():
        client.close()


def snapshot(daemon):
    """What a call that is denied must leave alone."""
    bridges = [{k: b[k] for k in ('name', 'state', 'epoch', 'tx')} for b in daemon.status()['bridges']]
    status = daemon.status()['daemon']
    return bridges, status['subscriptions'], status['waiting']


def test_the_table_is_complete(sockets):
    daemon, clients = sockets
    told = {m['name']: m['x-right'] for m in clients['read'].call('rpc.discover')['methods']}
    assert told == {name: right for name, (right, _) in METHODS.items() if name in told}
    assert METHODS.keys() - told.keys() <= {'trace'}


def line_of(method, form, identifier=1):
    params = METHODS[method][1]
    if form == 'shorthand':
        words = [f'{k}={v if isinstance(v, str) else json.dumps(v)}' for k, v in params.items()]
        return ' '.join([method, *words])
    request = {'method': method, 'params': params}
    if form != 'notification':
        request['id'] = identifier
    return json.dumps([request] if form == 'batch' else request)


@pytest.mark.parametrize('form', ['request', 'batch', 'shorthand', 'notification'])
def test_what_is_denied_is_not_done(sockets, form):
    daemon, clients = sockets
    known = {m['name'] for m in daemon.call('rpc.discover')['methods']}
    before = snapshot(daemon)
    for method in known:
        for level in LEVELS:
            if is_allowed(method, level):
                continue
            control = clients[level]
            control.send(line_of(method, form) + '\n')
            if form != 'notification':
                answer = control.answer()
                error = (answer[0] if form == 'batch' else answer)['error']
                assert (error['code'], error['data'], error['message']) == (
                    -32014, {'kind': 'denied'}, f'"{method}" needs the right "{METHODS[method][0]}"; this control '
                                                f'socket gives "{level}"')
            assert control.call('version'), 'the connection goes on'
    assert snapshot(daemon) == before


@pytest.mark.parametrize('level', LEVELS)
def test_what_is_allowed_is_done(sockets, level):
    """Those that need more than they find there come last."""
    daemon, clients = sockets
    known = {m['name'] for m in daemon.call('rpc.discover')['methods']}
    last = ['unsubscribe', 'reconnect', 'close', 'shutdown']
    order = sorted(known, key=lambda m: (last.index(m) if m in last else -1, m))
    control = clients[level]
    for method in order:
        if not is_allowed(method, level):
            continue
        daemon.wait_open('up')
        control.send(line_of(method, 'request', method) + '\n')
        if method == 'recv':
            wait_until(lambda: daemon.status()['daemon']['waiting'] == 1)
            daemon.call('send', name='up', text='for recv')
        answer = control.answer()
        assert answer['id'] == method and 'result' in answer, answer
        if method == 'close':
            daemon.call('open', name='up')


def test_a_reload_that_changes_a_level_ends_the_connections_that_had_it(sockets, server):
    """Whoever came under other conditions comes again; the rest notices nothing."""
    daemon, clients = sockets
    for client in clients.values():
        assert client.call('version')  # they have been let in
    levels = {'read': 'admin', 'send': 'send', 'admin': 'read'}
    daemon.write({'bridges': {'up': {'url': server.url()}},
                  'control': [{'unix': '$DIR/control.sock'}] + [{'unix': f'$DIR/{name}', 'level': level}
                                                                for name, level in levels.items()]})
    daemon.call('reload')
    assert clients['read'].line() is None and clients['admin'].line() is None
    assert clients['send'].call('send', name='up', text='x')['bytes'] == 1
    with Control(daemon.path('read')) as now_admin, Control(daemon.path('admin')) as now_read:
        assert now_admin.call('reload')['unchanged'] == 1
        with pytest.raises(RpcError, match='needs the right'):
            now_read.call('send', name='up', text='x')
