# SPDX-License-Identifier: Apache-2.0
"""What a newcomer runs first."""

import os
import subprocess

import pytest

from harness import TOP, programs, slack


@pytest.mark.limit(60)
@pytest.mark.parametrize('tool', ['socat', 'python3'])
def test_demo(folder, tool):
    """With socat, and where there is none."""
    env = {**os.environ, 'WSBRIDGED': programs.wsbridged, 'WSBRIDGE': programs.wsbridge}
    if tool == 'python3':
        for name in os.listdir('/usr/bin'):
            if name != 'socat':
                os.symlink(f'/usr/bin/{name}', os.path.join(folder, name))
        env['PATH'] = folder
    done = subprocess.run([os.path.join(TOP, 'tests', 'demo.sh'), '--once'], env=env, cwd='/', timeout=slack(60),
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert '\nhello\n' in done.stdout and '\nstill there?\n' in done.stdout
    assert '"n":' in done.stdout
    where = next(line.split()[-1] for line in done.stdout.splitlines() if line.startswith('$ cd '))
    assert not os.path.exists(where)
