# SPDX-License-Identifier: Apache-2.0
"""
`wsbridge top` on a real terminal, as tmux(1) shows its screen. How it is laid out, to the column,
is compared by the unit tests; here numbers that change are `#`, and runs of blanks are one.
"""

import json
import os
import re
import signal
import subprocess
import time

import pytest

import frames
from cli import UNREACHABLE, USAGE, fails
from harness import WRAPPER, free_port, is_instrumented, programs, slack, wait_until
from terminal import SHELL, open_screen

BLOCKS = '▁▂▃▄▅▆▇█'
TITLES = 'NAME STATE RX/s RX B/s TX/s TX B/s MSG/s QUEUED RTT'
HINTS = '? help q quit Enter details / filter < > sort r reverse p pause'


def plain(line):
    """What stays the same of a line: no graphs, no numbers but 0, no paths, one blank between words."""
    line = re.sub(f'[{BLOCKS}]', ' ', line)
    line = re.sub(r'\d\d:\d\d:\d\d', 'CLOCK', line)
    line = re.sub(r'up \S+( \d+[smhd])?', 'up AGE', line)
    line = re.sub(r'(?<=AGE) +\S+(?= )', '', line)
    line = re.sub(r'(?<![\w.])(?!0(?![.\w]))\d+(\.\d+)?(k|[KM]|B|us|ms|s|m)?(?![\w.])', '#', line)
    return ' '.join(line.split())


class Top:
    """A terminal in which it runs."""

    def __init__(self, screen, daemon):
        self.screen, self.daemon = screen, daemon
        self.pid_path = daemon.path('top.pid')

    def start(self, *words, before=''):
        argv = [*WRAPPER, programs.wsbridge, '-s', self.daemon.control_path, 'top', '-d', '200ms', *words]
        self.screen.command(f'{before} sh -c', f"'echo $$ > {self.pid_path}; exec {' '.join(argv)}'")
        self.wait(lambda lines: lines[0].startswith('wsbridged ') or 'status' in lines[-1], 'the first screen')
        return self

    def kill(self, number):
        with open(self.pid_path, encoding='ascii') as f:
            os.kill(int(f.read()), number)

    def wait(self, predicate, what='what is expected'):
        return self.screen.wait(lambda lines: lines and predicate([plain(line) for line in lines]), what)

    def see(self, *expected):
        """These lines, in this order, one below the other, somewhere."""
        def seen(lines):
            return any(lines[i:i + len(expected)] == list(expected) for i in range(len(lines)))
        self.wait(seen, repr(expected))

    def see_first_words(self, *words):
        """Of the rows below the titles."""
        def seen(lines):
            at = next((i for i, line in enumerate(lines) if line.startswith('NAME')), len(lines))
            return [line.split()[0] for line in lines[at + 1:at + 1 + len(words)]] == list(words)
        self.wait(seen, f'{words} as the first bridges')

    def press(self, *keys):
        self.screen.press(*keys)


@pytest.fixture
def fleet(wsbridged, echo_server):
    def at(path, **options):
        return {'url': f'{echo_server.url}{path}', **options}

    nobody = f'ws://127.0.0.1:{free_port()}/'
    daemon = wsbridged({
        'failed': {'url': nobody, 'reconnect': {'attempts': 1}},
        'fast': at('/ticker?interval=10ms', ping={'interval': 0.2}),
        'idle': at('/', start='on-demand'),
        'quiet': at('/'),
        'refused': {'url': nobody, 'reconnect': {'initial': 600, 'max': 600}},
    })
    daemon.wait_open('fast', 'quiet')
    daemon.wait_state('failed', 'failed')
    daemon.wait_state('refused', 'waiting')
    return daemon


@pytest.fixture
def terminal(folder):
    with open_screen(folder, 80, 24) as made:
        yield made


@pytest.fixture
def top(terminal, fleet):
    return Top(terminal, fleet)


def test_the_list(top):
    top.start()
    top.wait(lambda lines: lines == [
        'wsbridged 0.1.0 up AGE every # CLOCK',
        '# bridges # open # failed # waiting # idle',
        'rx #/s #/s tx 0/s 0/s queued 0 of # clients 0 of #',
        TITLES.replace('NAME', 'NAME▲'),
        'failed failed 0 0 0 0 0 -',
        'fast open # # 0 0 0 #',
        'idle idle 0 0 0 0 0 -',
        'quiet open 0 0 0 0 0 -',
        'refused waiting # 0 0 0 0 0 -',
        'failed: connect to 127.0.0.1:#: Connection refused',
        HINTS,
    ], 'the whole list')
    rows = top.screen.rows()
    assert len(rows) == 24 and rows[3] == '' and rows[23].startswith('? help')
    fast = next(row for row in rows if row.startswith('fast'))
    assert any(block in fast for block in BLOCKS)


def test_sorting(top):
    top.start()
    top.see_first_words('failed', 'fast', 'idle', 'quiet', 'refused')
    top.press('r')
    top.see_first_words('refused', 'quiet', 'idle', 'fast', 'failed')
    top.press('R')
    top.see_first_words('fast', 'failed', 'idle', 'quiet', 'refused')
    top.see('NAME STATE RX/s▼ RX B/s TX/s TX B/s MSG/s QUEUED RTT', 'fast open # # 0 0 0 #')
    top.press('R')
    top.see('NAME STATE RX/s▲ RX B/s TX/s TX B/s MSG/s QUEUED RTT')
    top.see_first_words('failed', 'idle', 'quiet', 'refused', 'fast')
    top.press('S')
    top.see_first_words('failed', 'refused', 'fast', 'quiet', 'idle')
    top.press('<')
    top.see(TITLES.replace('NAME', 'NAME▲'))
    top.press('>', 'Right', 'Left', 'Right')
    top.see('NAME STATE RX/s▼ RX B/s TX/s TX B/s MSG/s QUEUED RTT')


def test_filter(top):
    top.start()
    top.screen.type('/REF')
    top.see(TITLES.replace('NAME', 'NAME▲'), 'failed failed 0 0 0 0 0 -', 'refused waiting # 0 0 0 0 0 -')
    top.see('filter: REF_ # of # Enter keep Esc clear')
    top.screen.type('used')
    top.press('BSpace', 'BSpace', 'BSpace', 'BSpace', 'Enter')
    top.see('filter: REF # of # Esc clear')
    top.screen.type('/ no')
    top.see('no bridge passes the filter')
    top.press('Escape')
    top.see_first_words('failed', 'fast', 'idle', 'quiet', 'refused')
    top.see(HINTS)


def test_detail(top, fleet):
    with fleet.client('fast'):
        top.start()
        top.press('Down', 'Enter')
        top.see('url ws://127.0.0.1:#/ticker?...', 'peer 127.0.0.1:#')
        top.wait(lambda lines: lines[0].startswith('fast open for #'))
        wait_until(lambda: any(block in ''.join(top.screen.rows()[3:7]) for block in BLOCKS), what='a graph')
        rows = top.screen.rows()
        assert rows[2].startswith('received ') and 'peak' in rows[2]
        assert rows[7].startswith('sent 0 msg/s')
        top.press('End')
        top.see('CLIENT OF PID UID SENT RECEIVED QUEUED DROPPED')
        top.wait(lambda lines: any(line.startswith('TIME WHAT DETAIL') for line in lines))
        text = '\n'.join(top.screen.lines())
        assert re.search(r':\d\d  open .*\n.*  opened .*; took .*\n.*  connecting .*\n.*  attempt +ws://', text)
        top.press('Home', 'q')
        top.see_first_words('failed', 'fast')
        top.press('Down', 'Enter')
        top.wait(lambda lines: lines[0].startswith('idle idle'))
        top.press('Escape')
        top.see(HINTS)


def test_a_bridge_goes_while_it_is_looked_at(top, fleet):
    fleet.call('open', name='gone', url=fleet.status('quiet')['url'], endpoint=fleet.path('gone.sock'), wait=True)
    top.start()
    top.screen.type('/gone')
    top.press('Enter', 'Enter')
    top.wait(lambda lines: lines[0].startswith('gone open'))
    fleet.call('close', name='gone', wait=slack(5))
    top.wait(lambda lines: lines[0].startswith('gone is not there any more'))
    top.press('Escape')
    top.see('no bridge passes the filter')


def test_what_peers_say_steers_no_terminal(terminal, wsbridged, dumb_server):
    def script(conn):
        conn.upgrade()
        conn.send(frames.close(4000, '\x1b[2J\x07\u202ebye'.encode()))

    daemon = wsbridged({'b': {'url': dumb_server(script).url(), 'reconnect': {'initial': 600, 'max': 600}}})
    daemon.wait_state('b', 'waiting')
    top = Top(terminal, daemon).start()
    shown = r'\x1b[2J\x07\xe2\x80\xaebye'
    terminal.wait(lambda lines: shown in lines[-2])
    top.press('Enter', 'End')
    terminal.wait(lambda lines: any(line.startswith('  last close') and shown in line for line in lines))


def test_help(top):
    top.start()
    top.press('?')
    top.see('wsbridge top: keys and columns', 'Up Down k j select a bridge, or scroll')
    top.press('End')
    top.see('E LAST ERROR the last error')
    top.press('q')
    top.see(HINTS)


def test_resize(top):
    top.start()
    top.see(HINTS)
    top.screen.resize(40, 10)
    top.see('NAME▲ STATE RX/s TX/s', 'failed failed 0 0', 'fast open # 0')
    assert len(top.screen.rows()) == 10
    top.press('End', 'Enter')
    top.wait(lambda lines: lines[0].startswith('refused waiting for #'))
    top.press('q')
    top.screen.resize(200, 50)
    top.see(TITLES.replace('NAME', 'NAME▲') + ' RECON CLIENTS DROPPED LAST ERROR',
            'failed failed 0 0 0 0 0 - 0 0 0 connect to 127.0.0.1:#: Connection refused')
    assert len(top.screen.rows()) == 50
    top.screen.resize(20, 3)
    top.wait(lambda lines: lines[0] == 'NAME▲ RX/s' and len(lines) == 3)
    top.screen.resize(80, 24)
    top.see(HINTS)


def test_pause(top, fleet):
    top.start()
    top.see('fast open # # 0 0 0 #')
    top.press('p')
    top.wait(lambda lines: lines[0].endswith('paused CLOCK'))
    before, count = top.screen.rows(), fleet.status('fast')['rx']['messages']
    fleet.wait_status('fast', lambda b: b['rx']['messages'] > count + 100)
    assert top.screen.rows() == before
    top.press('+', 'p')
    top.wait(lambda lines: lines[0].endswith('every # CLOCK'))
    wait_until(lambda: top.screen.rows() != before)


@pytest.mark.parametrize('end, status', [
    ('q', 0), ('C-c', 0), (signal.SIGTERM, 0), (signal.SIGHUP, 0), (signal.SIGABRT, 134), (signal.SIGSEGV, 139)])
def test_the_terminal_is_as_it_was(top, end, status):
    before, after = (top.daemon.path(name) for name in ('before', 'after'))
    top.start(before=f'stty -a > {before}; echo was here;')
    top.see(HINTS)
    if isinstance(end, str):
        top.press(end)
    else:
        top.kill(end)
    if status and (WRAPPER or is_instrumented(programs.wsbridge)):
        status = None  # these end in their own way, with a report
    top.screen.wait(lambda lines: lines[-1] == SHELL and (status is None or (
        lines[0] == 'was here' and f'status {status}' in lines)), 'what was there before')
    assert top.screen.run('display-message', '-p', '#{cursor_flag} #{alternate_on} #{keypad_flag}').split() == \
        ['1', '0', '0']
    top.screen.type(f'stty -a > {after}; echo written')
    top.press('Enter')
    top.screen.wait(lambda lines: 'written' in lines)
    with open(before, encoding='ascii') as one, open(after, encoding='ascii') as other:
        assert one.read() == other.read()


def test_stop_and_go_on(top):
    top.start()
    top.see(HINTS)
    top.press('C-z')
    top.screen.wait(lambda lines: lines[-1] == SHELL)
    top.screen.type('fg')
    top.press('Enter')
    top.see(HINTS)
    top.see('fast open # # 0 0 0 #')
    top.press('q')
    top.screen.wait(lambda lines: lines[-1] == SHELL)


def test_the_daemon_goes_and_comes(top, fleet):
    top.start()
    top.see('fast open # # 0 0 0 #')
    assert fleet.stop() == 0
    fleet.forget_control()
    top.see('wsbridged does not answer; trying again every # CLOCK')
    top.screen.wait(lambda lines: re.fullmatch(
        r'/\S+control\.sock: (No such file or directory: is wsbridged running\?|Connection refused: .*)', lines[-1]))
    top.see_first_words('failed', 'fast')
    fleet.start()
    top.see('fast open # # 0 0 0 #')
    top.see(HINTS)


def test_a_daemon_that_hangs_stops_no_keys(top, fleet):
    top.start()
    top.see('fast open # # 0 0 0 #')
    fleet.send_signal(signal.SIGSTOP)
    try:
        top.press('R')
        top.see_first_words('fast', 'failed')
        top.press('?')
        top.see('wsbridge top: keys and columns')
        top.press('q')
        end = slack(12)
        wait_until(lambda: re.search(r'no answer from wsbridged for \d+ seconds', top.screen.lines()[-1]), end)
    finally:
        fleet.send_signal(signal.SIGCONT)
    top.see(HINTS)
    top.press('q')
    top.screen.wait(lambda lines: lines[-1] == SHELL)


def test_no_colours_if_nobody_wants_them(top):
    def colours():
        shown = top.screen.run('capture-pane', '-e', '-p')
        return set(re.findall(r'\x1b\[(?:\d+;)*(3[1-7])(?:;\d+)*m', shown))

    top.start()
    top.see('fast open # # 0 0 0 #')
    wait_until(lambda: colours() == {'31', '32', '33', '36'})
    top.press('q')
    top.screen.wait(lambda lines: lines[-1] == SHELL)
    top.start(before='NO_COLOR=1')
    top.see('fast open # # 0 0 0 #')
    assert colours() == set()


def test_a_terminal_with_one_screen(top):
    """There the shell goes on in the last row, as on Linux's console, and nothing of ours is beside it."""
    top.start('-n', '3', before='TERM=linux')
    top.screen.wait(lambda lines: lines[-2:] == ['status 0', SHELL])
    assert not any('reverse' in line for line in top.screen.lines())


def test_a_locale_without_utf8(top):
    top.start(before='LC_ALL=C')
    top.see(TITLES.replace('NAME', 'NAME^'))
    top.wait(lambda lines: any(re.match(r'fast open \S+ \S+ 0 0 [.:=+*@#-]', line) for line in lines))
    assert '\n'.join(top.screen.rows()).isascii()


def test_so_many_looks(top):
    top.start('-n', '2')
    top.screen.wait(lambda lines: lines[-2:] == ['status 0', SHELL])


# Where there is no screen ------------------------------------------------------------------------

def run_top(daemon, *words, **options):
    return subprocess.run([*WRAPPER, programs.wsbridge, '-s', daemon.control_path, 'top', *words], text=True,
                          capture_output=True, timeout=slack(20), check=False, **options)


def test_json(fleet):
    done = run_top(fleet, '--json', '-n', '3', '-d', '100ms')
    assert (done.returncode, done.stderr) == (0, '')
    looks = [json.loads(line) for line in done.stdout.splitlines()]
    assert [sorted(look) for look in looks] == [['bridges', 'daemon']] * 3
    counts = [next(b for b in look['bridges'] if b['name'] == 'fast')['rx']['messages'] for look in looks]
    assert counts == sorted(set(counts))


def test_json_ends_with_the_daemon(fleet):
    process = subprocess.Popen([*WRAPPER, programs.wsbridge, '-s', fleet.control_path, '--json', 'top', '-d', '100ms'],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.stdout.readline()
    fleet.stop()
    _, err = process.communicate(timeout=slack(20))
    assert process.returncode == UNREACHABLE
    assert err == f'wsbridge: {fleet.control_path}: wsbridged ended without an answer\n'


def test_json_makes_nothing_up_for_a_pause(fleet):
    """It was stopped, or nobody read: what was missed then does not come in a burst."""
    process = subprocess.Popen([*WRAPPER, programs.wsbridge, '-s', fleet.control_path, '--json', 'top', '-d', '100ms'],
                               stdout=subprocess.PIPE, text=True)
    process.stdout.readline()
    process.send_signal(signal.SIGSTOP)
    time.sleep(1.2)  # what is looked for is what time alone brings about
    process.send_signal(signal.SIGCONT)
    began = time.monotonic()
    for _ in range(9):
        process.stdout.readline()
    process.kill()
    process.communicate()
    assert time.monotonic() - began > 0.5


def test_no_terminal(fleet, folder):
    sentence = 'top: standard input and output are no terminal; use "wsbridge status", or --json with this command'
    fails(run_top(fleet, stdin=subprocess.DEVNULL), USAGE, sentence)
    with open_screen(folder, 120, 10) as screen:
        for term, said in (('dumb', 'the terminal cannot show a whole screen (TERM is "dumb")'),
                           ('no-such', 'nothing is known of this terminal (TERM is "no-such")')):
            screen.command(f'TERM={term}', *WRAPPER, programs.wsbridge, '-s', fleet.control_path, 'top')
            screen.see(f'wsbridge: top: {said}; use "wsbridge status"', f'status {USAGE}', SHELL)


def test_no_daemon(wsbridged):
    daemon = wsbridged({})
    daemon.stop()
    fails(run_top(daemon), UNREACHABLE, f'{daemon.control_path}: No such file or directory: is wsbridged running?')


@pytest.mark.parametrize('words, why', [
    (['-d', 'soon'], '--delay: "soon" is not a duration: a number is missing'),
    (['-d', '10ms'], '--delay: expected 100ms to 1d'),
    (['-n', '0'], '--number: expected 1 to 1000000000'),
])
def test_bad_switches(fleet, words, why):
    fails(run_top(fleet, *words), USAGE, f'top: {why}')
