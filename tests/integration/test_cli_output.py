# SPDX-License-Identifier: Apache-2.0
"""
What the command line writes where: for people on a terminal, for programs as JSON, nothing that is
only half true when it could not be written.
"""

import json
import os
import pty
import re
import subprocess

import pytest

from cli import ERROR, NAME, NOT_OPEN, PAYLOAD, TIMEOUT, USAGE, fails
from harness import WRAPPER, free_port, programs, slack, wait_until


class Terminal:
    """A terminal of its own for one run: `out` and `err` are what it got of the two."""

    def __init__(self, daemon, *words, columns=80, **env):
        ends = [pty.openpty() for _ in range(2)]
        for main, other in ends:
            subprocess.run(['stty', 'cols', str(columns)], stdin=other, check=True)
        socket = ['-s', daemon.control_path] if daemon else []
        argv = [*WRAPPER, programs.wsbridge, *socket, *words]
        clean = {k: v for k, v in os.environ.items() if k not in ('COLUMNS', 'NO_COLOR')}
        process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=ends[0][1], stderr=ends[1][1],
                                   env={**clean, 'TERM': 'xterm', **env})
        for _, other in ends:
            os.close(other)
        self.out, self.err = (self.read(main) for main, _ in ends)
        self.status = process.wait(slack(10))

    @staticmethod
    def read(fd):
        data = b''
        try:
            while piece := os.read(fd, 65536):
                data += piece
        except OSError:  # that is how a terminal ends
            pass
        os.close(fd)
        return data.decode().replace('\r\n', '\n')


def plain(text):
    return re.sub(r'\x1b\[[0-9;]*m', '', text)


@pytest.fixture
def silent(wsbridged, dumb_server):
    """A daemon whose bridge "b" has a server that never answers anything."""
    def script(conn):
        conn.upgrade()
        conn.drain_to_close()

    daemon = wsbridged({'b': {'url': dumb_server(script).url(), 'timeouts': {'close': 0.2}},
                        'down': {'url': 'ws://127.0.0.1:1/', 'start': 'manual'}})
    daemon.wait_open('b')
    return daemon


# For people -----------------------------------------------------------------


@pytest.mark.parametrize('columns', [46, 60, 80, 200])
def test_tables_are_as_wide_as_the_terminal(wsbridged, server, columns):
    daemon = wsbridged({'a-name-of-some-length': {'url': server.url('/' + 'long' * 20)}, 'b': {'url': server.url()}})
    daemon.wait_open()
    for shown in (Terminal(daemon, 'status', columns=columns), Terminal(daemon, 'status', COLUMNS=str(columns)),
                  Terminal(daemon, 'status', columns=90 if columns > 90 else 300, COLUMNS=str(columns))):
        lines = plain(shown.out).splitlines()
        assert len(lines) == 3 and shown.status == 0
        assert max(map(len, lines)) <= columns
        assert ('...' in lines[1]) == (columns < 160)
    wide = Terminal(daemon, 'status', columns=60, COLUMNS='nonsense')
    assert max(map(len, plain(wide.out).splitlines())) <= 60


def test_a_narrow_terminal_cuts_no_reason(wsbridged):
    port = free_port()
    daemon = wsbridged({'b': {'url': f'ws://127.0.0.1:{port}/', 'reconnect': {'attempts': 1}}})
    daemon.wait_state('b', 'failed')
    shown = plain(Terminal(daemon, 'explain', 'b', columns=50).out)
    assert f'  connect to 127.0.0.1:{port}: Connection refused; no further attempt\n' in shown


def test_colour(up):
    assert '\x1b[' in Terminal(up, 'status').out
    assert '\x1b[' in Terminal(up, 'status', NO_COLOR='').out
    for env in ({'NO_COLOR': '1'}, {'TERM': 'dumb'}, {'TERM': ''}):
        for words in (['status'], ['status', 'up'], ['explain', 'up']):
            assert '\x1b' not in Terminal(up, *words, **env).out
    for words in (['status'], ['explain', 'up']):
        piped = subprocess.run([*WRAPPER, programs.wsbridge, '-s', up.control_path, *words], capture_output=True,
                               env={**os.environ, 'TERM': 'xterm', 'COLUMNS': '40'}, check=True)
        assert b'\x1b' not in piped.stdout and b'...' not in piped.stdout


def test_who_waits_sees_for_how_long(silent):
    shown = Terminal(silent, 'wait', 'down', '-t', '2.5')
    assert shown.status == TIMEOUT and shown.out == ''
    ticks, _, rest = shown.err.rpartition('\r\x1b[K')
    assert [t for t in ticks.split('\r\x1b[K') if t] == ['wait: waiting, 1.0s', 'wait: waiting, 2.0s']
    assert rest == 'wsbridge: wait: bridge "down" is not open after 2500ms, but closed\n'


def test_who_does_not_wait_or_see_is_not_told(silent, wsbridge):
    assert '\x1b[K' not in Terminal(silent, 'wait', 'b').err
    assert '\x1b' not in Terminal(silent, 'wait', 'down', '-t', '1.2', TERM='dumb').err
    done = wsbridge(silent, 'wait', 'down', '-t', '1.2')
    fails(done, TIMEOUT, 'wait: bridge "down" is not open after 1200ms, but closed')


@pytest.mark.parametrize('words, status, try_this', [
    (['ping', 'nosuch'], NAME, 'wsbridge status'),
    (['ping', 'down'], NOT_OPEN, 'wsbridge explain down'),
    (['send', 'down', 'x'], NOT_OPEN, 'wsbridge explain down'),
    (['recv', 'down'], NOT_OPEN, 'wsbridge explain down'),
    (['close', 'b', '--code', '1005'], USAGE, 'wsbridge close --help'),
])
def test_what_to_try(silent, wsbridge, words, status, try_this):
    """A person gets a second line; a program has one sentence."""
    shown = Terminal(silent, *words)
    assert (shown.status, shown.out) == (status, '')
    sentence, hint = shown.err.splitlines()
    assert sentence.startswith(f'wsbridge: {words[0]}: ') and hint == f'Try `{try_this}`.'
    fails(wsbridge(silent, *words), status, sentence.removeprefix('wsbridge: '))


def test_what_to_try_where_no_connection_came_to_be():
    port = free_port()
    shown = Terminal(None, 'connect', f'ws://127.0.0.1:{port}/')
    assert shown.status == 7
    assert shown.err.splitlines() == [f'wsbridge: connect: connect to 127.0.0.1:{port}: Connection refused',
                                      'Try `wsbridge probe URL`.']


# For programs ---------------------------------------------------------------

# Of each command that has an answer: how it is called, and how many lines of JSON that are.
ANSWERS = {
    'status': (['status', 'up', 'down'], 2), 'open': (['open', 'down', '--wait'], 1), 'send': (['send', 'up', 'x'], 1),
    'recv': (['recv', 'up', '--match', 'two'], 1), 'request': (['request', 'up', 'a\nb', '--match', 'a'], 1),
    'wait': (['wait', 'up'], 1), 'ping': (['ping', 'up'], 1), 'monitor': (['monitor', 'up'], None),
    'reconnect': (['reconnect', 'up'], 1), 'explain': (['explain', 'up'], 1), 'reload': (['reload', '--dry-run'], 1),
    'log': (['log'], 1), 'trace': (['trace', 'up'], None), 'metrics': (['metrics'], 1), 'version': (['version'], 1),
    'rpc': (['rpc', 'status'], 1), 'probe': (['probe', 'URL'], 1), 'check': (['check', 'FILE'], 1),
    'close': (['close', 'down', '--wait'], 1), 'shutdown': (['shutdown'], 1),
}
NO_ANSWER = {'connect', 'echo', 'top'}


def commands(wsbridge):
    """All that the help tells of."""
    text = wsbridge(None, '--help').stdout
    return set(re.findall(r'^  ([a-z]+) ', text, re.MULTILINE))


def test_the_table_of_answers_is_complete(wsbridge):
    known = commands(wsbridge)
    assert len(known) > 15 and known - NO_ANSWER == ANSWERS.keys() & known
    assert ANSWERS.keys() - known <= {'trace'}


def test_json_is_one_value_on_a_line(up, server, wsbridge):
    for name in [c for c in ANSWERS if c in commands(wsbridge)]:
        words, lines = ANSWERS[name]
        if lines is None:
            continue  # these end when they are interrupted; they have tests of their own
        argv = [{'URL': server.url(), 'FILE': up.conf_path}.get(word, word) for word in words]
        if name == 'recv':
            process = subprocess.Popen([*WRAPPER, programs.wsbridge, '-s', up.control_path, '--json', *argv],
                                       stdout=subprocess.PIPE, text=True)
            wait_until(lambda: up.status()['daemon']['waiting'] == 1)
            up.call('send', name='up', text='two\nlines')
            out, status = process.communicate()[0], process.returncode
        else:
            alone = name in ('probe', 'check')
            done = wsbridge(None if alone else up, '--json', *argv)
            out, status = done.stdout, done.returncode
        assert status == 0 and out.endswith('\n'), (name, out)
        values = [json.loads(line) for line in out.splitlines()]
        assert len(values) == lines and all(isinstance(v, dict) for v in values), (name, out)


def test_a_refusal_is_no_answer(silent, wsbridge):
    """Not on standard output, which is empty then."""
    for words in (['status', 'nosuch'], ['ping', 'down'], ['request', 'b', 'x', '--match', 'y', '-t', '0.1']):
        done = wsbridge(silent, '--json', *words)
        assert done.stdout == '' and done.returncode in (NAME, NOT_OPEN, TIMEOUT) and done.stderr.count('\n') == 1


# Not all of it --------------------------------------------------------------


def test_recv_says_when_it_has_less_than_it_was_asked_for(up, server, wsbridge):
    process = subprocess.Popen([*WRAPPER, programs.wsbridge, '-s', up.control_path, 'recv', 'up', '-n', '10'],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_until(lambda: up.status()['daemon']['waiting'] == 1)
    server.command(path='/', text='x' * 1100000, count=3)
    out, errors = process.communicate(timeout=slack(10))
    assert process.returncode == PAYLOAD and len(out.splitlines()) == 2
    assert errors.decode().startswith('wsbridge: recv: 2 of 10 messages: ')


@pytest.mark.parametrize('words', [['version'], ['metrics'], ['--json', 'status'], ['--json', 'rpc', 'rpc.discover']])
def test_a_full_disk(up, words):
    """Also where more is written than is kept back, so that an early write has failed."""
    with open('/dev/full', 'wb') as full:
        done = subprocess.run([*WRAPPER, programs.wsbridge, '-s', up.control_path, *words], stdout=full,
                              stderr=subprocess.PIPE, timeout=slack(10), check=False)
    assert done.returncode == ERROR
    assert done.stderr in (b'wsbridge: standard output: No space left on device\n',
                           b'wsbridge: standard output: not all could be written\n')


@pytest.mark.parametrize('words', [['metrics'], ['--json', 'rpc', 'rpc.discover']])
def test_nobody_reads(up, words):
    """SIGPIPE ends it like any filter; where that is ignored, it is an error like any other."""
    script = 'trap "" PIPE; "$0" "$@"; echo $? >&2'
    for command, errors in (('"$0" "$@"; echo $? >&2', b'141\n'),
                            (script, b'wsbridge: standard output: Broken pipe\n1\n')):
        reader, writer = os.pipe()
        os.close(reader)
        done = subprocess.run(['sh', '-c', command, programs.wsbridge, '-s', up.control_path, *words], stdout=writer,
                              stderr=subprocess.PIPE, restore_signals=True, timeout=slack(10), check=False)
        os.close(writer)
        assert done.stderr.splitlines()[-1:] == errors.splitlines()[-1:]


@pytest.mark.parametrize('words', [['wait', 'down'], ['recv', 'b'], ['request', 'b', 'x', '--match', 'y', '-t', '0'],
                                   ['monitor']])
def test_an_interrupt(silent, words):
    """It dies of the signal, so that a shell sees 130, and the daemon forgets what it waited for."""
    process = subprocess.Popen([*WRAPPER, programs.wsbridge, '-s', silent.control_path, *words],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_until(lambda: silent.status()['daemon'][('waiting', 'subscriptions')[words == ['monitor']]] == 1)
    process.send_signal(2)
    assert process.communicate(timeout=slack(10)) == (b'', b'') and process.returncode == -2
    wait_until(lambda: silent.status()['daemon']['waiting'] == silent.status()['daemon']['subscriptions'] == 0)


def test_an_empty_list_of_events(up, wsbridge):
    fails(wsbridge(up, 'monitor', '--events', ','), USAGE, 'monitor: --events: expected a list such as state,error')
