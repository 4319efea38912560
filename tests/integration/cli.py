# SPDX-License-Identifier: Apache-2.0
"""What the tests of the command line share: exit statuses and how a failure looks."""

DONE, ERROR, USAGE, UNREACHABLE, NAME, NOT_OPEN, TIMEOUT, CONNECTION, PAYLOAD, DENIED, ENDPOINT = range(11)


def fails(done, status, *sentences):
    """Nothing on standard output, and exactly these sentences on the other."""
    assert (done.returncode, done.stdout) == (status, ''), done.stderr
    assert done.stderr.splitlines() == [f'wsbridge: {s}' for s in sentences]


def fails_usage(done, sentence, command=None):
    assert (done.returncode, done.stdout) == (USAGE, '')
    assert done.stderr.splitlines() == [f'wsbridge: {sentence}',
                                        f'Try `wsbridge {command + " " if command else ""}--help`.']
