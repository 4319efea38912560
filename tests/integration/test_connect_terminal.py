# SPDX-License-Identifier: Apache-2.0
"""
`wsbridge connect` on a real terminal: what a person sees, as tmux(1) shows its screen. The trap: a
screen is compared as a whole once it has settled, so every test waits for what it expects.
"""

import os
import re
import shutil
import subprocess

import pytest

import frames
from harness import WRAPPER, programs, wait_until

WIDTH, HEIGHT = 40, 16
SHELL = 'done %'


class Screen:
    """A terminal with one shell in it."""

    def __init__(self, folder):
        self.tmux = ['tmux', '-u', '-S', os.path.join(folder, 'tmux'), '-f', '/dev/null']
        env = {'HOME': folder, 'PATH': os.environ['PATH'], 'LC_ALL': 'C.UTF-8', 'TERM': 'xterm'}
        subprocess.run(self.tmux + ['new-session', '-d', '-x', str(WIDTH), '-y', str(HEIGHT),
                                    f"env PS1='{SHELL} ' sh"], env=env, check=True)

    def run(self, *words):
        return subprocess.run(self.tmux + list(words), capture_output=True, text=True, check=True).stdout

    def start(self, url, *words):
        command = ' '.join(WRAPPER + [programs.wsbridge, 'connect', f"'{url}'", *words])
        self.type(f'clear; {command}; echo status $?')
        self.press('Enter')

    def connected(self):
        """Waits for the sentence that says so, and the prompt below."""
        def seen():
            lines = self.lines()
            return lines and lines[0].startswith('* connected') and lines[-1] == '>'
        wait_until(seen, 5, 'a connection on the screen')

    def type(self, text):
        self.run('send-keys', '-l', text)

    def press(self, *keys):
        self.run('send-keys', *keys)

    def lines(self):
        """Without trailing blanks and empty lines, and without the command that was typed."""
        shown = [line.rstrip() for line in self.run('capture-pane', '-p').splitlines()]
        begin = max((i for i, line in enumerate(shown) if line.startswith('* connected')), default=0)
        return [line for line in shown[begin:] if line]

    def cursor(self):
        return self.run('display-message', '-p', '#{cursor_x}').strip()

    def see(self, *lines, cursor=None):
        """Waits for these as the last lines; cursor: its column."""
        def seen():
            return self.lines()[-len(lines):] == list(lines) and cursor in (None, int(self.cursor()))
        try:
            wait_until(seen, 5)
        except AssertionError:
            raise AssertionError('\n'.join(['not what is on the screen:', *self.lines()])) from None

    def stop(self):
        subprocess.run(self.tmux + ['kill-server'], check=False, capture_output=True)


@pytest.fixture
def screen(folder):
    if shutil.which('tmux') is None:
        pytest.skip('tmux not found: apt-get install tmux')
    made = Screen(folder)
    try:
        made.see(SHELL)
        yield made
    finally:
        made.stop()


@pytest.fixture
def conversation(screen, dumb_server):
    """A connection that is open, and its other end. What is typed does not come back by itself."""
    def script(conn):
        conn.upgrade()
        conn.drain_to_close()
        conn.send(frames.close(1000))

    server = dumb_server(script)
    screen.start(server.url())
    screen.connected()
    return screen, server.wait_connection()


def wait_text(conn, text):
    wait_until(lambda: text.encode() in [f.payload for f in conn.of(frames.TEXT)], what=text)


def test_a_conversation(screen, echo_server):
    screen.start(f'{echo_server.url}/', '-v')
    url = f'{echo_server.url}/; Ctrl-D closes'
    screen.connected()
    shown = ''.join(screen.lines())
    assert shown == f'* connected to {url}>'
    screen.type('grüße')
    screen.press('Enter')
    screen.see('> grüße', '< text: grüße', '>', cursor=2)
    screen.press('C-d')
    screen.see('> grüße', '< text: grüße', '< close: 1000', 'status 0', SHELL)


def test_a_message_comes_while_a_line_is_typed(conversation):
    screen, conn = conversation
    screen.type('half a')
    screen.see('> half a', cursor=8)
    screen.press('Left', 'Left')
    screen.see('> half a', cursor=6)
    conn.text('first')
    screen.see('< first', '> half a', cursor=6)
    conn.text('second')
    screen.see('< first', '< second', '> half a', cursor=6)
    screen.type('X')
    screen.press('Enter')
    wait_text(conn, 'halfX a')
    screen.see('< first', '< second', '> halfX a', '>', cursor=2)


def test_a_line_that_is_wider_than_the_screen(conversation):
    screen, conn = conversation
    line = 'abcdefghij' * 9
    rows = [f'> {line[:38]}', line[38:78], line[78:]]
    screen.type(line)
    screen.see(*rows, cursor=12)
    conn.text('one')
    screen.see('< one', *rows, cursor=12)
    screen.press(*['Left'] * 30)
    screen.see('< one', *rows, cursor=22)
    conn.text('two')
    screen.see('< one', '< two', *rows, cursor=22)
    screen.press('Enter')
    wait_text(conn, line)
    screen.see('< one', '< two', *rows, '>')


def test_history(conversation):
    screen, conn = conversation
    for line in ('one', 'two', 'two'):
        screen.type(line)
        screen.press('Enter')
    screen.see('> one', '> two', '> two', '>')
    screen.press('Up')
    screen.see('> two', '> two', '> two', cursor=5)
    screen.press('Up')
    screen.see('> two', '> two', '> one', cursor=5)
    conn.text('between')
    screen.see('< between', '> one', cursor=5)
    screen.press('Down')
    screen.see('< between', '> two', cursor=5)
    screen.press('Up', 'Enter')
    wait_until(lambda: len(conn.of(frames.TEXT)) == 4)
    assert [f.payload for f in conn.of(frames.TEXT)] == [b'one', b'two', b'two', b'one']


def test_what_steers_a_terminal_is_visible(conversation):
    screen, conn = conversation
    conn.text('\x1b[2J\x07\n\x9b1m \\ ü')
    conn.send(frames.frame(frames.BINARY, b'\xff\0'))
    screen.see('< \\x1b[2J\\x07\\x0a\\xc2\\x9b1m \\ ü', '< \\xff\\x00', '>', cursor=2)


def test_half_a_key_stops_nothing(conversation):
    screen, conn = conversation
    screen.type('word')
    screen.press('Escape')
    conn.text('meanwhile')
    screen.see('< meanwhile', '> word', cursor=6)
    screen.press('b')
    screen.see('< meanwhile', '> word', cursor=2)


def test_the_window_becomes_narrow(conversation):
    screen, conn = conversation
    screen.type('0123456789' * 3)
    screen.see('> ' + '0123456789' * 3)
    screen.run('resize-window', '-x', '20', '-y', str(HEIGHT))
    conn.text('narrow')
    screen.type('x')
    wait_until(lambda: screen.lines()[-3:] == ['< narrow', '> 012345678901234567', '890123456789x'],
               what='the line, broken anew')
    screen.press('Enter')
    wait_text(conn, '0123456789' * 3 + 'x')


def test_an_interrupt_leaves_a_terminal_as_it_was(conversation):
    screen, conn = conversation
    screen.type('never sent')
    screen.see('> never sent')
    screen.press('C-c')
    screen.see('status 0', SHELL)
    assert '> never sent' not in screen.lines()
    assert conn.close.code == 1000
    screen.type('stty -a | tr " ;" "\\n\\n" | grep -xE "icanon|echo|isig|icrnl"')
    screen.press('Enter')
    screen.see('icrnl', 'isig', 'icanon', 'echo', SHELL)


def test_the_server_closes(conversation):
    screen, conn = conversation
    screen.type('half')
    screen.see('> half')
    conn.send(frames.close(4000, b'bye'))
    screen.see('wsbridge: connect: the server closed the', ' connection: 4000 bye', 'status 5', SHELL)
    assert '> half' not in screen.lines()


def test_a_trace_does_not_destroy_the_line(screen, echo_server):
    screen.start(f'{echo_server.url}/ticker?interval=100ms', '-vv', '--timings')
    wait_until(lambda: screen.lines()[-1:] == ['>'], what='the prompt')
    screen.type('typing')
    wait_until(lambda: screen.lines()[-1:] == ['> typing'] and len(screen.lines()) > 10)
    *above, last = screen.lines()
    assert last == '> typing'
    assert re.fullmatch(r'\+\+Rcv: fin=1 opcode=text length=\d+|< \d\.\d{3}: text: .*|[\d.]*}?', above[-1])
    screen.press('C-u', 'C-d')
    screen.see('status 0', SHELL)


def test_only_the_output_is_a_terminal(screen, echo_server):
    """No editor, but still nothing that steers the terminal."""
    screen.type(f"clear; printf 'a\\033[1m\\n' | {' '.join(WRAPPER + [programs.wsbridge])} connect {echo_server.url}/")
    screen.press('Enter')
    screen.see('a\\x1b[1m', SHELL)


def test_raw_is_as_in_a_pipe(screen, echo_server):
    screen.start(f'{echo_server.url}/', '--raw', '-v', '-t', 'ready')
    screen.see('text: ready')
    screen.type('a\\b')
    screen.press('Enter')
    screen.see('a\\b', 'text: a\\b')
    screen.press('C-d')
    screen.see('a\\b', 'text: a\\b', 'close: 1000', 'status 0', SHELL)
