# SPDX-License-Identifier: Apache-2.0
"""The examples of wsbridge.json(5) and wsbridge-rpc(7), for test_examples.py, which runs them."""

import json
import os

import external
from certs import openssl
from dumb_server import frames, serve_quietly
from examples import all_examples

EXAMPLES = all_examples()
SCENES = {}
TICK = '{"n":%d,"time":1795266971.508}'
ANY_NUMBER = [(r'"n":\d+', '"n":N')]


def scene(*keys):
    def add(function):
        SCENES.update({key: function for key in keys})
        return function
    return add


# wsbridge.json(5) -------------------------------------------------------------

@scene('wsbridge.json.5 DESCRIPTION')
def whole_configuration(box):
    box.echo()
    box.check(box.example.text)
    box.start_text(box.example.text, 'feed')


@scene('wsbridge.json.5 DESCRIPTION 2')
def bad_configuration(box):
    box.write('demo/bad.json', '{\n\t"bridges": {\n\t\t"feed": {\n\t\t\t"url": "ws://127.0.0.1:9001/",\n'
              '\t\t\t// two mistakes\n\t\t\t"reconect": { "max": 5 },\n\t\t\t"endpoint": "feed.sock"\n\t\t}\n\t}\n}\n')
    box.transcript()


PIECES = {
    'wsbridge.json.5 Control sockets': '{%s}',
    'wsbridge.json.5 Steps': '{"bridges": {"b": {"url": "ws://127.0.0.1:9001/", %s}}}',
    'wsbridge.json.5 Private connections': '{"bridges": {%s}}',
    'wsbridge.json.5 Compression': '{"bridges": {"b": {"url": "ws://127.0.0.1:9001/", %s}}}',
    'wsbridge.json.5 SECRETS 2': '{"bridges": {"b": {"url": "wss://example.net/", %s}}}',
}


@scene('wsbridge.json.5 Control sockets', 'wsbridge.json.5 Private connections', 'wsbridge.json.5 Compression',
       'wsbridge.json.5 SECRETS 2')
def piece(box):
    text = box.example.text.replace('"monitoring"', '"root"')  # a group that there is
    box.check(PIECES[box.example.key] % text)


def challenge(conn):
    """The server that the steps talk to."""
    conn.upgrade()
    conn.text(b'{"op":"challenge","nonce":"n1"}')
    conn.login = conn.frame().payload
    conn.text(b'{"op":"welcome"}')
    conn.subscription = conn.frame().payload
    conn.drain_to_close()
    conn.send(frames.close(1000))


@scene('wsbridge.json.5 Steps')
def steps(box):
    server = box.scripted(challenge)
    box.write('etc/token', 'secret\n')
    text = PIECES[box.example.key] % box.example.text
    box.check(text)
    box.map('127.0.0.1:9001', f'127.0.0.1:{server.port}')
    box.start_text(text, 'b')
    conn = server.wait_connection()
    box.until(lambda: hasattr(conn, 'subscription'))
    assert json.loads(conn.login) == {'op': 'login', 'nonce': 'n1', 'token': 'secret'}
    assert json.loads(conn.subscription) == {'op': 'subscribe', 'channels': ['trades']}


@scene('wsbridge.json.5 EXAMPLES')
def chat_and_feed(box):
    box.check(box.example.text)
    server = box.serve()
    box.start_text(box.example.text, 'chat', 'feed')
    mode = os.stat(box.daemon.path('chat.sock')).st_mode & 0o777
    assert mode == 0o660 == os.stat(box.daemon.path('feed.sock')).st_mode & 0o777
    box.until(lambda: box.daemon.status('chat')['rx']['messages'] == 2)  # both came back
    assert len(server.select('open')) == 2


@scene('wsbridge.json.5 EXAMPLES 2')
def servers_of_others(box):
    box.check(box.example.text)


@scene('wsbridge.json.5 EXAMPLES 3')
def server_on_a_socket(box):
    def hello(conn):
        conn.upgrade()
        conn.drain_to_close()
        conn.send(frames.close(1000))

    box.start({})
    server = box.scripted(hello, listener=box.listen_unix('app.sock'))
    box.map('/run/app.sock', box.path('app.sock'))
    assert box.run('\n'.join(box.example.lines)).wait() == 'app: connecting\n'
    box.daemon.wait_open('app')
    assert server.wait_connection().request.startswith(b'GET /feed HTTP/1.1\r\n')


@scene('wsbridge.json.5 THE WAY TO A SERVER')
def way_to_a_server(box):
    """SOCKS, and behind it a redirect over TLS."""
    def redirect(conn):
        conn.upgrade('HTTP/1.1 302 Found', Location='/', Content_Length='0', Upgrade=None, Connection='close')
        conn.drain()

    certs = box.fixture('certs')
    server = box.scripted([redirect, serve_quietly], cert=certs['ecdsa'])
    proxy = external.dante(box.folder)
    box.programs.append(proxy.program.wait_listening(proxy.port))
    box.map('localhost:9443', f'localhost:{server.port}')
    box.map('socks5h://127.0.0.1', f'socks5h://127.0.0.1:{proxy.port}')
    box.variables['SSL_CERT_FILE'] = certs.ca_file
    box.transcript()


@scene('wsbridge.json.5 CERTIFICATES')
def pin(box):
    """What it prints is a pin of that certificate: 32 bytes in Base64, and the daemon takes it."""
    openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=localhost',
            '-days', '2', '-keyout', box.path('demo/key.pem'), '-out', box.path('demo/server.pem'))
    box.transcript(more=[(r'(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{43}=', 'PIN')])
    command = box.example.commands()[0][0]
    value = box.run(command).wait().strip()
    box.check(json.dumps({'bridges': {'b': {'url': 'wss://h/', 'tls': {'pin_sha256': [value]}}}}))


@scene('wsbridge.json.5 Lines')
def lines(box):
    server = box.serve()
    box.start({'lines': {'url': 'ws://127.0.0.1:9001/silent'},
               'esc': {'url': 'ws://127.0.0.1:9001/silent',
                       'endpoint': {'newlines': 'escape', 'binary': 'hex', 'unix': '$DIR/esc.sock'}}})

    def send(name):
        box.daemon.wait_status(name, lambda b: b['clients'])
        server.command(text='one\ntwo')
        server.command(binary='AQI=')

    box.transcript(during={0: lambda: send('lines'), 1: lambda: send('esc')}, endless={0, 1})


@scene('wsbridge.json.5 JSON')
def json_inbound(box):
    server = box.serve()
    box.start({'b': {'url': 'ws://127.0.0.1:9001/silent', 'endpoint': {'framing': 'json', 'unix': '$DIR/b.sock'}}})
    server.command(text='x', count=6)
    box.daemon.wait_status('b', lambda b: b['rx']['messages'] == 6)
    with box.daemon.client('b') as client:
        box.daemon.wait_status('b', lambda b: b['clients'])
        server.command(text='hello')
        server.command(binary='AQI=')
        box.compare(box.example.lines, b'\n'.join(client.lines(2)).decode())


@scene('wsbridge.json.5 JSON 2')
def json_outbound(box):
    """Nothing is refused, and all of it is at the server; what is no message may overtake what is."""
    server = box.scripted(serve_quietly)
    box.start({'b': {'url': server.url(), 'endpoint': {'framing': 'json', 'events': ['error', 'ack', 'close'],
                                                       'unix': '$DIR/b.sock'}}})
    with box.daemon.client('b') as client:
        client.send(box.example.text)
        records = [json.loads(client.line()) for _ in range(2)]
    assert [r['type'] for r in records] == ['ack', 'close'], records
    sent = [(f.opcode, f.payload) for f in server.connections[0].frames]
    messages = [(frames.TEXT, b'hello'), (frames.BINARY, b'\1\2'), (frames.TEXT, b'{"op":"subscribe"}')]
    assert [s for s in sent if s[0] < frames.CLOSE] == messages
    assert sent[-1] == (frames.CLOSE, b'\x03\xe8bye')
    assert sorted(sent[:-1]) == sorted([*messages, (frames.PING, b'x'), (frames.PONG, b'')])


# wsbridge-rpc(7) --------------------------------------------------------------

def echo_and_feed(box, **top):
    server = box.serve()
    box.start({'echo': {'url': 'ws://127.0.0.1:9001/'},
               'feed': {'url': 'ws://127.0.0.1:9001/ticker?interval=1'}}, **top)
    return server


@scene('wsbridge-rpc.7 JSON')
def rpc_json(box):
    echo_and_feed(box)
    request, answer = box.example.lines
    box.daemon.control.send(request + '\n')
    box.compare([answer], box.daemon.control.line().decode())


@scene('wsbridge-rpc.7 Plain words', 'wsbridge-rpc.7 Rights')
def rpc_by_socat(box):
    echo_and_feed(box, control=[{}, {'unix': '$DIR/read.sock', 'level': 'read'}])
    box.transcript()


@scene('wsbridge-rpc.7 Order')
def rpc_order(box):
    echo_and_feed(box)
    box.map('- ...', f'- UNIX-CONNECT:{box.daemon.control_path}')
    box.transcript()


@scene('wsbridge-rpc.7 send', 'wsbridge-rpc.7 wait', 'wsbridge-rpc.7 ping', 'wsbridge-rpc.7 status',
       'wsbridge-rpc.7 reconnect', 'wsbridge-rpc.7 reload', 'wsbridge-rpc.7 log', 'wsbridge-rpc.7 metrics',
       'wsbridge-rpc.7 shutdown', 'wsbridge-rpc.7 version', 'wsbridge-rpc.7 rpc.discover', 'wsbridge-rpc.7 trace')
def rpc(box):
    echo_and_feed(box)
    box.calls()


@scene('wsbridge-rpc.7 close')
def rpc_close(box):
    box.echo()
    box.start({'echo': {'url': 'ws://127.0.0.1:9001/'}})
    box.calls()


@scene('wsbridge-rpc.7 trace 2')
def rpc_trace(box):
    """What the log has of it, for as long as it says."""
    box.echo()
    box.start({'echo': {'url': 'ws://127.0.0.1:9001/'}})
    box.daemon.call('trace', name='echo', **{'for': 1})
    box.daemon.call('send', name='echo', text='hello')
    box.until(lambda: 'its time is over' in box.daemon.log())
    lines = [line.partition(' ')[2] for line in box.daemon.log_lines('trace: ')]
    box.compare(box.example.lines, '\n'.join(lines))


@scene('wsbridge-rpc.7 open')
def rpc_open(box):
    box.refuse()
    box.start({})
    box.calls()


def answer(conn):
    """A server that answers {"id": N} at its third message."""
    conn.upgrade()
    conn.text(b'x')
    conn.text(b'y')
    conn.frame()
    conn.text(b'{"id":7,"result":true}')
    conn.drain_to_close()
    conn.send(frames.close(1000))


@scene('wsbridge-rpc.7 request')
def rpc_request(box):
    server = box.scripted(answer)
    box.start({'chat': {'url': server.url()}})
    box.daemon.wait_status('chat', lambda b: b['rx']['messages'] == 2)
    box.calls()


@scene('wsbridge-rpc.7 recv')
def rpc_recv(box):
    server = echo_and_feed(box)
    for n in range(1, 5):
        server.command(path='/ticker', text=TICK % n)
    box.daemon.wait_status('feed', lambda b: b['rx']['messages'] == 4)
    box.calls(during={0: lambda: server.command(path='/ticker', text='{"n":5,"time":1795266975}')})


@scene('wsbridge-rpc.7 subscribe')
def rpc_subscribe(box):
    server = echo_and_feed(box)
    for n in range(1, 6):
        server.command(path='/ticker', text=TICK % n)
    box.daemon.wait_status('feed', lambda b: b['rx']['messages'] == 5)
    box.calls(during={0: lambda: server.command(path='/ticker', text='{"n":6}')})


@scene('wsbridge-rpc.7 unsubscribe')
def rpc_unsubscribe(box):
    echo_and_feed(box)
    box.daemon.call('subscribe', name='*')
    box.calls()


@scene('wsbridge-rpc.7 EXAMPLES', 'wsbridge-rpc.7 EXAMPLES 3')
def rpc_examples(box):
    box.echo()
    box.start({'feed': {'url': 'ws://127.0.0.1:9001/'}, 'chat': {'url': 'ws://127.0.0.1:9001/'}})
    box.transcript()


@scene('wsbridge-rpc.7 EXAMPLES 2')
def rpc_follow(box):
    box.echo()
    box.start({'feed': {'url': 'ws://127.0.0.1:9001/ticker?interval=1'}})
    box.transcript(endless={0}, more=ANY_NUMBER)


@scene('wsbridge-rpc.7 explain')
def rpc_explain(box):
    box.refuse()
    box.start({'feed': {'url': 'ws://127.0.0.1:9/', 'reconnect': {'initial': 60, 'max': 60}}})
    box.daemon.wait_state('feed', 'waiting')
    box.calls()


REFUSAL = b'wrong or no token\n'


def refuse(conn):
    conn.read_request()
    conn.send(b'HTTP/1.1 401 Unauthorized\r\nServer: nginx/1.22.1\r\nContent-Length: %d\r\n\r\n' % len(REFUSAL))
    conn.send(REFUSAL)


@scene('wsbridge-rpc.7 ERROR CODES')
def rpc_errors(box):
    server = box.scripted(refuse)
    echo_and_feed(box)
    box.map('wss://chat.example.net', f'ws://127.0.0.1:{server.port}')
    box.calls()
