# SPDX-License-Identifier: Apache-2.0
"""
`wsbridge connect` on a real terminal: what a person sees, as tmux(1) shows its screen. The trap: a
screen is compared as a whole once it has settled, so every test waits for what it expects.
"""

import os
import re

import pytest

import frames
from harness import WRAPPER, programs, wait_until
from terminal import SHELL, open_screen

WIDTH, HEIGHT = 40, 16


def connect(screen, url, *words):
    screen.start_of = '* connected'
    screen.command(*WRAPPER, programs.wsbridge, 'connect', f"'{url}'", *words)


def wait_connected(screen):
    """Waits for the sentence that says so, and the prompt below."""
    screen.wait(lambda lines: lines and lines[0].startswith('* connected') and lines[-1] == '>', 'a connection')


@pytest.fixture
def screen(folder):
    with open_screen(folder, WIDTH, HEIGHT) as made:
        yield made


@pytest.fixture
def conversation(screen, dumb_server):
    """A connection that is open, and its other end. What is typed does not come back by itself."""
    def script(conn):
        conn.upgrade()
        conn.drain_to_close()
        conn.send(frames.close(1000))

    server = dumb_server(script)
    connect(screen, server.url())
    wait_connected(screen)
    return screen, server.wait_connection()


def wait_text(conn, text):
    wait_until(lambda: text.encode() in [f.payload for f in conn.of(frames.TEXT)], what=text)


def test_a_conversation(screen, echo_server):
    connect(screen, f'{echo_server.url}/', '-v')
    url = f'{echo_server.url}/; Ctrl-D closes'
    wait_connected(screen)
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


def test_stop_and_go_on(conversation):
    """The shell has taken the modes of the terminal back meanwhile."""
    screen, conn = conversation
    screen.type('half')
    screen.see('> half')
    screen.press('C-z')
    screen.wait(lambda lines: lines[-1] == SHELL)
    screen.type('stty sane; fg')
    screen.press('Enter')
    screen.see('> half', cursor=6)
    screen.type(' and X')
    screen.press('Left')
    screen.see('> half and X', cursor=11)
    screen.press('Enter')
    wait_text(conn, 'half and X')


def test_the_window_becomes_narrow(conversation):
    screen, conn = conversation
    screen.type('0123456789' * 3)
    screen.see('> ' + '0123456789' * 3)
    screen.resize(20, HEIGHT)
    conn.text('narrow')
    screen.type('x')
    wait_until(lambda: screen.lines()[-3:] == ['< narrow', '> 012345678901234567', '890123456789x'],
               what='the line, broken anew')
    screen.press('Enter')
    wait_text(conn, '0123456789' * 3 + 'x')


def test_the_window_becomes_wide_again(conversation):
    screen, conn = conversation
    screen.resize(20, HEIGHT)
    screen.type('abcdefghij' * 3)
    wait_until(lambda: screen.lines()[-2:] == ['> abcdefghijabcdefgh', 'ijabcdefghij'], what='two rows')
    screen.resize(60, HEIGHT)
    conn.text('wide')
    screen.type('X')
    screen.wait(lambda lines: lines[-2:] == ['< wide', '> ' + 'abcdefghij' * 3 + 'X'])
    screen.press('Enter')
    wait_text(conn, 'abcdefghij' * 3 + 'X')


def test_characters_that_take_two_columns(conversation):
    """As many as fit, and the cursor where it belongs, also when something comes in between."""
    screen, conn = conversation
    screen.type('波a漢字')
    screen.see('> 波a漢字', cursor=9)
    screen.press('Left')
    screen.see('> 波a漢字', cursor=7)
    conn.text('受信 ü')
    screen.see('< 受信 ü', '> 波a漢字', cursor=7)
    screen.press('BSpace')
    screen.see('< 受信 ü', '> 波a字', cursor=5)
    screen.type('é')
    screen.press('Enter')
    wait_text(conn, '波aé字')
    screen.type('a' + '漢' * 40)
    rows = ['> a' + '漢' * 18, '漢' * 20, '漢' * 2]
    screen.see('> 波aé字', *rows, cursor=4)
    conn.text('between')
    screen.see('> 波aé字', '< between', *rows, cursor=4)
    screen.press('C-b', 'C-b')
    conn.text('once more')
    screen.see('> 波aé字', '< between', '< once more', *rows, cursor=0)
    screen.press('Enter')
    wait_text(conn, 'a' + '漢' * 40)


def test_a_message_that_is_longer_than_the_screen(conversation):
    screen, conn = conversation
    screen.type('typing')
    text = ''.join(f'{i:04}' for i in range(300))
    conn.text(text)
    rows = [f'< {text}'[i:i + WIDTH] for i in range(0, len(text) + 2, WIDTH)]
    screen.see(*rows[-HEIGHT + 1:], '> typing', cursor=8)
    screen.press('Enter')
    wait_text(conn, 'typing')


def test_the_keys_of_an_editor(conversation):
    screen, conn = conversation
    screen.type('one two three')
    screen.press('C-a')
    screen.see('> one two three', cursor=2)
    screen.press('C-k')
    screen.see('>', cursor=2)
    screen.press('C-y', 'C-w')
    screen.see('> one two', cursor=10)
    screen.press('C-u', 'Up')
    screen.see('>', cursor=2)
    screen.type('sent')
    screen.press('Enter')
    wait_text(conn, 'sent')
    assert [f.payload for f in conn.of(frames.TEXT)] == [b'sent']


@pytest.mark.parametrize('end', ['C-d', 'C-c'])
def test_the_terminal_is_as_it_was(screen, dumb_server, folder, end):
    def script(conn):
        conn.upgrade()
        conn.drain_to_close()
        conn.send(frames.close(1000))

    before, after = (os.path.join(folder, name) for name in ('before', 'after'))
    screen.command(f'stty -a > {before}')
    screen.see('status 0', SHELL)
    connect(screen, dumb_server(script).url())
    wait_connected(screen)
    screen.press(end)
    screen.see('status 0', SHELL)
    screen.type(f'stty -a > {after}; echo written')
    screen.press('Enter')
    screen.see('written', SHELL)
    with open(before, encoding='ascii') as one, open(after, encoding='ascii') as other:
        assert one.read() == other.read()


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
    connect(screen, f'{echo_server.url}/ticker?interval=100ms', '-vv', '--timings')
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
    connect(screen, f'{echo_server.url}/', '--raw', '-v', '-t', 'ready')
    screen.see('text: ready')
    screen.type('a\\b')
    screen.press('Enter')
    screen.see('a\\b', 'text: a\\b')
    screen.press('C-d')
    screen.see('a\\b', 'text: a\\b', 'close: 1000', 'status 0', SHELL)
