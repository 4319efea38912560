# SPDX-License-Identifier: Apache-2.0
"""Control sockets of every kind: where they are, whose they are, who may connect and what for."""

import grp
import json
import os
import pwd
import signal
import socket
import stat
import subprocess
import sys

import pytest

from harness import WRAPPER, Control, programs, slack, wait_until

NOBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason='only root gives files away')

ASK = """
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.settimeout(20)
try:
    s.connect(sys.argv[1].replace('@', chr(0), 1) if sys.argv[1][0] == '@' else sys.argv[1])
    s.sendall(b'version' + bytes([10]))
    print(s.recv(65536).decode())
except (ConnectionResetError, BrokenPipeError):
    print('reset')
except PermissionError:
    print('permission')
"""


def ask_as(uid, path, groups=()):
    """What a program of this user is told: an answer, 'reset', 'permission', or '' for a plain end."""
    done = subprocess.run([sys.executable, '-c', ASK, path], capture_output=True, text=True, check=True, user=uid,
                          group=uid, extra_groups=list(groups), timeout=slack(20))
    return done.stdout.strip()


def abstract_name():
    return f'@wsbridge-test-{os.getpid()}'


def ask_abstract(name, line):
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(slack(20))
        s.connect('\0' + name[1:])
        s.sendall(line.encode() + b'\n')
        with s.makefile() as f:
            return json.loads(f.readline())


def test_several_sockets_with_a_level_each(wsbridged):
    daemon = wsbridged(control=[{}, {'unix': '$DIR/read', 'level': 'read', 'mode': '0666'},
                                {'unix': '$DIR/send', 'level': 'send'}, {'unix': '$DIR/admin'}])
    allowed = {}
    for name in ('read', 'send', 'admin'):
        with Control(daemon.path(name)) as control:
            methods = [m['name'] for m in control.call('rpc.discover')['methods']]
            # An unknown parameter: what is denied is not even looked at.
            answers = [control.ask(json.dumps({'id': 1, 'method': m, 'params': {'nosuch': 1}})) for m in methods]
        allowed[name] = {m for m, a in zip(methods, answers) if a['error']['data']['kind'] != 'denied'}
        assert all(a['error']['data']['kind'] in ('denied', 'invalid_option') for a in answers)
    assert {'status', 'version', 'explain', 'metrics', 'rpc.discover'} <= allowed['read']
    assert not allowed['read'] & {'send', 'open', 'close', 'log', 'reload', 'shutdown', 'reconnect'}
    assert allowed['read'] | {'send'} <= allowed['send']
    assert not allowed['send'] & {'open', 'close', 'log', 'reload', 'shutdown', 'reconnect'}
    assert allowed['admin'] == set(methods)


def test_abstract(wsbridged):
    name = abstract_name()
    daemon = wsbridged(control=[{}, {'unix': name, 'level': 'read'}])
    assert ask_abstract(name, 'version')['result']['version']
    assert ask_abstract(name, 'shutdown')['error']['data']['kind'] == 'denied'
    daemon.log_contains(f'every user of this machine may connect to {name}')
    done = subprocess.run([*WRAPPER, programs.wsbridge, '-s', name, 'version'], capture_output=True, text=True,
                          check=False, timeout=slack(20))
    assert done.returncode == 0 and done.stdout.startswith('wsbridged ')
    # A reload that says nothing new leaves it; one without it takes it away.
    daemon.call('reload')
    assert ask_abstract(name, 'version')
    daemon.write({'control': [{}]})
    daemon.call('reload')
    with pytest.raises(ConnectionRefusedError):
        ask_abstract(name, 'version')


def test_abstract_in_place_of_the_default(wsbridged):
    """Also given by -s, and then nothing is made in the file system."""
    daemon = wsbridged(start=False)
    daemon.control_path = abstract_name() + '/x'
    daemon.start(ready=False)
    wait_until(lambda: 'wsbridged ' in daemon.log())
    assert ask_abstract(daemon.control_path, 'version')['result']['version']
    assert not os.path.exists(os.path.join(daemon.folder, daemon.control_path.split('/')[0]))
    daemon.send_signal(signal.SIGTERM)
    assert daemon.wait_exit() == 0


@as_root
def test_only_named_users_may_connect(wsbridged):
    name = abstract_name()
    daemon = wsbridged(control=[{}, {'unix': name, 'allow_users': [str(NOBODY)]}])
    assert 'every user' not in daemon.log()
    assert '"result"' in ask_as(NOBODY, name)
    assert ask_as(1, name) in ('', 'reset')
    assert ask_as(0, name) in ('', 'reset')  # not even root
    daemon.log_contains(f'uid 1 refused at {name}: not in allow_users or allow_groups')
    assert daemon.status()['daemon']['control_clients']['now'] == 1


@as_root
def test_members_of_named_groups_may_connect(wsbridged):
    name = abstract_name()
    group = grp.getgrgid(2).gr_name
    wsbridged(control=[{}, {'unix': name, 'allow_users': ['root'], 'allow_groups': [group]}])
    assert '"result"' in ask_as(0, name)
    assert '"result"' in ask_as(2, name)  # its primary group
    assert '"result"' in ask_as(NOBODY, name, groups=[2])
    assert ask_as(NOBODY, name) in ('', 'reset')


@as_root
def test_owner_and_group(wsbridged):
    user = pwd.getpwuid(1)
    daemon = wsbridged(control=[{}, {'unix': '$DIR/theirs', 'owner': user.pw_name, 'group': '2', 'mode': '0660'}])
    found = os.stat(daemon.path('theirs'))
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (1, 2, 0o660)
    os.chmod(daemon.folder, 0o711)
    assert '"result"' in ask_as(1, daemon.path('theirs'))
    assert '"result"' in ask_as(NOBODY, daemon.path('theirs'), groups=[2])
    assert ask_as(NOBODY, daemon.path('theirs')) == 'permission'


@as_root
def test_a_reload_changes_who_may_connect(wsbridged):
    """The socket is made anew; who asked for the reload gets its answer, and has to come again."""
    def config(user):
        return {'control': [{}, {'unix': '$DIR/c', 'mode': '0666', 'allow_users': ['root', str(user)]}]}

    daemon = wsbridged(**config(1))
    os.chmod(daemon.folder, 0o711)
    before = os.stat(daemon.path('c')).st_ino
    with Control(daemon.path('c')) as control:
        control.call('reload')
        assert os.stat(daemon.path('c')).st_ino == before
        daemon.write(config(NOBODY))
        control.call('reload')
        assert os.stat(daemon.path('c')).st_ino != before
        assert control.line() is None
    assert '"result"' in ask_as(NOBODY, daemon.path('c'))
    assert ask_as(1, daemon.path('c')) in ('', 'reset')


@pytest.mark.parametrize('changed', [
    {'level': 'send'}, {'mode': '0666'}, {'allow_users': ['root', str(os.getuid())]}, None,
], ids=str)
def test_who_is_connected_when_the_conditions_change(wsbridged, changed):
    """The answers that are due, and no more; the others stay."""
    def config(more):
        other = [] if more is None else [{'unix': '$DIR/c', 'mode': '0600', **more}]
        return {'bridges': {'b': {'url': 'ws://127.0.0.1:9/', 'start': 'manual'}}, 'control': [{}, *other]}

    daemon = wsbridged(**config({}))
    assert daemon.call('version')  # this client stays
    with Control(daemon.path('c')) as waits, Control(daemon.path('c')) as listens, Control(daemon.path('c')) as idle:
        listens.call('subscribe', name='*')
        waits.send('{"id":5,"method":"wait","params":{"name":"b","state":"failed","timeout":1.5}}\n')
        assert idle.call('version')
        wait_until(lambda: daemon.status()['daemon']['waiting'] == 1)
        daemon.write(config({}))
        daemon.call('reload')
        assert idle.call('version')  # nothing has changed
        daemon.write(config(changed))
        daemon.call('reload')
        assert (idle.line(), listens.line()) == (None, None)
        waits.send('version\n')
        answer = waits.answer()
        assert (answer['id'], answer['error']['data']['kind']) == (5, 'timeout')
        assert waits.line() is None
    daemon.log_contains('its control socket is another now', 3)
    wait_until(lambda: daemon.status()['daemon']['control_clients']['now'] == 1)


@pytest.mark.parametrize('control, sentence', [
    ({'owner': 'nosuchuser'}, 'nosuchuser'),
    ({'allow_users': ['nosuchuser']}, 'nosuchuser'),
    ({'allow_groups': ['nosuchgroup']}, 'nosuchgroup'),
])
def test_names_that_nobody_has(wsbridged, control, sentence):
    """No daemon with a socket for the wrong people."""
    daemon = wsbridged(start=False, control=[{}, {'unix': '$DIR/c', **control}])
    daemon.expected_status = 1
    daemon.start(ready=False)
    assert daemon.wait_exit() == 1
    daemon.log_contains(sentence)
    assert not os.path.exists(daemon.path('c'))


class Inherited:
    """A daemon that gets a listening socket as its descriptor 3, as a service manager would do it."""

    def __init__(self, folder, control, name='control'):
        self.path = os.path.join(folder, 'inherited')
        self.conf_path = os.path.join(folder, 'conf.json')
        self.log = None
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(5)
        self.write(control)
        # The number of the process is known only to itself.
        self.process = subprocess.Popen(
            ['/bin/sh', '-c', 'LISTEN_PID=$$ exec "$@"', 'sh', *WRAPPER, programs.wsbridged, '-c', self.conf_path],
            env={**os.environ, 'LISTEN_FDS': '1', 'LISTEN_FDNAMES': name}, stderr=subprocess.PIPE,
            preexec_fn=lambda: os.dup2(self.listener.fileno(), 3), pass_fds=[3])

    def write(self, control):
        with open(self.conf_path, 'w', encoding='ascii') as f:
            json.dump({'control': control}, f)

    def end(self):
        self.listener.close()
        if self.log is None:
            self.log = self.process.communicate(timeout=slack(20))[1].decode()
        return self.log


@pytest.fixture
def inherited(folder):
    made = []

    def start(*args, **options):
        made.append(Inherited(folder, *args, **options))
        return made[-1]

    yield start
    for daemon in made:
        daemon.process.kill()
        daemon.end()


def test_inherited(inherited):
    daemon = inherited({'unix': 'systemd:control'})
    with Control(daemon.path) as control:  # connects before anybody accepts
        assert control.call('version')
        # The next one has another level, and takes over from where the first has left.
        daemon.write({'unix': 'systemd:control', 'level': 'send', 'allow_users': [str(os.getuid())]})
        control.call('reload')
        with Control(daemon.path) as other:
            assert other.ask('reload')['error']['data']['kind'] == 'denied'
        assert control.line() is None  # who was there before has to come again
    daemon.process.terminate()
    daemon.end()
    assert daemon.process.returncode == 0
    assert os.path.exists(daemon.path)  # it was not ours to remove


def test_inherited_under_another_name(inherited):
    daemon = inherited({'unix': 'systemd:control'}, name='other')
    assert 'no socket named "control" was handed down' in daemon.end()
    assert daemon.process.returncode == 1
