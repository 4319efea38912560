# SPDX-License-Identifier: Apache-2.0
"""
Every example of README, wsbridge(1), wsbridged(8) and CLIENTS.md is run, and what it prints is compared. Those of
the other pages are in test_examples_formats.py. A new example needs a scene here or there, or a reason in NOT_RUN.
"""

import json
import os
import shutil
import signal

import pytest

import test_examples_formats
from dumb_server import frames
from example_box import Box
from examples import PAGES, all_examples, fits, read
from harness import TOP

EXAMPLES = all_examples()
NOT_RUN = {
    'wsbridged.8 systemd': 'needs a service manager; tests/lint/units.sh checks the units',
    'wsbridged.8 systemd 2': 'a piece of a unit',
    'wsbridge.json.5 SECRETS': 'a piece of a unit',
    'wsbridge.1 top': 'a whole screen; test_top.py compares one',
    'README.md Install': 'installs for the whole system; make distcheck installs elsewhere',
    'README.md Test it': 'is what runs this',
}
SCENES = {}
TICK = '{"n":%d,"time":1795266971.508}'
ANY_NUMBER = [(r'"n":\d+', '"n":N')]


def scene(*keys):
    def add(function):
        SCENES.update({key: function for key in keys})
        return function
    return add


def feed(box, **options):
    """The bridge that the pages talk of, at a server that ticks when it is told to."""
    server = box.serve()
    return server, box.start({'feed': {'url': 'ws://127.0.0.1:9001/ticker?interval=1', **options}})


def tick(box, *numbers):
    for n in numbers:
        box.server.command(path='/ticker', text=TICK % n)
        box.daemon.wait_status('feed', lambda b, n=n: b['rx']['messages'] == n)


# wsbridge(1) ------------------------------------------------------------------

@scene('wsbridge.1 status')
def status(box):
    box.serve()
    box.refuse()
    box.start({'echo': {'url': 'ws://127.0.0.1:9001/'}, 'feed': {'url': 'ws://127.0.0.1:9001/ticker?interval=1'},
               'y': {'url': 'ws://127.0.0.1:9/', 'reconnect': {'initial': 60, 'max': 60}}})
    tick(box, 1, 2)
    box.daemon.wait_state('y', 'waiting')
    box.transcript()


@scene('wsbridge.1 status 2')
def status_of_one(box):
    feed(box)
    tick(box, 1, 2)
    with box.daemon.client('feed') as client:
        box.daemon.wait_status('feed', lambda b: b['clients'])
        tick(box, 3, 4)
        client.lines(2)
        box.transcript()


@scene('wsbridge.1 open')
def open_(box):
    box.serve()
    box.refuse()
    box.start({})
    box.transcript()


@scene('wsbridge.1 close', 'wsbridge.1 rpc')
def with_echo(box):
    box.serve()
    box.start({'echo': {'url': 'ws://127.0.0.1:9001/'}})
    box.transcript()


@scene('wsbridge.1 send')
def send(box):
    box.serve()
    box.start({'echo': {'url': 'ws://127.0.0.1:9001/'}})
    box.transcript(before={2: lambda: box.daemon.call('close', name='echo', wait=True)})


@scene('wsbridge.1 recv')
def recv(box):
    box.echo()
    box.start({'feed': {'url': 'ws://127.0.0.1:9001/ticker?interval=1'}})
    box.transcript(more=ANY_NUMBER)


def answer(conn):
    """A server that has an answer to {"id": N}."""
    conn.upgrade()
    while (f := conn.frame()).opcode != frames.CLOSE:
        if f.opcode == frames.TEXT:
            conn.text(json.dumps({'id': json.loads(f.payload)['id'], 'result': '2.4'}, separators=(',', ':')).encode())
    conn.send(frames.close(1000))


@scene('wsbridge.1 request', 'wsbridge.1 EXAMPLES 3')
def request(box):
    server = box.scripted(answer)
    box.start({'chat': {'url': server.url()}})
    box.transcript()


@scene('wsbridge.1 EXAMPLES', 'wsbridge.1 EXAMPLES 4')
def follow(box):
    box.echo()
    box.start({'feed': {'url': 'ws://127.0.0.1:9001/ticker?interval=1'}})
    box.transcript(endless={0}, more=ANY_NUMBER)


@scene('wsbridge.1 wait', 'wsbridge.1 ping', 'wsbridge.1 reconnect', 'wsbridge.1 log', 'wsbridge.1 shutdown',
       'wsbridge.1 version', 'wsbridge.1 trace', 'wsbridge.1 EXAMPLES 2')
def with_feed(box):
    feed(box)
    box.transcript()


@scene('wsbridge.1 monitor')
def monitor(box):
    server, daemon = feed(box)

    def during():
        box.until(lambda: daemon.status()['daemon']['subscriptions'])
        server.command(path='/ticker', close=1001, reason='going away')
        server.wait_event('open', 2)
        daemon.wait_open('feed')
        server.command(path='/ticker', text=TICK % 1)

    box.transcript(during={0: during}, endless={0})


@scene('wsbridge.1 top 2')
def top(box):
    box.serve()
    box.refuse()
    box.start({'echo': {'url': 'ws://127.0.0.1:9001/'}, 'feed': {'url': 'ws://127.0.0.1:9001/ticker?interval=1'},
               'y': {'url': 'ws://127.0.0.1:9/', 'reconnect': {'initial': 60, 'max': 60}}})
    box.transcript(more=[(r'\[0,\d+,0\]', '[0,N,0]')])


@scene('wsbridge.1 explain')
def explain(box):
    box.refuse()
    box.start({'feed': {'url': 'ws://127.0.0.1:9/', 'reconnect': {'initial': 60, 'max': 60}}})
    box.daemon.wait_state('feed', 'waiting')
    box.transcript()


@scene('wsbridge.1 reload')
def reload(box):
    box.serve()
    bridges = {'echo': {'url': 'ws://127.0.0.1:9001/'}, 'feed': {'url': 'ws://127.0.0.1:9001/ticker?interval=1'}}
    box.start(bridges)
    bridges['feed']['ping'] = {'interval': 7}
    box.daemon.write(json.loads(box.real(json.dumps({'bridges': bridges}))))
    box.transcript()


@scene('wsbridge.1 metrics')
def metrics(box):
    feed(box)
    tick(box, 1, 2, 3, 4)
    box.transcript()


@scene('wsbridge.1 connect')
def connect(box):
    box.echo()
    box.write('etc-key', 'a key\n')
    box.transcript()


@scene('wsbridge.1 probe')
def probe(box):
    box.echo()
    box.refuse()
    box.transcript()


@scene('wsbridge.1 echo')
def echo(box):
    box.transcript(endless={0}, more=[(r'127\.0\.0\.1:\d+', 'HOST:PORT')])


TWO_BRIDGES = {'echo': {'url': 'ws://127.0.0.1:9001/', 'endpoint': '/tmp/demo/echo.sock'},
               'feed': {'url': 'ws://127.0.0.1:9001/ticker?interval=1', 'endpoint': '/tmp/demo/feed.sock'}}


def write_demo(box):
    box.write('demo/demo.json', box.real(json.dumps({'bridges': TWO_BRIDGES})))


@scene('wsbridge.1 check', 'wsbridged.8 EXAMPLES 2')
def check(box):
    write_demo(box)
    box.transcript()


# wsbridged(8) -----------------------------------------------------------------

@scene('wsbridged.8 EXAMPLES')
def try_it(box):
    box.free_port()
    write_demo(box)
    box.transcript(before={2: lambda: box.until(lambda: os.path.exists(box.path('demo/echo.sock')))})


@scene('wsbridged.8 EXAMPLES 3')
def second(box):
    box.start({})
    write_demo(box)
    box.transcript()


@scene('wsbridged.8 The log')
def log(box):
    """The server is not there, then it is, then the daemon ends."""
    box.free_port()
    box.write('demo/demo.json', box.real(json.dumps({'bridges': {'echo': TWO_BRIDGES['echo']}})))
    daemon = box.run('exec wsbridged -c demo.json')
    box.until(lambda: 'next attempt' in daemon.output)
    box.run('exec wsbridge echo --listen 127.0.0.1:9001')
    box.until(lambda: 'open (' in daemon.output)
    daemon.end(signal.SIGTERM)
    box.compare(box.example.lines, daemon.output)


# README -----------------------------------------------------------------------

@scene('README.md Try it')
def readme(box):
    box.free_port()
    shown = dict(box.example.commands())
    box.write('demo/demo.json', box.real('\n'.join(shown['cat demo.json']) + '\n'))
    control = box.path('demo/control.sock')
    box.transcript(before={4: lambda: box.until(lambda: os.path.exists(control) and box.is_open(control, 'echo'))})


def ticker_config(box):
    config = '\n'.join(EXAMPLES['README.md A first configuration'].lines)
    return config.replace('wss://feed.example.net/stream', 'ws://127.0.0.1:9001/ticker?interval=0.1')


@scene('README.md A first configuration')
def readme_config(box):
    box.check(box.example.text)


@scene('README.md A first configuration 2')
def readme_commands(box):
    """As an owner of the sockets; the feed has no end, so that the first command gets one."""
    box.echo()
    box.write('etc/ticker.token', 'token\n')
    box.start_text(ticker_config(box), 'ticker')
    feed, hello, words, opened, sent = box.example.lines
    for command in (feed, hello):
        running = box.run(command)
        box.until(lambda running=running: running.output.count('\n') > 2)
        assert json.loads(running.end().splitlines()[0]).keys() == {'n', 'time'}
    assert json.loads(box.run(words).wait())['result']['bridges'][0]['state'] == 'open'
    assert box.run(opened).wait() == 'chat: open\n'
    assert box.run(sent).wait() == 'chat: sent 1 message, 11 B\n'


@scene('CLIENTS.md Clients', 'CLIENTS.md Clients 2')
def clients(box):
    box.serve()
    box.start({'chat': {'url': 'ws://127.0.0.1:9001/', 'endpoint': {'framing': 'json'}},
               'echo': {'url': 'ws://127.0.0.1:9001/'}})
    box.map('./', os.path.join(TOP, 'docs', 'clients', ''))
    box.transcript()


# All --------------------------------------------------------------------------

SCENES.update(test_examples_formats.SCENES)


def test_every_example_is_run_or_has_a_reason():
    assert not set(SCENES) & set(NOT_RUN)
    known = set(SCENES) | set(NOT_RUN)
    assert sorted(set(EXAMPLES) - known) == [], 'examples without a scene: see the head of this file'
    assert sorted(known - set(EXAMPLES)) == [], 'scenes of examples that are not there any more'
    assert not [line for page in PAGES for line in read('docs', page) if line.startswith('.Dl $')], 'not seen here'
    assert len(EXAMPLES) > 60 and all(e.lines for e in EXAMPLES.values())


LONG = '{"jsonrpc":"2.0","id":null,"error":{"code":-32014,"message":"a bridge'


@pytest.mark.parametrize('lines, output, fit', [
    (['a  b'], 'a b\n', True), (['a  b'], 'ab\n', False), (['a', 'b'], 'a b\n', False), (['a', 'b'], 'a\nb', True),
    (['feed: open for 4s'], 'feed: open for 231us\n', True), (['feed: open for 4s'], 'feed: open for a while\n', False),
    (['received 4 messages'], 'received 5 messages\n', False), (['x:1...}'], 'x:1,"y":2}\n', True),
    (['x:1...}'], 'x:1,\n"y":2}\n', False), (['a', '...', 'b'], 'a\nx\ny\nb\n', True), (['a', '...'], 'a\n', True),
    (['a', '...', 'b'], 'a\nx\ny\n', False), ([LONG, 'has failed"}}'], f'{LONG} has failed"}}}}\n', True),
    ([LONG, 'has failed"}}'], f'{LONG} had failed"}}}}\n', False), (['{"at":1795266970}'], '{"at":1790000000.5}\n', True),
    (['{"code":-32000}'], '{"code":-32001}\n', False), (['7'], '\n', False), ([], 'x\n', False), ([], '', True),
])
def test_what_fits(lines, output, fit):
    assert fits(lines, output) == fit


@pytest.fixture
def box(request):
    made = Box(EXAMPLES[request.param], request.getfixturevalue)
    yield made
    made.finish()
    shutil.rmtree(made.folder)


@pytest.mark.limit(40)
@pytest.mark.parametrize('box', sorted(SCENES), indirect=True)
def test_example(box):
    if box.example.key in EXAMPLES:
        SCENES[box.example.key](box)
