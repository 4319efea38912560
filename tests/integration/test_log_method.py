# SPDX-License-Identifier: Apache-2.0
"""The method `log`: at once, until a reload says what the configuration or the command line says."""

import signal

import pytest

from harness import RpcError, slack, wait_until


def test_log(up):
    assert up.call('log') == {'level': 'notice'}
    assert up.call('log', level='debug', dry_run=True) == {'level': 'debug', 'dry_run': True}
    assert up.call('log') == {'level': 'notice'}
    up.call('close', name='up', wait=slack(5))
    assert not up.log_lines('attempt') and not up.log_lines('control pid')
    assert up.call('log', level='info') == {'level': 'info'}
    up.log_contains('log level: info instead of notice, until the next reload')
    up.call('reload', dry_run=True)
    up.log_contains('reload', 2)  # an administrator's calls are info
    assert up.call('log') == {'level': 'info'}  # that was no reload
    up.call('reload')
    assert up.call('log') == {'level': 'notice'}


def test_a_level_that_hides_its_own_line(up):
    assert up.call('log', level='error') == {'level': 'error'}
    up.log_contains('log level: error instead of notice')
    up.call('reconnect', name='up')
    up.wait_status('up', lambda b: b['epoch'] == 2)
    assert len(up.log_lines('bridge up: ')) == 1  # of the beginning
    assert up.call('log', level='error') == {'level': 'error'}
    up.log_contains('log level: ')


def test_the_file_says_what_a_reload_sets(wsbridged):
    daemon = wsbridged(log={'level': 'warning'})
    assert daemon.call('log') == {'level': 'warning'}
    daemon.call('log', level='debug')
    daemon.write({'log': {'level': 'info'}})
    daemon.send_signal(signal.SIGHUP)
    wait_until(lambda: daemon.call('log') == {'level': 'info'})


def test_a_reload_that_fails_sets_nothing(up):
    up.call('log', level='info')
    up.write_text('{')
    with pytest.raises(RpcError):
        up.call('reload')
    assert up.call('log') == {'level': 'info'}


def test_the_command_line_comes_before_the_file(wsbridged):
    daemon = wsbridged(log={'level': 'error'}, args=['--log-level', 'info'])
    assert daemon.call('log') == {'level': 'info'}
    assert daemon.call('log', level='warning') == {'level': 'warning'}
    daemon.call('reload')
    assert daemon.call('log') == {'level': 'info'}


@pytest.mark.parametrize('level', ['loud', 'DEBUG', '', 3, None])
def test_no_such_level(up, level):
    with pytest.raises(RpcError) as error:
        up.call('log', level=level)
    assert (error.value.kind, error.value.data['option']) == ('invalid_option', 'level')
    assert up.call('log') == {'level': 'notice'}


def test_command(up, wsbridge):
    done = wsbridge(up, 'log', 'debug')
    assert (done.returncode, done.stdout) == (0, 'log level: debug\n')
    assert wsbridge(up, 'log').stdout == 'log level: debug\n'
    assert wsbridge(up, '--json', 'log').stdout == '{"level":"debug"}\n'
    done = wsbridge(up, 'log', 'loud')
    assert done.returncode == 2
    assert done.stderr.startswith('wsbridge: log: level: expected "error", "warning"')
