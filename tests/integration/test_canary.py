# SPDX-License-Identifier: Apache-2.0
"""
Secrets in every place where the configuration takes one, and in every place where a server or the
environment may bring one; then everything goes wrong that can, at the highest log level. None of
the secrets, in no usual spelling of it, may come out anywhere.
"""

import base64
import binascii
import json
import os
import subprocess
from urllib.parse import quote, quote_plus

import pytest

from dumb_server import echo
from harness import RpcError, free_port, programs, wait_until
from scripted import answer_connect, connect_proxy, socks5_proxy, swallow

# Each holds what changes when it is written in Base64, in a URL or in JSON.
NAMES = ['header', 'header-list', 'header-file', 'header-env', 'header-credential', 'header-command', 'cookie',
         'basic-password', 'bearer', 'url-user', 'url-password', 'url-query', 'proxy-url-password', 'proxy-password',
         'key-password', 'env-proxy-password', 'second-url-password', 'argument', 'cookie-of-the-server',
         'location-user', 'location-query', 'file-of-two-lines']
SECRETS = {name: f'{name}/k4n4r1+&={i:02}%x' for i, name in enumerate(NAMES)}


def base64_cores(data):
    """What of its Base64 does not depend on what stands before and behind it."""
    for before in range(3):
        coded = base64.b64encode(b'\0' * before + data)
        yield coded[(before * 8 + 5) // 6:(before + len(data)) * 8 // 6]
        yield base64.urlsafe_b64encode(b'\0' * before + data)[(before * 8 + 5) // 6:(before + len(data)) * 8 // 6]


def spellings(secret):
    """As bytes; a mistake in here would make the test blind, so test_the_search_finds_them looks."""
    data = secret.encode()
    yield data
    yield quote(secret, safe='').encode()
    yield quote(secret).encode()
    yield quote_plus(secret).encode()
    yield quote(secret, safe='').lower().encode()
    yield binascii.hexlify(data)
    yield json.dumps(secret).strip('"').replace('/', '\\/').encode()
    yield from base64_cores(data)


def found_in(text):
    data = text if isinstance(text, bytes) else text.encode('utf-8', 'replace')
    return [(name, s) for name, secret in SECRETS.items() for s in spellings(secret) if s in data]


def assert_silent(where, text):
    assert found_in(text) == [], f'{where}: {text[:3000]}'


def test_the_search_finds_them():
    for name, secret in SECRETS.items():
        pair = base64.b64encode(f'user:{secret}'.encode()).decode()
        for text in (secret, f'Authorization: Basic {pair}', f'x{quote(secret, safe="")}y',
                     base64.b64encode(f'a{secret}b'.encode()).decode()):
            assert {n for n, _ in found_in(text)} == {name}, text
    assert found_in('nothing of the kind: k4n4r1') == []


def url_text(name):
    return quote(SECRETS[name], safe='')


def refuse_loudly(conn):
    """A refusal by a server that tells nothing back but sets cookies and names places with secrets."""
    conn.read_request()
    body = b'no entry'
    conn.send(f'HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm="x"\r\n'
              f'Set-Cookie: session={SECRETS["cookie-of-the-server"]}\r\n'
              f'Location: http://{url_text("location-user")}:x@127.0.0.1:1/?{url_text("location-query")}\r\n'
              f'Content-Length: {len(body)}\r\n\r\n'.encode() + body)
    swallow(conn)


def redirect(conn):
    conn.read_request()
    conn.send(f'HTTP/1.1 302 There\r\nLocation: ws://{url_text("location-user")}:x@127.0.0.1:{free_port()}/'
              f'?{url_text("location-query")}\r\nContent-Length: 0\r\n\r\n'.encode())
    swallow(conn)


def bad_redirect(conn):
    conn.read_request()
    conn.send(f'HTTP/1.1 302 There\r\nLocation: ftp://{url_text("location-user")}@x/?{url_text("location-query")}\r\n'
              f'Content-Length: 0\r\n\r\n'.encode())
    swallow(conn)


def break_protocol(conn):
    conn.upgrade(behind=b'\xff\xff')
    conn.drain()


def garbage(conn):
    conn.read_request()
    conn.send(b'\xff' * 100)
    swallow(conn)


def upgrade_wrongly(conn):
    conn.upgrade(Sec_WebSocket_Accept='wrong', extra=[f'Set-Cookie: s={SECRETS["cookie-of-the-server"]}'])
    swallow(conn)


def refusing_proxy(status, *headers):
    """As often as it is asked, on one connection."""
    def script(conn):
        while True:
            conn.request = b''
            conn.read_request()
            conn.send('\r\n'.join([f'HTTP/1.1 {status} No', 'Content-Length: 0', *headers, '', '']).encode())
    return script


@pytest.fixture
def secret_options(folder, certs):
    """Options of a bridge with most of the secrets in them."""
    for name in ('header-file', 'key-password', 'proxy-password'):
        with open(os.path.join(folder, name), 'w', encoding='utf-8') as f:
            f.write(SECRETS[name] + '\n')
    with open(os.path.join(folder, 'credential'), 'w', encoding='utf-8') as f:
        f.write(SECRETS['header-credential'])
    with open(os.path.join(folder, 'command'), 'w', encoding='utf-8') as f:
        f.write(f'#!/bin/sh\necho "{SECRETS["header-command"]}"\n')
    os.chmod(os.path.join(folder, 'command'), 0o700)
    return {
        'headers': {'X-Token': SECRETS['header'], 'X-List': ['plain', SECRETS['header-list']],
                    'X-File': {'file': f'{folder}/header-file'}, 'X-Env': {'env': 'WSB_TEST_SECRET'},
                    'X-Credential': {'credential': 'credential'}, 'X-Command': {'command': [f'{folder}/command']}},
        'cookie': f'session={SECRETS["cookie"]}',
        'auth': {'basic': {'user': 'user', 'password': SECRETS['basic-password']}},
        'proxy_password': {'file': f'{folder}/proxy-password'},
        'tls': {'ca_file': certs.ca_file, 'key_password': {'file': f'{folder}/key-password'},
                'cert': certs['other client'].cert, 'key': certs['other client'].key},
        'redirects': 2, 'reconnect': {'initial': 0.05, 'max': 0.05, 'slow': 0.05}, 'timeouts': {'open': 1.5},
    }


def at(port, scheme='ws', user=True):
    info = f'{url_text("url-user")}:{url_text("url-password")}@' if user else ''
    return f'{scheme}://{info}127.0.0.1:{port}/path?token={url_text("url-query")}'


def error_paths(scripted, certs, options, folder):
    """name → bridge, for every way to fail that there is."""
    def server(script, **how):
        return scripted(script, **how).port

    def without(*names, **more):
        return {**{k: v for k, v in options.items() if k not in names}, **more}

    def through(scheme, script, **how):
        return f'{scheme}://user:{url_text("proxy-url-password")}@127.0.0.1:{server(script, **how)}'

    good = server(echo)
    second = f'ws://user:{url_text("second-url-password")}@127.0.0.1:{free_port()}/'
    paths = {
        'refused': {'url': at(server(refuse_loudly))},
        'refused-auth': {'url': at(server(refuse_loudly), user=False)},
        'down': {'url': at(free_port())},
        'list': {'url': [at(free_port()), second]},
        'redirect': {'url': at(server(redirect))},
        'bad-redirect': {'url': at(server(bad_redirect))},
        'protocol': {'url': at(server(break_protocol))},
        'garbage': {'url': at(server(garbage))},
        'accept': {'url': at(server(upgrade_wrongly))},
        'silent': {'url': at(server(swallow))},
        'reset': {'url': at(server(lambda conn: conn.reset()))},
        'no-name': {'url': f'ws://{url_text("url-user")}:{url_text("url-password")}@does-not-exist.invalid/'},
        'expired': {'url': at(server(swallow, cert=certs['expired']), 'wss'), 'proxy': None},
        'no-tls': {'url': at(server(garbage), 'wss'), 'proxy': None},
        'client-certificate': {'url': at(server(swallow, cert=certs['ecdsa'], clients=certs.ca_file), 'wss'),
                               'proxy': None},
        'unix': {'url': f'ws+unix://{folder}/missing.sock:/path?{url_text("url-query")}'},
        'open': {'url': at(good)},
        'proxy-407': {'url': at(good), 'proxy': through('http', refusing_proxy(407))},
        'proxy-basic': {'url': at(good),
                        'proxy': through('http', refusing_proxy(407, 'Proxy-Authenticate: Basic realm="x"'))},
        'proxy-digest': {'url': at(good), 'proxy': through('http', refusing_proxy(
            407, 'Proxy-Authenticate: Digest realm="x", nonce="n", qop="auth"'))},
        'proxy-502': {'url': at(good), 'proxy': through('http', refusing_proxy(502))},
        'proxy-garbage': {'url': at(good), 'proxy': through('http', answer_connect(b'\xff' * 100))},
        'proxy-down': {'url': at(good), 'proxy': f'http://u:{url_text("proxy-url-password")}@127.0.0.1:{free_port()}'},
        'proxy-tls': {'url': at(good), 'proxy': through('https', swallow, cert=certs['expired'])},
        'proxy-open': {'url': at(good), 'proxy': through('http', connect_proxy())},
        'socks-refused': {'url': at(good), 'proxy': through('socks5', socks5_proxy(method=2, status=1))},
        'socks-open': {'url': at(good), 'proxy': through('socks5h', socks5_proxy(method=2))},
        'proxy-env': {'url': at(good, 'wss')},
    }
    # Either user information in the URL or `auth`, and either a password in the proxy's URL or `proxy_password`.
    made = {}
    for name, path in paths.items():
        made[name] = {**(without('auth') if '@' in str(path['url']) else options), **path}
        if path.get('proxy'):
            made[f'{name}-apart'] = made[name]
            made[name] = {k: v for k, v in made[name].items() if k != 'proxy_password'}
    with open(f'{folder}/bearer', 'w', encoding='utf-8') as f:
        f.write(SECRETS['bearer'])
    bearer = {'auth': {'bearer': {'file': f'{folder}/bearer'}}}
    made['bearer'] = {**options, **bearer, 'url': at(server(refuse_loudly), user=False)}
    made['command-fails'] = {**without('auth'), 'url': at(good), 'headers': {
        'X-Token': {'command': ['/bin/sh', '-c', 'echo "$0"; exit 1', SECRETS['argument']]}}}
    made['command-missing'] = {**without('auth'), 'url': at(good), 'headers': {
        'X-Token': {'command': ['/nonexistent', SECRETS['argument']]}}}
    with open(f'{folder}/two-lines', 'w', encoding='utf-8') as f:
        f.write(f'{SECRETS["file-of-two-lines"]}\nmore\n')
    made['two-lines'] = {**without('auth'), 'url': at(good), 'cookie': {'file': f'{folder}/two-lines'}}
    # A key that the password does not fit.
    made['key'] = {**without('auth'), 'url': at(server(swallow, cert=certs['ecdsa']), 'wss'), 'tls': {
        **options['tls'], 'cert': certs['client'].cert, 'key': certs['client'].key}}
    return made


STILL_OPEN = {'open', 'proxy-open', 'proxy-open-apart', 'socks-open', 'socks-open-apart', 'protocol'}


@pytest.mark.limit(60)
def test_nothing_comes_out(wsbridged, scripted, certs, secret_options, folder, wsbridge):
    made = error_paths(scripted, certs, secret_options, folder)
    env = {'WSB_TEST_SECRET': SECRETS['header-env'], 'CREDENTIALS_DIRECTORY': folder,
           'https_proxy': f'http://user:{url_text("env-proxy-password")}@127.0.0.1:{free_port()}'}
    daemon = wsbridged(made, env=env, log={'level': 'debug'})
    for name in made:
        if name in STILL_OPEN:
            daemon.wait_status(name, lambda b: b['epoch'] >= 1)
        else:
            bridge = daemon.wait_status(name, lambda b: b['last_error'], what=f'{name} has failed')
            assert_silent(name, bridge['last_error']['message'])
    # It is not silent because nothing is said or sent: the servers have got the secrets.
    assert len(daemon.log_lines('bridge refused: ')) > 2
    texts = {'status': json.dumps(daemon.status()), 'version': json.dumps(daemon.call('version'))}
    for name in made:
        daemon.call('trace', name=name)
        daemon.call('reconnect', name=name)
    for words in (['status'], ['--json', 'status'], ['status', 'refused'], ['--json', 'status', 'redirect'],
                  ['wait', 'down', 'open', '-t', '0.3'], ['open', 'more', at(free_port()), '--wait']):
        done = wsbridge(daemon, *words)
        texts[' '.join(words[:2])] = done.stdout + done.stderr
        assert done.stdout + done.stderr
    texts['cmdline'] = cmdlines(daemon.pid)
    wait_until(lambda: daemon.log_lines('bridge refused: trace: HTTP/1.1 401 No'))
    assert daemon.log_lines('bridge refused: trace: X-Token: ***')
    for name in made:
        daemon.call('close', name=name)
    texts['log'] = daemon.log()
    assert daemon.stop() == 0
    texts['log at the end'] = daemon.log()
    for where, text in texts.items():
        assert_silent(where, text)


def test_the_secrets_were_used(wsbridged, scripted, secret_options, folder):
    """Else their absence would show nothing."""
    server = scripted(echo)
    proxy = scripted(connect_proxy())
    daemon = wsbridged({'b': {**secret_options, 'url': at(server.port, user=False),
                              'proxy': f'http://user:x@127.0.0.1:{proxy.port}'}},
                       env={'WSB_TEST_SECRET': SECRETS['header-env'], 'CREDENTIALS_DIRECTORY': folder})
    daemon.wait_open()
    used = {n for n, _ in found_in(server.connections[0].request) + found_in(proxy.connections[0].request)}
    assert used == {'header', 'header-list', 'header-file', 'header-env', 'header-credential', 'header-command',
                    'cookie', 'basic-password', 'url-query', 'proxy-password'}


def cmdlines(pid):
    """Of the daemon and whatever it has started."""
    text = b''
    for path in (f'/proc/{pid}/cmdline', f'/proc/{pid}/comm'):
        with open(path, 'rb') as f:
            text += f.read()
    return text


# A slip of the pen, anywhere in the configuration: the error names the place, not the secret.
SLIPS = [
    {'url': 'ws://user:SECRET@127.0.0.1:x/'}, {'url': 'ws://user:SECRET'}, {'url': 'ftp://user:SECRET@127.0.0.1/'},
    {'url': ['ws://a/', 'ws://user:SECRET@:1/']}, {'url': 'ws://127.0.0.1/#SECRET'}, {'url': 'ws://user:SECRET@[::1/'},
    {'headers': {'X-Token': 'SECRET\nX: y'}}, {'headers': {'X-Token': ['SECRET\x7f']}},
    {'headers': {'X-Token': {'SECRET': 1}}},
    {'headers': {'X-Token': {'file': 'SECRET'}}}, {'headers': {'X-Token': {'command': ['SECRET']}}},
    {'headers': {'X-Token': {'command': 'SECRET'}}}, {'headers': {'X-Token': {'text': 'SECRET'}}},
    {'headers': {'X-Token': {'env': 'SECRET'}}}, {'headers': ['X-Token: SECRET']},
    {'cookie': 'SECRET\r'}, {'cookie': ['SECRET']}, {'cookie': {'value': 'SECRET'}},
    {'auth': {'bearer': 'SECRET white'}},
    {'auth': {'basic': {'user': 'u', 'password': 'SECRET\n'}}}, {'auth': {'basic': 'u:SECRET'}}, {'auth': 'SECRET'},
    {'auth': {'bearer': {'token': 'SECRET'}}}, {'proxy': 'http://u:SECRET@127.0.0.1:x'},
    {'proxy': 'ftp://u:SECRET@h:1'},
    {'proxy': 'http://u:SECRET@h:1/path'}, {'proxy': {'url': 'http://u:SECRET@h'}}, {'proxy_password': ['SECRET']},
    {'proxy_password': {'secret': 'SECRET'}}, {'tls': {'key_password': ['SECRET']}},
    {'tls': {'key_password': {'x': 'SECRET'}}},
]


def fill(value, secret):
    text = json.dumps(value).replace('SECRET', json.dumps(secret).strip('"'))
    return json.loads(text)


@pytest.mark.parametrize('slip', SLIPS, ids=lambda v: json.dumps(v)[:60])
def test_slips_of_the_pen(bridges, slip, folder):
    secret = SECRETS['header']
    bridge = fill({'url': 'ws://127.0.0.1/', **slip}, secret)
    with pytest.raises(RpcError) as caught:
        bridges.daemon.call('open', name='slip', **bridge)
    assert caught.value.kind == 'invalid_option'
    assert_silent('answer', str(caught.value))
    path = os.path.join(folder, 'wsbridge.json')
    with open(path, 'w', encoding='utf-8') as f:
        json.dump({'bridges': {'slip': bridge}}, f)
    done = subprocess.run([programs.wsbridged, '--check', '-c', path], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and 'bridges.slip' in done.stderr + done.stdout
    assert_silent('check', done.stderr + done.stdout)


def test_a_server_that_repeats_what_it_got(bridges, scripted, secret_options):
    """What it says is kept for status, as it is; the log has none of it."""
    def script(conn):
        conn.read_request()
        text = conn.request.replace(b'\r\n', b' ')[-3000:]
        conn.send(b'HTTP/1.1 400 You said: ' + text[:3000] + b'\r\nX-You-Said: ' + text + b'\r\n'
                  + b'Content-Length: %d\r\n\r\n' % len(text) + text)
        swallow(conn)

    options = {k: v for k, v in secret_options.items() if k not in ('headers', 'reconnect')}
    options['headers'] = {'X-Token': SECRETS['header']}
    error = bridges.refused(at(scripted(script).port, user=False), **options)
    assert error.data['status'] == 400
    assert_silent('the sentence', error.message)
    assert_silent('log', bridges.daemon.log())


def test_probe(scripted, secret_options, wsbridge):
    """The stages of an attempt in full, without a daemon."""
    good, refusing = scripted(echo), scripted(refuse_loudly)
    proxy = scripted(connect_proxy())
    cookie = json.dumps(secret_options['cookie'])
    through = ['-o', f'proxy=http://user:{url_text("proxy-url-password")}@127.0.0.1:{proxy.port}']
    for port, words in [(good.port, through), (refusing.port, []), (free_port(), [])]:
        for flags in ([], ['--json']):
            done = wsbridge(None, *flags, 'probe', at(port), '-o', f'cookie={cookie}', *words)
            assert done.stdout and (done.returncode == 0) == (port == good.port), done
            assert_silent('probe', done.stdout + done.stderr)
    assert len(proxy.connections) == 2 and good.connections[0].header('cookie')
