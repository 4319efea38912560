# SPDX-License-Identifier: Apache-2.0
"""The configuration: what is wrong is named, what runs goes on, and a reload touches only what changed."""

import json
import os
import signal
import subprocess
import time

import pytest

from bad_configs import BAD_CONFIGS
from harness import WRAPPER, RpcError, free_port, programs, slack, wait_until


def run(*argv):
    return subprocess.run([*WRAPPER, *argv], capture_output=True, timeout=slack(20), check=False)


def write(folder, text, name='wsbridge.json'):
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w', encoding='utf-8', errors='surrogateescape') as f:
        f.write(text)
    return path


@pytest.mark.parametrize('name, text, place, sentence', BAD_CONFIGS, ids=[c[0].replace(' ', '-') for c in BAD_CONFIGS])
def test_bad_configuration(folder, name, text, place, sentence):
    path = write(folder, text)
    error = f'{path}:{place}: {sentence}\n'
    done = run(programs.wsbridged, '--check', '-c', path)
    assert (done.returncode, done.stdout, done.stderr.decode()) == (1, b'', f'wsbridged: {error}')
    done = run(programs.wsbridge, 'check', path)
    assert (done.returncode, done.stdout, done.stderr.decode()) == (1, b'', f'wsbridge: {error}')
    control = os.path.join(folder, 'control.sock')
    done = run(programs.wsbridged, '-c', path, '-s', control)
    assert (done.returncode, done.stdout, done.stderr.decode()) == (78, b'', f'wsbridged: {error}')
    assert not os.path.exists(control)


def test_there_are_enough_bad_configurations():
    assert len(BAD_CONFIGS) >= 60


@pytest.mark.limit(60)
def test_a_reload_with_any_of_them_changes_nothing(wsbridged, server):
    daemon = wsbridged({'b': {'url': server.url()}})
    daemon.wait_open()
    with daemon.client('b') as client:
        for name, text, place, sentence in BAD_CONFIGS:
            daemon.write_text(text)
            with pytest.raises(RpcError) as error:
                daemon.call('reload')
            expected = f'{daemon.conf_path}:{place}: {sentence}'
            assert error.value.kind == 'invalid_option', name
            assert error.value.data['errors'] == [expected]
            client.send('still here\n')
            assert client.line() == b'still here'
        bridge = daemon.status('b')
        assert (bridge['state'], bridge['epoch'], len(bridge['clients'])) == ('open', 1, 1)


SEVERAL = '''{
	"log": {"level": "loud"},
	"bridges": {
		"a": {"url": "http://x/", "mask": "none"},
		"b": {"bogus": 1}
	}
}
'''


def test_every_error_is_told_in_the_order_of_the_file(folder):
    path = write(folder, SEVERAL)
    done = run(programs.wsbridged, '--check', '-c', path)
    assert done.returncode == 1
    assert done.stderr.decode().splitlines() == [f'wsbridged: {path}:{line}' for line in (
        '2:19: log.level: expected "error", "warning", "notice", "info" or "debug"',
        '4:16: bridges.a.url: the URL begins with http://; write ws://',
        '4:37: bridges.a.mask: expected "random" or "zero"',
        '5:3: bridges.b.url: is missing',
        '5:9: bridges.b.bogus: unknown key',
    )]


def test_reload_returns_every_error(wsbridged, server):
    daemon = wsbridged({'b': {'url': server.url()}})
    daemon.write_text(SEVERAL)
    with pytest.raises(RpcError) as error:
        daemon.call('reload')
    assert len(error.value.data['errors']) == 5
    assert error.value.message.startswith('the first of 5 errors: ')


def test_good_ones(folder):
    path = write(folder, '\ufeff// comments\n{ /* everywhere */ "bridges": { // here, too\n'
                         '"b": {"url": "ws://h:80/p?q"}}}')
    done = run(programs.wsbridged, '--check', '-c', path)
    assert (done.returncode, done.stderr) == (0, b'')
    assert done.stdout.decode() == f'{path}: ok, 1 bridge\n'
    done = run(programs.wsbridge, 'check', path)
    assert (done.returncode, done.stderr) == (0, b'')
    assert done.stdout.decode() == f'{path}: ok, 1 bridge\n'
    done = run(programs.wsbridge, 'check', '--json', path)
    assert json.loads(done.stdout) == {'file': path, 'ok': True, 'errors': [], 'bridges': 1}


@pytest.mark.parametrize('text', ['{}', '{"bridges": {}}', '{"control": {}, "log": {}, "limits": {}, "defaults": {}}'])
def test_next_to_nothing_is_enough(folder, text):
    assert run(programs.wsbridged, '--check', '-c', write(folder, text)).returncode == 0


def test_check_as_json(folder):
    path = write(folder, SEVERAL)
    done = run(programs.wsbridge, 'check', '--json', path)
    assert done.returncode == 1 and done.stderr == b''
    result = json.loads(done.stdout)
    assert (result['file'], result['ok'], len(result['errors'])) == (path, False, 5)


def test_files_that_cannot_be_read(folder):
    missing = os.path.join(folder, 'none.json')
    for argv, prefix, status in (((programs.wsbridged, '-c'), 'wsbridged', 78),
                                 ((programs.wsbridged, '--check', '-c'), 'wsbridged', 1),
                                 ((programs.wsbridge, 'check'), 'wsbridge', 1)):
        done = run(*argv, missing)
        assert done.returncode == status
        assert done.stderr.decode() == f'{prefix}: {missing}: cannot be read: No such file or directory\n'
        done = run(*argv, folder)
        assert done.returncode == status
        assert done.stderr.decode() == f'{prefix}: {folder}: cannot be read: Is a directory\n'


def test_drop_ins_are_merged_in_name_order(wsbridged, server):
    daemon = wsbridged(start=False, bridges={'a': {'url': server.url()}}, log={'level': 'error'})
    write(daemon.folder, '{"log": {"level": "debug"}, "bridges": {"c": {"url": "%s"}}}' % server.url('/late'),
          'wsbridge.d/20-last.json')
    write(daemon.folder, '{"log": {"level": "notice"}, "bridges": {"c": {"url": "ws://wrong/"}, "b": {"url": "%s"}}}'
          % server.url(), 'wsbridge.d/10-first.json')
    write(daemon.folder, 'not read', 'wsbridge.d/30-other.txt')
    write(daemon.folder, 'not read', 'wsbridge.d/.hidden.json')
    daemon.start()
    daemon.wait_open('a', 'b', 'c')
    assert [b['name'] for b in daemon.status()['bridges']] == ['a', 'b', 'c']
    assert daemon.status('c')['url'] == server.url('/late')
    assert daemon.log_lines('bridge a: connecting -> open'), 'the level of the last file counts'


def test_an_error_in_a_drop_in_names_that_file(folder):
    path = write(folder, '{"bridges": {"a": {"url": "ws://h/"}}}')
    drop_in = write(folder, '{\n"bridges": {"a": {"mask": 1}}}', 'wsbridge.d/x.json')
    done = run(programs.wsbridged, '--check', '-c', path)
    assert done.stderr.decode() == f'wsbridged: {drop_in}:2:27: bridges.a.mask: expected "random" or "zero", ' \
                                   'found a number\n'


def test_defaults_lie_under_every_bridge(wsbridged, server):
    daemon = wsbridged(
        {'a': {'url': server.url('/a')},
         'b': {'url': server.url('/b'), 'user_agent': 'own/1', 'headers': {'x-d': '2'}}},
        defaults={'user_agent': 'default/1', 'headers': {'X-D': '1'}, 'ping': {'interval': '1min 30s'}})
    daemon.wait_open()
    seen = {path: dict(server.wait_event('open', path=path)['headers']) for path in ('/a', '/b')}
    assert (seen['/a']['User-Agent'], seen['/b']['User-Agent']) == ('default/1', 'own/1')
    assert seen['/a']['X-D'] == '1' and seen['/b']['x-d'] == '2' and 'X-D' not in seen['/b']


def test_print_schema(folder):
    done = run(programs.wsbridged, '--print-schema')
    assert (done.returncode, done.stderr) == (0, b'')
    schema = json.loads(done.stdout)
    assert {'control', 'log', 'limits', 'defaults', 'bridges'} <= schema['properties'].keys()
    text = json.dumps(schema)
    for option in ('url', 'interval', 'reset_after', 'max_clients', 'on_full', 'validate_utf8'):
        assert f'"{option}"' in text, option
    assert '$schema' in schema


# One daemon for one control socket ------------------------------------------


def test_a_second_instance_leaves_the_first_alone(wsbridged, server):
    first = wsbridged({'b': {'url': server.url()}})
    first.wait_open()
    with first.client('b') as client:
        done = run(programs.wsbridged, '-c', first.conf_path, '-s', first.control_path)
        assert done.returncode == 75
        assert f'{first.control_path} is served by another process' in done.stderr.decode()
        client.send('x\n')
        assert client.line() == b'x'
    assert first.status('b')['epoch'] == 1
    assert os.path.exists(first.path('b.sock'))


def test_two_daemons_and_one_endpoint(wsbridged, server):
    """The second one starts; only its bridge fails, and says so."""
    first = wsbridged({'b': {'url': server.url()}})
    first.wait_open()
    second = wsbridged({'b': {'url': server.url(), 'endpoint': first.path('b.sock')}, 'c': {'url': server.url()}})
    bridge = second.wait_state('b', 'failed')
    assert bridge['last_error']['kind'] == 'endpoint'
    assert first.path('b.sock') in bridge['last_error']['message']
    second.wait_open('c')
    with first.client('b') as client:
        client.send('x\n')
        assert client.line() == b'x'
    # Once the path is free, a reload makes it.
    assert first.stop() == 0
    assert second.call('reload')['unchanged'] == 2
    second.wait_open('b')


# Reload ---------------------------------------------------------------------


def twenty(server, path='/reload'):
    return {f'b{i:02}': {'url': server.url(path)} for i in range(20)}


def by_call(daemon):
    return daemon.call('reload')


def by_signal(daemon):
    before = len(daemon.log_lines('configuration reloaded'))
    daemon.send_signal(signal.SIGHUP)
    wait_until(lambda: len(daemon.log_lines('configuration reloaded')) > before)


@pytest.mark.parametrize('reload', [by_call, by_signal])
def test_reload_touches_only_what_changed(wsbridged, start_server, reload):
    server = start_server()
    bridges = twenty(server)
    daemon = wsbridged(bridges)
    daemon.wait_open()
    clients = [daemon.client(name) for name in bridges]
    bridges['b07']['headers'] = {'X-New': '1'}
    daemon.write({'bridges': bridges})
    result = reload(daemon)
    assert result in (None, {'added': [], 'changed': ['b07'], 'removed': [], 'unchanged': 19})
    daemon.wait_status('b07', lambda b: b['epoch'] == 2 and b['state'] == 'open')
    status = {b['name']: b for b in daemon.status()['bridges']}
    assert [name for name, b in status.items() if b['epoch'] != 1] == ['b07']
    assert ['X-New', '1'] in server.wait_event('open', 21)['headers']
    assert len(server.select('open')) == 21
    # The clients of all of them stayed, also those of the one that changed.
    for client in clients:
        client.send('x\n')
        assert client.line() == b'x'


def test_reload_adds_and_removes(wsbridged, start_server):
    server = start_server()
    daemon = wsbridged({'stays': {'url': server.url()}, 'goes': {'url': server.url('/goes')}})
    daemon.wait_open()
    daemon.call('open', name='by-hand', url=server.url(), endpoint=daemon.path('by-hand.sock'), wait=True)
    with daemon.client('goes') as client:
        daemon.wait_status('goes', lambda b: b['clients'])
        daemon.write({'bridges': {'stays': {'url': server.url()}, 'comes': {'url': server.url()}}})
        assert daemon.call('reload', dry_run=True) == {'added': ['comes'], 'changed': [], 'removed': ['goes'],
                                                       'unchanged': 1, 'dry_run': True}
        assert daemon.status('goes')['state'] == 'open'
        assert daemon.call('reload') == {'added': ['comes'], 'changed': [], 'removed': ['goes'], 'unchanged': 1}
        assert client.line() is None
    daemon.wait_open('comes')
    assert server.wait_event('close', path='/goes')['code'] == 1000
    assert not os.path.exists(daemon.path('goes.sock'))
    # What was opened by hand is not the file's.
    assert [b['name'] for b in daemon.status()['bridges']] == ['by-hand', 'comes', 'stays']
    assert daemon.status('by-hand')['epoch'] == 1 and daemon.status('stays')['epoch'] == 1


@pytest.mark.parametrize('change', [
    {'ping': {'interval': 7}}, {'reconnect': {'max': 9}}, {'outbox': {'size': '2M'}}, {'timeouts': {'close': 1}},
])
def test_live_options_cost_no_reconnect(wsbridged, server, change):
    daemon = wsbridged({'b': {'url': server.url()}})
    daemon.wait_open()
    daemon.write({'bridges': {'b': {'url': server.url(), **change}}})
    assert daemon.call('reload')['changed'] == ['b']
    assert (daemon.status('b')['state'], daemon.status('b')['epoch']) == ('open', 1)


def test_a_changed_ping_interval_takes_effect(wsbridged, dumb_server):
    server = dumb_server()
    daemon = wsbridged({'b': {'url': server.url(), 'ping': {'interval': 3600}}})
    daemon.wait_open()
    daemon.write({'bridges': {'b': {'url': server.url(), 'ping': {'interval': 0.1, 'timeout': 'off'}}}})
    daemon.call('reload')
    wait_until(lambda: len(server.connections[0].of(9)) >= 2)


def test_a_changed_endpoint_keeps_the_connection(wsbridged, server):
    daemon = wsbridged({'b': {'url': server.url(), 'endpoints': ['$DIR/one.sock', '$DIR/two.sock']}})
    daemon.wait_open()
    one, two = daemon.client('one'), daemon.client('two')
    daemon.wait_status('b', lambda b: len(b['clients']) == 2)
    daemon.write({'bridges': {'b': {'url': server.url(), 'endpoints': ['$DIR/three.sock', '$DIR/one.sock']}}})
    daemon.call('reload')
    assert two.line() is None
    assert not os.path.exists(daemon.path('two.sock'))
    with daemon.client('three') as three:
        one.send('x\n')
        assert (one.line(), three.line()) == (b'x', b'x')
    assert daemon.status('b')['epoch'] == 1


def test_reload_of_log_limits_and_control(wsbridged, server):
    daemon = wsbridged({'b': {'url': server.url()}}, control=[{'unix': '$DIR/control.sock'},
                                                              {'unix': '$DIR/old.sock', 'level': 'read'}])
    daemon.wait_open()
    daemon.write({'bridges': {'b': {'url': server.url()}}, 'log': {'level': 'debug', 'format': 'json'},
                  'limits': {'clients': 1}, 'control': [{'unix': '$DIR/control.sock'},
                                                        {'unix': '$DIR/new.sock', 'level': 'read'}]})
    assert daemon.call('reload')['unchanged'] == 1
    assert daemon.status()['daemon']['limits']['clients'] == 1
    assert os.path.exists(daemon.path('new.sock')) and not os.path.exists(daemon.path('old.sock'))
    with daemon.client('b'), daemon.client('b') as second:
        assert second.line() is None
    last = json.loads(wait_until(lambda: daemon.log_lines('"level":"debug"'))[-1])
    assert last.keys() >= {'time', 'level', 'object', 'message'}


def test_sighup_with_a_bad_file(wsbridged, server):
    daemon = wsbridged({'b': {'url': server.url()}})
    daemon.wait_open()
    daemon.write_text('{"bridges": {"b": {"url": 5}}}')
    daemon.send_signal(signal.SIGHUP)
    daemon.log_contains(f'{daemon.conf_path}:1:27: bridges.b.url: expected a URL')
    daemon.log_contains('the old one goes on')
    assert (daemon.status('b')['state'], daemon.status('b')['epoch']) == ('open', 1)


def test_reload_when_the_file_is_gone(wsbridged, server):
    daemon = wsbridged({'b': {'url': server.url()}})
    os.remove(daemon.conf_path)
    with pytest.raises(RpcError) as error:
        daemon.call('reload')
    assert error.value.data['errors'] == [f'{daemon.conf_path}: cannot be read: No such file or directory']
    daemon.wait_open('b')


def test_a_storm_of_reloads(wsbridged, server, notify_socket):
    """A thousand signals in a second are no thousand reloads, and the daemon serves meanwhile."""
    bridges = twenty(server, '/storm')
    daemon = wsbridged(bridges, env=notify_socket.env)
    daemon.wait_open()
    longest, end = 0, time.monotonic() + 1
    while time.monotonic() < end:
        for _ in range(10):
            daemon.send_signal(signal.SIGHUP)
        asked = time.monotonic()
        assert daemon.call('version')
        longest = max(longest, time.monotonic() - asked)
        time.sleep(0.01)  # a rate, not a wait
    bridges['b00']['ping'] = {'interval': '1min'}
    daemon.write({'bridges': bridges})
    daemon.send_signal(signal.SIGHUP)
    wait_until(lambda: daemon.call('reload', dry_run=True)['unchanged'] == 20, what='the last file is in force')
    assert {b['epoch'] for b in daemon.status()['bridges']} == {1}
    assert len(notify_socket.with_line('RELOADING=1')) <= 6
    assert longest < slack(0.2)


def test_a_bridge_closed_by_hand_stays_closed_over_a_reload(wsbridged, server):
    daemon = wsbridged({'b': {'url': server.url()}})
    daemon.wait_open()
    daemon.call('close', name='b', wait=True)
    assert daemon.call('reload')['unchanged'] == 1
    assert daemon.status('b')['state'] == 'closed'


def test_reload_during_a_wait(wsbridged, server):
    """A new address is dialled at once: the wait belonged to the old one."""
    daemon = wsbridged({'b': {'url': f'ws://127.0.0.1:{free_port()}/', 'reconnect': {'initial': 60, 'max': 60}}})
    daemon.wait_state('b', 'waiting')
    daemon.write({'bridges': {'b': {'url': server.url(), 'reconnect': {'initial': 60, 'max': 60}}}})
    assert daemon.call('reload')['changed'] == ['b']
    daemon.wait_open('b')
