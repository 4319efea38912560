# SPDX-License-Identifier: Apache-2.0
"""A real terminal for programs that need one, in tmux(1): what is typed goes in, screens come out."""

import contextlib
import os
import shutil
import subprocess

import pytest

from harness import wait_until

SHELL = 'done %'


class Screen:
    """A terminal with one shell in it. start: the word with which what is looked at begins."""

    def __init__(self, folder, width, height, **env):
        self.start_of = None
        self.tmux = ['tmux', '-u', '-S', os.path.join(folder, 'tmux'), '-f', '/dev/null']
        env = {'HOME': folder, 'PATH': os.environ['PATH'], 'LC_ALL': 'C.UTF-8', 'TERM': 'xterm', **env}
        subprocess.run(self.tmux + ['new-session', '-d', '-x', str(width), '-y', str(height),
                                    f"env PS1='{SHELL} ' sh"], env=env, check=True)

    def run(self, *words):
        return subprocess.run(self.tmux + list(words), capture_output=True, text=True, check=True).stdout

    def type(self, text):
        self.run('send-keys', '-l', text)

    def press(self, *keys):
        self.run('send-keys', *keys)

    def command(self, *words):
        """A command line on a cleared screen, and its exit status behind it."""
        self.type(f'clear; {" ".join(words)}; echo status $?')
        self.press('Enter')

    def resize(self, width, height):
        """Returns when the program can know it: tmux takes its time."""
        self.run('resize-window', '-x', str(width), '-y', str(height))
        tty = os.open(self.run('display-message', '-p', '#{pane_tty}').strip(), os.O_RDONLY | os.O_NOCTTY)
        try:
            wait_until(lambda: os.get_terminal_size(tty) == (width, height), what='the new size')
        finally:
            os.close(tty)

    def rows(self):
        """All of them, without trailing blanks."""
        return [line.rstrip() for line in self.run('capture-pane', '-p').splitlines()]

    def lines(self):
        """Those that are not empty, from the last one on that begins with `start_of`."""
        shown = self.rows()
        begin = max((i for i, line in enumerate(shown) if self.start_of and line.startswith(self.start_of)),
                    default=0)
        return [line for line in shown[begin:] if line]

    def cursor(self):
        return self.run('display-message', '-p', '#{cursor_x}').strip()

    def wait(self, predicate, what='what is expected'):
        """The first true value of predicate(lines); what was on the screen instead."""
        try:
            return wait_until(lambda: any(lines := self.lines()) and predicate(lines), 8)
        except AssertionError:
            raise AssertionError('\n'.join([f'{what} is not on the screen:', *self.lines()])) from None

    def see(self, *lines, cursor=None):
        """Waits for these as the last lines; cursor: its column."""
        self.wait(lambda shown: shown[-len(lines):] == list(lines) and cursor in (None, int(self.cursor())),
                  repr(lines))

    def stop(self):
        subprocess.run(self.tmux + ['kill-server'], check=False, capture_output=True)


@contextlib.contextmanager
def open_screen(folder, width, height, **env):
    if shutil.which('tmux') is None:
        pytest.skip('tmux not found: apt-get install tmux')
    made = Screen(folder, width, height, **env)
    try:
        made.see(SHELL)
        yield made
    finally:
        made.stop()
