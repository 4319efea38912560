# SPDX-License-Identifier: Apache-2.0
"""What large messages and large answers have taken goes back to the system soon after them."""

import base64
import json
import time

import pytest

from harness import WRAPPER, Control, is_instrumented, programs, wait_until

MEGA = 1 << 20
LARGE = 8 * MEGA
ABOVE = 2 * MEGA  # what may stay
SOON = 3  # seconds
START = 2  # the same

pytestmark = pytest.mark.skipif(bool(WRAPPER) or is_instrumented(programs.wsbridged), reason='it is about memory')


@pytest.fixture
def daemon(wsbridged, start_server):
    daemon = wsbridged({'b': {'url': start_server('websockets').url(), 'max_message': '16M',
                              'endpoint': {'queue': '16M'}}},
                       limits={'control_request': '32M'})
    daemon.wait_open()
    with daemon.client('b') as client:
        client.send('small\n')
        assert client.line() == b'small'
    daemon.status()
    return daemon


@pytest.fixture
def before(daemon):
    """Once what the start has taken is back, or that would be what is seen."""
    time.sleep(START)
    return daemon.rss()


def expect_given_back(daemon, before):
    wait_until(lambda: daemon.rss() <= before + ABOVE, SOON, f'at most {before + ABOVE} bytes')


def test_messages_both_ways(daemon, before):
    message = b'x' * LARGE
    with daemon.client('b') as client:
        for _ in range(3):
            client.send(message + b'\n')
            assert client.line() == message
        assert daemon.rss() > before + ABOVE  # or there is nothing to give back
        expect_given_back(daemon, before)


def ask_both(control, *requests):
    """Requests at the same time; their answers in this order."""
    for i, (method, params) in enumerate(requests):
        control.send(json.dumps({'jsonrpc': '2.0', 'id': i, 'method': method, 'params': params}) + '\n')
    answers = sorted((control.answer() for _ in requests), key=lambda answer: answer['id'])
    return [answer['result'] for answer in answers]


def test_a_large_request_and_a_large_answer(daemon, before):
    """Bytes that are no text, so that both hold them in Base64."""
    data = base64.b64encode(b'\xff' * LARGE).decode()
    with Control(daemon.control_path) as control:
        received, _ = ask_both(control, ('recv', {'name': 'b', 'timeout': 20}), ('send', {'name': 'b', 'binary': data}))
        assert [message['data'] for message in received['messages']] == [data]
        expect_given_back(daemon, before)


def test_a_message_that_stays_half(daemon, before):
    """Its client goes before it is whole."""
    with daemon.client('b') as client:
        client.send(b'x' * LARGE)
        wait_until(lambda: daemon.rss() > before + ABOVE, 5, 'half a message is held')
    expect_given_back(daemon, before)
