# SPDX-License-Identifier: Apache-2.0
"""
What shells offer, asked of the shells: commands, switches, options, and the bridges of a daemon that
runs. That the files are complete is tests/lint/completions.py's to say.
"""

import os
import shutil
import subprocess

import pytest

from harness import TOP, programs, slack

FOLDER = os.path.join(TOP, 'etc', 'completions')

BASH = r'''
source "$1"; shift
compopt() { :; }
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_wsbridge
for word in "${COMPREPLY[@]}"; do printf '%s\n' "$word"; done
'''


def run(*argv):
    path = os.path.dirname(programs.wsbridge) + ':' + os.environ['PATH']
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=slack(20),
                          env={**os.environ, 'PATH': path})
    assert (done.returncode, done.stderr) == (0, ''), done
    return [line.split('\t')[0] for line in done.stdout.splitlines()]


def bash(*words):
    return run('bash', '--norc', '-c', BASH, 'bash', os.path.join(FOLDER, 'wsbridge.bash'), 'wsbridge', *words)


def fish(*words):
    return run('fish', '--no-config', '-c', 'source $argv[1]; complete -C "$argv[2]"',
               os.path.join(FOLDER, 'wsbridge.fish'), ' '.join(['wsbridge', *words]))


@pytest.fixture(params=[bash, fish], ids=['bash', 'fish'])
def shell(request):
    name = request.param.__name__
    if not shutil.which(name):
        pytest.skip(f'{name} not found: apt-get install {name}')
    return request.param


def test_commands(shell):
    assert shell('sta') == ['status']
    assert {'open', 'close', 'metrics', 'log', 'rpc', 'check'} <= set(shell(''))


def test_switches(shell):
    assert {'--queue', '--binary', '--file', '--socket', '--json', '--help'} <= set(shell('send', '--'))
    assert '--queue' not in shell('close', '--')
    assert '--version' in shell('--') and '--version' not in shell('status', '--')
    assert shell('echo', '--lis') == ['--listen']


def test_bridges(shell, up):
    socket = ['-s', up.control_path]
    for command in ('status', 'close', 'send', 'reconnect', 'explain', 'open'):
        assert sorted(shell(*socket, command, '')) == ['down', 'up'], command
    assert shell(*socket, 'close', 'u') == ['up']
    assert shell(*socket, 'close', '--code', '4000', 'u') == ['up']
    assert shell('--socket', up.control_path, 'close', 'u') == ['up']
    assert shell('close', *socket, 'u') == ['up']
    # One place, and one that repeats.
    assert 'up' not in shell(*socket, 'close', 'up', 'u')
    assert shell(*socket, 'status', 'down', 'u') == ['up']


def test_no_daemon(shell, folder):
    assert shell('-s', os.path.join(folder, 'nobody'), 'close', '') == []


def test_words(shell):
    assert shell('log', 'd') == ['debug']
    assert shell('rpc', 'rpc.') == ['rpc.discover']
    assert shell('open', 'b', '-o', 'ping.int') == ['ping.interval=']
    assert shell('probe', '--option', 'tls.min') == ['tls.min_version=']
    assert shell('close', '--code', '4') == []
    assert shell('monitor', '-e', 'mes') == ['message']
    assert sorted(shell('monitor', '--events', 'state,p')) == ['state,ping', 'state,pong']


def test_trace_has_a_word_of_its_own(shell, up):
    assert sorted(shell('-s', up.control_path, 'trace', '')) == ['down', 'off', 'up']
    assert shell('-s', up.control_path, 'trace', 'o') == ['off']


def test_files(shell, folder):
    for name in ('one.json', 'other'):
        with open(os.path.join(folder, name), 'w', encoding='ascii'):
            pass
    for words in (['check'], ['open', 'b', '-f'], ['send', 'b', '--file'], ['-s']):
        assert shell(*words, os.path.join(folder, 'on')) == [os.path.join(folder, 'one.json')], words


def test_bash_takes_values_apart():
    """As it gives KEY=VALUE to a function: three words."""
    assert bash('open', 'b', '-o', 'mask', '=', 'ze') == []
    assert bash('open', 'b', '-o', 'mask', '=') == []
    assert bash('open', '-o', 'mask', '=', 'zero', '--wa') == ['--wait']
    assert bash('--socket', '=', FOLDER + '/wsbridge.b') == [FOLDER + '/wsbridge.bash']
    assert FOLDER + '/wsbridge.bash' in bash('send', 'b', '--file', '=', FOLDER + '/')


@pytest.mark.skipif(not shutil.which('zsh'), reason='zsh not found: apt-get install zsh')
def test_zsh_reads_it():
    script = 'autoload -U compinit; fpath=($1 $fpath); compinit -D -u; print $_comps[wsbridge]'
    assert run('zsh', '-f', '-c', script, 'zsh', FOLDER) == ['_wsbridge']
