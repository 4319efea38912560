# SPDX-License-Identifier: Apache-2.0
"""The command line without a daemon: help, bad usage, nobody there, and `wsbridge echo`."""

import json
import os
import re
import subprocess
import time

import pytest

from cli import ENDPOINT, UNREACHABLE, USAGE, fails, fails_usage
from harness import WRAPPER, programs, slack, wait_until

COMMANDS = ['status', 'open', 'close', 'send', 'reconnect', 'reload', 'shutdown', 'version', 'rpc', 'echo', 'check']
WITH_DAEMON = [c for c in COMMANDS if c not in ('echo', 'check')]
WORDS = {'open': ['x', 'ws://h/'], 'close': ['x'], 'send': ['x', 'text'], 'reconnect': ['x'], 'rpc': ['version']}


@pytest.mark.parametrize('command', COMMANDS)
def test_help_of_each_command(wsbridge, command):
    done = wsbridge(None, command, '--help')
    assert (done.returncode, done.stderr) == (0, '')
    assert done.stdout.startswith(f'Usage: wsbridge {command}')
    for word in ('Switches:', '--help', 'Examples:', f'  wsbridge {command}' if command != 'rpc' else '  wsbridge rpc'):
        assert word in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100
    assert wsbridge(None, 'help', command).stdout == done.stdout
    assert wsbridge(None, command, '-h').stdout == done.stdout


def test_help(wsbridge):
    done = wsbridge(None, '--help')
    assert (done.returncode, done.stderr) == (0, '')
    for command in COMMANDS:
        assert re.search(rf'^  {command} +\w', done.stdout, re.MULTILINE), command
    assert 'Exit status' in done.stdout
    assert wsbridge(None, 'help').stdout == wsbridge(None, '-h').stdout == done.stdout


def test_version_of_the_tool(wsbridge):
    done = wsbridge(None, '--version')
    assert (done.returncode, done.stderr) == (0, '')
    assert re.fullmatch(r'wsbridge \d+\.\d+\.\d+\n', done.stdout)
    assert wsbridge(None, '-V').stdout == done.stdout


def test_no_command(wsbridge):
    done = wsbridge(None)
    assert (done.returncode, done.stdout) == (USAGE, '')
    assert done.stderr.startswith('Usage: wsbridge')


@pytest.mark.parametrize('words, sentence, command', [
    (['statsu'], 'unknown command "statsu"; did you mean "status"?', None),
    (['frobnicate'], 'unknown command "frobnicate"', None),
    (['\x1b[31m'], 'unknown command "\\x1b[31m"', None),
    (['help', 'nope'], 'unknown command "nope"; did you mean "open"?', None),
    (['--bogus', 'status'], 'unknown switch --bogus', None),
    (['-s'], '--socket needs a value (SOCKET)', None),
    (['-x'], 'unknown switch -x (before a word that begins with - put --)', None),
    (['status', '--jsno'], 'status: unknown switch --jsno; did you mean --json?', 'status'),
    (['open'], 'open: too few arguments; expected: NAME [URL]', 'open'),
    (['open', 'a', 'b', 'c'], 'open: too many arguments; expected: NAME [URL]', 'open'),
    (['close'], 'close: too few arguments; expected: NAME', 'close'),
    (['close', 'a', '--code'], 'close: --code needs a value (N)', 'close'),
    (['close', 'a', '--wait=1', '--code=5', 'b'], 'close: too many arguments; expected: NAME', 'close'),
    (['send'], 'send: too few arguments; expected: NAME [TEXT...|-]', 'send'),
    (['send', 'a', 'text', '--file', 'f'], 'send: either TEXT or --file, not both', 'send'),
    (['reload', 'now'], 'reload: takes no arguments', 'reload'),
    (['rpc'], 'rpc: too few arguments; expected: METHOD [PARAMS]', 'rpc'),
    (['echo', '-s', 'x'], 'echo: unknown switch -s (before a word that begins with - put --)', 'echo'),
    (['-s', 'x', 'echo'], 'echo: talks to no daemon: -s means nothing here', 'echo'),
    (['--json', 'echo'], 'echo: has no answer: --json means nothing here', 'echo'),
    (['echo', '--listen', 'nonsense'], None, 'echo'),
    (['check', 'a', 'b'], 'check: too many arguments; expected: [FILE]', 'check'),
])
def test_bad_usage(wsbridge, words, sentence, command):
    done = wsbridge(None, *words)
    if sentence is None:
        assert done.returncode == USAGE and done.stderr.startswith('wsbridge: echo: ')
        return
    fails_usage(done, sentence, command)


@pytest.mark.parametrize('words, sentence', [
    (['open', 'x', '-o', 'nonsense'], 'open: -o nonsense: expected KEY=VALUE'),
    (['open', 'x', 'ws://h/', '-o', 'ping.intervall=1'],
     'open: ping.intervall: unknown key; did you mean "ping.interval"?'),
    (['open', 'x', 'ws://h/', '-o', 'compression.levl=5'],
     'open: compression.levl: unknown key; did you mean "compression.level"?'),
    (['open', 'x', 'ws://h/', '-o', 'on_open=[1'], 'open: on_open: begins like JSON, but is none (character 2)'),
    (['open', 'x', '-f', '/nonexistent/file'], 'open: -f: /nonexistent/file: No such file or directory'),
    (['open', 'x', '--wait=soon'], 'open: --wait: "soon" is not a duration: a number is missing'),
    (['close', 'x', '--code', 'abc'], 'close: --code: expected a number such as 1000'),
    (['shutdown', '--timeout', 'x'], 'shutdown: --timeout: "x" is not a duration: a number is missing'),
    (['rpc', 'status', '{'], 'rpc: PARAMS is not a JSON text: character 1'),
    (['rpc', 'status', '[1]'], 'rpc: PARAMS must be an object'),
    (['open', '\udcff'], 'open: "\\xff" is not valid UTF-8'),
])
def test_what_is_refused_before_anything_is_asked(wsbridge, words, sentence):
    """There is no daemon at all, so nobody else can have said it."""
    fails(wsbridge(None, '-s', '/nonexistent/control.sock', *words), USAGE, sentence)


@pytest.mark.parametrize('command', WITH_DAEMON)
def test_no_daemon(wsbridge, folder, command):
    path = os.path.join(folder, 'none.sock')
    done = wsbridge(None, '-s', path, command, *WORDS.get(command, []))
    assert (done.returncode, done.stdout) == (UNREACHABLE, '')
    assert done.stderr.startswith(f'wsbridge: {path}: No such file or directory: is wsbridged running?')
    # Both places for the switch.
    assert wsbridge(None, command, '-s', path, *WORDS.get(command, [])).returncode == UNREACHABLE


def test_a_socket_that_nobody_serves(wsbridge, wsbridged):
    daemon = wsbridged()
    daemon.kill()
    daemon.expected_status = -9
    done = wsbridge(daemon, 'status')
    fails(done, UNREACHABLE, f'{daemon.control_path}: Connection refused: is wsbridged running?')


def ordinary_user(program):
    """Options for subprocess, so that it runs as one. Skips where root's program is out of his reach."""
    if os.getuid() != 0:
        return {}
    path = program
    while path != '/':
        if not os.stat(path).st_mode & 0o001:
            pytest.skip(f'an ordinary user may not run {program}')
        path = os.path.dirname(path)
    return {'user': 65534, 'group': 65534, 'extra_groups': []}


@pytest.mark.skipif(os.getuid() != 0, reason='only root can become somebody else')
def test_a_socket_of_somebody_else(up):
    os.chmod(up.folder, 0o755)
    done = subprocess.run([programs.wsbridge, '-s', up.control_path, 'status'], capture_output=True, text=True,
                          timeout=slack(10), check=False, **ordinary_user(programs.wsbridge))
    fails(done, UNREACHABLE, f'not allowed for this user: {up.control_path}: Permission denied')


def test_default_paths_of_a_user(folder):
    """$XDG_CONFIG_HOME and $XDG_RUNTIME_DIR, where there is no -c and no -s."""
    user = ordinary_user(programs.wsbridged)
    env = {**os.environ, 'XDG_CONFIG_HOME': os.path.join(folder, 'config'), 'XDG_RUNTIME_DIR': folder, 'HOME': '/'}
    os.makedirs(os.path.join(folder, 'config', 'wsbridge'))
    with open(os.path.join(folder, 'config', 'wsbridge', 'wsbridge.json'), 'w', encoding='ascii') as f:
        json.dump({'log': {'level': 'error'}}, f)
    for path in (folder, *(d for d, _, _ in os.walk(folder))):
        os.chown(path, user.get('user', -1), -1)
    process = subprocess.Popen([*WRAPPER, programs.wsbridged], env=env, stderr=subprocess.PIPE, cwd='/', **user)
    try:
        path = os.path.join(folder, 'wsbridge', 'control.sock')
        wait_until(lambda: os.path.exists(path) or process.poll() is not None)
        done = subprocess.run([*WRAPPER, programs.wsbridge, 'status'], env=env, capture_output=True, text=True,
                              timeout=slack(10), check=False, cwd='/', **user)
        assert (done.returncode, done.stdout, done.stderr) == (0, 'no bridges\n', '')
    finally:
        process.terminate()
        _, err = process.communicate(timeout=slack(15))
    assert (process.returncode, err) == (0, b'')


# echo -----------------------------------------------------------------------


def test_echo(wsbridged, echo_server):
    daemon = wsbridged({'echo': {'url': f'{echo_server.url}/'},
                        'ticker': {'url': f'{echo_server.url}/ticker?interval=50ms'},
                        'close': {'url': f'{echo_server.url}/close?code=4000&reason=bye', 'reconnect': {'initial': 60}},
                        'silent': {'url': f'{echo_server.url}/silent', 'ping': {'interval': 0.1, 'timeout': 0.1},
                                   'reconnect': {'initial': 60, 'max': 60}}})
    daemon.wait_open('echo', 'ticker', 'close')
    with daemon.client('echo') as client:
        client.send(b''.join(b'%d\n' % i for i in range(1000)))
        assert client.lines(1000) == [b'%d' % i for i in range(1000)]
    with daemon.client('ticker') as client:
        ticks = [json.loads(line) for line in client.lines(4)]
        assert [t['n'] for t in ticks] == list(range(ticks[0]['n'], ticks[0]['n'] + 4))
        assert abs(ticks[-1]['time'] - time.time()) < slack(5)
    with daemon.client('close') as client:
        client.send('x\n')
        bridge = daemon.wait_status('close', lambda b: b['last_close'])
        assert bridge['last_close'] == {'code': 4000, 'reason': 'bye', 'clean': True}
    assert daemon.wait_state('silent', 'waiting')['last_error']['kind'] == 'timeout'


def test_echo_ends_with_1001(wsbridged, echo_server):
    daemon = wsbridged({'b': {'url': echo_server.url + '/', 'reconnect': {'initial': 60, 'max': 60}}})
    daemon.wait_open()
    echo_server.terminate()
    bridge = daemon.wait_state('b', 'waiting')
    assert bridge['last_close']['code'] == 1001 and bridge['last_close']['clean']
    assert echo_server.wait(slack(5)) == 0


def test_echo_on_a_port_that_is_taken(wsbridge, echo_server):
    done = wsbridge(None, 'echo', '--listen', echo_server.url.removeprefix('ws://'))
    assert done.returncode == ENDPOINT
    assert done.stderr.startswith('wsbridge: echo: ') and 'Address already in use' in done.stderr
