# SPDX-License-Identifier: Apache-2.0
"""
Through proxies, real and scripted ones: which one is used, who looks names up, whose secrets go
where. That a connection went through a proxy is shown by `peer`, which is where the socket leads.
"""

import base64
import ssl

import pytest

import external
import frames
from dumb_server import echo
from harness import free_port, slack
from scripted import connect_proxy, listen_at, socks4_proxy, socks5_proxy, swallow

# Real ones -------------------------------------------------------------------


@pytest.fixture(scope='module')
def proxies(session_folder):
    """proxies(name): started when first asked for."""
    make = {
        'tinyproxy': lambda f: external.tinyproxy(f, False), 'tinyproxy-auth': lambda f: external.tinyproxy(f, True),
        'squid-basic': lambda f: external.squid(f, 'basic'), 'squid-digest': lambda f: external.squid(f, 'digest'),
        'microsocks': external.microsocks, 'dante': external.dante,
    }
    made = {}

    def get(name):
        if name not in made:
            made[name] = make[name](session_folder)
            made[name].program.wait_listening(made[name].port)
        return made[name]

    yield get
    for one in made.values():
        one.program.ask_to_stop()
    for one in made.values():
        one.program.stop()


REAL = [('tinyproxy', 'http'), ('tinyproxy-auth', 'http'), ('squid-basic', 'http'), ('squid-digest', 'http'),
        ('microsocks', 'socks5'), ('microsocks', 'socks5h'), ('dante', 'socks4'), ('dante', 'socks5'),
        ('dante', 'socks5h')]  # no dante with socks4a: it does not do that
NAMED = ('socks5h', 'http')  # the proxy looks names up


@pytest.mark.parametrize('secure', [False, True], ids=['ws', 'wss'])
@pytest.mark.parametrize('name, scheme', REAL)
def test_real_proxy(bridges, proxies, server, nginx, certs, name, scheme, secure):
    proxy = proxies(name)
    host = 'localhost' if scheme in NAMED else '127.0.0.1'
    url = f'wss://{host}:{nginx.ecdsa}/' if secure else f'ws://{host}:{server.port}/'
    bridge = bridges.open(url, proxy=proxy.url(scheme, proxy.credentials), tls={'ca_file': certs.ca_file})
    assert bridge['peer'] == f'127.0.0.1:{proxy.port}'
    assert (bridge['tls'] is not None) == secure
    assert bridges.echoes(bridge) and bridges.echoes(bridge, 'x' * 300000)
    assert 0 <= bridge['timings']['proxy'] < slack(5)
    bridges.close(bridge)


WITH_AUTH = [('tinyproxy-auth', 'http'), ('squid-basic', 'http'), ('squid-digest', 'http'), ('microsocks', 'socks5')]


@pytest.mark.parametrize('credentials', ['wrong password', 'wrong user', 'none'], ids=lambda v: v.replace(' ', '-'))
@pytest.mark.parametrize('name, scheme', WITH_AUTH)
def test_real_proxy_with_wrong_credentials(bridges, proxies, server, name, scheme, credentials):
    proxy = proxies(name)
    given = {'wrong password': (external.USER, 'wr0ng-p4ssword'), 'wrong user': ('wr0ng-user', proxy.credentials[1]),
             'none': None}[credentials]
    seen = len(server.select('open'))
    error = bridges.refused(server.url(), proxy=proxy.url(scheme, given))
    assert (error.kind, error.data['stage']) == ('proxy', 'proxy')
    # tinyproxy says 401 where it means that the password is wrong.
    statuses = {'squid-basic': (407,), 'squid-digest': (407,), 'tinyproxy-auth': (401, 407), 'microsocks': (None,)}
    assert error.data.get('status') in statuses[name]
    # SOCKS has no code for it.
    assert scheme != 'http' or error.data['retryable'] is False
    assert f'proxy 127.0.0.1:{proxy.port}' in error.message
    assert 'wr0ng' not in str(error) + str(error.bridge)
    assert len(server.select('open')) == seen


@pytest.mark.parametrize('name', ['squid-basic', 'squid-digest', 'microsocks'])
def test_the_password_apart(bridges, proxies, server, folder, name):
    """In proxy_password, not in the URL, and it comes first."""
    proxy = proxies(name)
    user, password = proxy.credentials
    path = external.write(folder, 'password', f'{password}\n')
    scheme = 'socks5' if name == 'microsocks' else 'http'
    for url in (f'{scheme}://{user}@127.0.0.1:{proxy.port}', proxy.url(scheme, (user, 'wrong'))):
        bridge = bridges.open(server.url(), proxy=url, proxy_password={'file': path})
        assert bridge['peer'] == f'127.0.0.1:{proxy.port}' and bridges.echoes(bridge)
        bridges.close(bridge)


@pytest.mark.parametrize('name, scheme', [('tinyproxy', 'http'), ('squid-basic', 'http'), ('microsocks', 'socks5'),
                                          ('dante', 'socks4'), ('dante', 'socks5')])
def test_real_proxy_that_cannot_reach_the_server(bridges, proxies, name, scheme):
    proxy = proxies(name)
    error = bridges.refused(f'ws://127.0.0.1:{free_port()}/', proxy=proxy.url(scheme, proxy.credentials))
    assert (error.kind, error.data['stage']) == ('proxy', 'proxy'), error
    if scheme == 'http':
        assert error.data['status'] in (500, 502, 503)
    elif scheme == 'socks5':
        assert 'connection refused' in error.message


@pytest.mark.parametrize('scheme', ['http', 'https', 'socks4', 'socks4a', 'socks5', 'socks5h'])
def test_proxy_that_is_down(bridges, server, scheme):
    port = free_port()
    error = bridges.refused(server.url(), proxy=f'{scheme}://127.0.0.1:{port}')
    assert error.kind in ('proxy', 'connect') and error.data['stage'] in ('proxy', 'connect')
    assert f'proxy 127.0.0.1:{port}' in error.message and 'refused' in error.message
    assert error.data['retryable'] is True


def test_proxy_whose_name_cannot_be_found(bridges, server):
    error = bridges.refused(server.url(), proxy='http://proxy.invalid:3128', timeouts={'open': 8})
    assert error.data['stage'] in ('resolve', 'proxy') and 'proxy.invalid' in error.message


# Which one -------------------------------------------------------------------

# environment with PROXY and OTHER for addresses, scheme of the URL, options: does it go through PROXY?
ENVIRONMENTS = {
    'http_proxy for ws': ({'http_proxy': 'http://PROXY'}, 'ws', {}, True),
    'http_proxy without a scheme': ({'http_proxy': 'PROXY'}, 'ws', {}, True),
    'http_proxy not for wss': ({'http_proxy': 'http://OTHER'}, 'wss', {}, False),
    'https_proxy for wss': ({'https_proxy': 'http://PROXY'}, 'wss', {}, True),
    'HTTPS_PROXY for wss': ({'HTTPS_PROXY': 'http://PROXY'}, 'wss', {}, True),
    'https_proxy before HTTPS_PROXY': ({'https_proxy': 'http://PROXY', 'HTTPS_PROXY': 'http://OTHER'}, 'wss', {}, True),
    'https_proxy not for ws': ({'https_proxy': 'http://OTHER'}, 'ws', {}, False),
    # A CGI request header could set it.
    'HTTP_PROXY is ignored': ({'HTTP_PROXY': 'http://OTHER'}, 'ws', {}, False),
    'all_proxy for ws': ({'all_proxy': 'http://PROXY'}, 'ws', {}, True),
    'ALL_PROXY for wss': ({'ALL_PROXY': 'http://PROXY'}, 'wss', {}, True),
    'http_proxy before all_proxy': ({'http_proxy': 'http://PROXY', 'all_proxy': 'http://OTHER'}, 'ws', {}, True),
    'empty is not set': ({'http_proxy': '', 'all_proxy': 'http://PROXY'}, 'ws', {}, True),
    'no_proxy with the address': ({'http_proxy': 'http://OTHER', 'no_proxy': 'x.test,127.0.0.1'}, 'ws', {}, False),
    'NO_PROXY with a block': ({'http_proxy': 'http://OTHER', 'NO_PROXY': '10.0.0.0/8, 127.0.0.0/8'}, 'ws', {}, False),
    'no_proxy with a star': ({'all_proxy': 'http://OTHER', 'no_proxy': '*'}, 'wss', {}, False),
    'no_proxy with others': ({'http_proxy': 'http://PROXY', 'no_proxy': 'a.test,127.0.0.2,27.0.0.1'}, 'ws', {}, True),
    'null turns it off': ({'all_proxy': 'http://OTHER'}, 'ws', {'proxy': None}, False),
    'env in so many words': ({'http_proxy': 'http://PROXY'}, 'ws', {'proxy': 'env'}, True),
    'a URL comes first': ({'http_proxy': 'http://OTHER'}, 'ws', {'proxy': 'http://PROXY'}, True),
    'the list comes first': ({'http_proxy': 'http://PROXY', 'no_proxy': '127.0.0.1'}, 'ws', {'no_proxy': ['x.test']},
                             True),
    'the list holds for it': ({'http_proxy': 'http://OTHER'}, 'ws', {'no_proxy': ['127.0.0.1']}, False),
}


@pytest.mark.parametrize('case', ENVIRONMENTS, ids=lambda v: v.replace(' ', '-'))
def test_environment(wsbridged, scripted, certs, case):
    env, scheme, options, proxied = ENVIRONMENTS[case]
    server = scripted(echo, cert=certs['ecdsa'] if scheme == 'wss' else None)
    proxy, other = scripted(connect_proxy()), scripted(connect_proxy())

    def fill(text):
        return text and text.replace('PROXY', f'127.0.0.1:{proxy.port}').replace('OTHER', f'127.0.0.1:{other.port}')

    if 'proxy' in options:
        options = {**options, 'proxy': fill(options['proxy'])}
    bridge = {'url': server.url(), 'tls': {'ca_file': certs.ca_file}, **options}
    daemon = wsbridged({'b': bridge}, env={k: fill(v) for k, v in env.items()})
    daemon.wait_open()
    assert daemon.status('b')['peer'] == f'127.0.0.1:{proxy.port if proxied else server.port}'
    assert (len(proxy.connections), other.connections) == (1 if proxied else 0, [])


def test_environment_with_socks_and_credentials(wsbridged, scripted):
    server = scripted(echo)
    proxy = scripted(socks5_proxy(method=2))
    url = f'socks5h://us%40er:p%3Ass%2Fw@127.0.0.1:{proxy.port}'
    daemon = wsbridged({'b': {'url': server.url()}}, env={'all_proxy': url})
    daemon.wait_open()
    assert proxy.connections[0].credentials == (b'us@er', b'p:ss/w')
    assert 'ss/w' not in daemon.log() + str(daemon.status())


def test_environment_that_is_nonsense(wsbridged, scripted):
    """Going without the proxy then could be what must not happen."""
    server = scripted(echo)
    daemon = wsbridged({'b': {'url': server.url()}}, env={'http_proxy': 'ftp://user:s3cret@127.0.0.1:1'})
    error = daemon.wait_state('b', 'waiting')['last_error']
    assert error['stage'] == 'proxy' and 'http_proxy' in error['message']
    assert 's3cret' not in daemon.log() + str(daemon.status())
    assert server.connections == []


# host of the URL, no_proxy: does it go directly?
LISTS = [
    ('www.example.test', ['.example.test'], True), ('example.test', ['.example.test'], True),
    ('www.example.test', ['example.test'], True), ('WWW.Example.Test', ['example.test'], True),
    ('www.example.test', ['EXAMPLE.TEST'], True), ('badexample.test', ['example.test'], False),
    ('example.test.other', ['example.test'], False), ('www.example.test', ['a.test', 'www.example.test'], True),
    ('example.test', ['*'], True), ('127.0.0.1', ['127.0.0.1'], True), ('127.0.0.1', ['127.0.0.0/8'], True),
    ('127.0.0.1', ['126.0.0.0/7'], True), ('127.0.0.1', ['128.0.0.0/1'], False), ('127.0.0.1', ['0.0.0.0/0'], True),
    ('127.0.0.1', ['::/0'], False), ('127.0.0.1', ['127.0.0.2/32'], False), ('[::1]', ['::1'], True),
    ('[::1]', ['[::1]'], True), ('[::1]', ['::/64'], True), ('[::1]', ['::/127'], True), ('[::1]', ['::2/127'], False),
    ('[::1]', ['0.0.0.0/0'], False), ('example.test', ['10.0.0.0/8', 'fe80::/10'], False),
]


@pytest.mark.parametrize('host, no_proxy, direct', LISTS, ids=lambda v: '+'.join(v) if isinstance(v, list) else str(v))
def test_no_proxy(bridges, scripted, host, no_proxy, direct):
    server = scripted(echo)
    proxy = scripted(connect_proxy(target=('127.0.0.1', server.port)))
    bridge = bridges.open(f'ws://{host}:{server.port}/', connect_to=f'127.0.0.1:{server.port}', no_proxy=no_proxy,
                          proxy=f'http://127.0.0.1:{proxy.port}')
    assert bridge['peer'] == f'127.0.0.1:{server.port if direct else proxy.port}'
    assert len(proxy.connections) == (0 if direct else 1)
    assert server.connections[0].header('host') == f'{host.lower()}:{server.port}'
    bridges.close(bridge)


def test_no_proxy_for_unix_sockets(bridges, scripted, folder):
    path = f'{folder}/upstream.sock'
    scripted(echo, listener=listen_at(path))
    proxy = scripted(connect_proxy())
    bridge = bridges.open(f'ws+unix://{path}:/', proxy=f'http://127.0.0.1:{proxy.port}')
    assert bridges.echoes(bridge) and proxy.connections == []
    bridges.close(bridge)


# Who looks the name up, and how it is written --------------------------------


@pytest.mark.parametrize('scheme, asked', [('socks5', '127.0.0.1'), ('socks5h', 'localhost')])
def test_socks5_names(bridges, scripted, scheme, asked):
    server = scripted(echo)
    proxy = scripted(socks5_proxy(target=('127.0.0.1', server.port)))
    bridge = bridges.open(f'ws://localhost:{server.port}/', proxy=f'{scheme}://127.0.0.1:{proxy.port}',
                          socket={'family': 'ipv4'})
    assert proxy.connections[0].asked == (asked, server.port)
    assert proxy.connections[0].methods == [0]  # no credentials, none offered
    assert bridges.echoes(bridge)
    bridges.close(bridge)


@pytest.mark.parametrize('scheme, asked', [('socks4', '127.0.0.1'), ('socks4a', 'localhost')])
def test_socks4_names_and_user(bridges, scripted, scheme, asked):
    server = scripted(echo)
    proxy = scripted(socks4_proxy(target=('127.0.0.1', server.port)))
    bridge = bridges.open(f'ws://localhost:{server.port}/', proxy=f'{scheme}://us%20er@127.0.0.1:{proxy.port}')
    assert (proxy.connections[0].asked, proxy.connections[0].user) == ((asked, server.port), b'us er')
    bridges.close(bridge)


def test_names_that_only_the_proxy_knows(bridges, scripted):
    server = scripted(echo)
    target = ('127.0.0.1', server.port)
    for scheme, script in [('socks5h', socks5_proxy(target=target)), ('socks4a', socks4_proxy(target=target)),
                           ('http', connect_proxy(target=target))]:
        proxy = scripted(script)
        bridge = bridges.open('ws://only.there.invalid/', proxy=f'{scheme}://127.0.0.1:{proxy.port}')
        conn = proxy.connections[0]
        if scheme == 'http':
            assert conn.request.split(b'\r\n')[0] == b'CONNECT only.there.invalid:80 HTTP/1.1'
            assert conn.header('host') == 'only.there.invalid:80'
        else:
            assert conn.asked == ('only.there.invalid', 80)
        bridges.close(bridge)


def test_ipv6_targets(bridges, scripted):
    server = scripted(echo)
    target = ('127.0.0.1', server.port)
    proxy = scripted(connect_proxy(target=target))
    bridges.close(bridges.open('ws://[2001:db8::1]:81/', proxy=f'http://127.0.0.1:{proxy.port}'))
    assert proxy.connections[0].request.startswith(b'CONNECT [2001:db8::1]:81 HTTP/1.1\r\n')
    for scheme in ('socks5', 'socks5h'):
        proxy = scripted(socks5_proxy(target=target))
        bridges.close(bridges.open('ws://[2001:db8::1]:81/', proxy=f'{scheme}://127.0.0.1:{proxy.port}'))
        assert proxy.connections[0].asked == ('2001:db8::1', 81)
    proxy = scripted(socks4_proxy())
    error = bridges.refused('ws://[2001:db8::1]:81/', proxy=f'socks4://127.0.0.1:{proxy.port}')
    assert error.kind in ('proxy', 'address') and error.data['stage'] in ('proxy', 'resolve')


def test_connect_to_is_what_the_proxy_is_asked_for(bridges, scripted):
    server = scripted(echo)
    proxy = scripted(connect_proxy())
    bridge = bridges.open('ws://good.test/', connect_to=f'127.0.0.1:{server.port}',
                          proxy=f'http://127.0.0.1:{proxy.port}')
    assert proxy.connections[0].request.startswith(f'CONNECT 127.0.0.1:{server.port} '.encode())
    assert server.connections[0].header('host') == 'good.test'
    bridges.close(bridge)


# TLS to the proxy ------------------------------------------------------------


@pytest.mark.parametrize('secure', [False, True], ids=['ws', 'wss'])
def test_https_proxy(bridges, scripted, certs, secure):
    server = scripted(echo, cert=certs['rsa'] if secure else None)
    proxy = scripted(connect_proxy(), cert=certs['ecdsa'])
    bridge = bridges.open(server.url(), proxy=f'https://user:password@localhost:{proxy.port}',
                          tls={'ca_file': certs.ca_file})
    assert proxy.names == ['localhost']
    assert (bridge['tls'] is not None) == secure
    assert bridges.echoes(bridge) and bridges.echoes(bridge, 'x' * 300000)
    bridges.close(bridge)


@pytest.mark.parametrize('name', ['expired', 'unknown CA', 'wrong host'], ids=lambda v: v.replace(' ', '-'))
def test_https_proxy_that_is_not_verified_gets_nothing(bridges, scripted, certs, name):
    proxy = scripted(swallow, cert=certs[name])
    error = bridges.refused('ws://good.test/', proxy=f'https://user:password@localhost:{proxy.port}',
                            tls={'ca_file': certs.ca_file})
    assert error.kind in ('tls', 'proxy') and error.data['stage'] in ('tls', 'proxy')
    assert f'proxy localhost:{proxy.port}' in error.message
    assert [c.rest for c in proxy.connections] == [b'']


def test_server_name_and_client_certificate_are_not_for_the_proxy(bridges, scripted, certs):
    server = scripted(echo, cert=certs['rsa'])
    seen = []

    def script(conn):
        seen.append(conn.socket.getpeercert(True))
        connect_proxy()(conn)

    proxy = scripted(script, cert=certs['ecdsa'])
    proxy.context.load_verify_locations(certs.ca_file)
    proxy.context.verify_mode = ssl.CERT_OPTIONAL  # it asks, and would take one
    tls = {'ca_file': certs.ca_file, 'server_name': 'good.test', 'cert': certs['client'].cert,
           'key': certs['client'].key, 'key_password': certs['client'].password, 'pin_sha256': [certs['rsa'].pin]}
    bridge = bridges.open(server.url(), proxy=f'https://localhost:{proxy.port}', tls=tls)
    assert (proxy.names, server.names) == (['localhost'], ['good.test'])
    assert seen == [None]
    bridges.close(bridge)


# Whose secrets go where ------------------------------------------------------

PROXY_SECRETS = ('pr0xy-us3r', 'pr0xy-p4ssword')
ORIGIN = {
    'headers': {'X-Token': 'or1gin-token'},
    'auth': {'basic': {'user': 'or1gin-us3r', 'password': 'or1gin-p4ssword'}},
    'cookie': 'session=or1gin-c00kie', 'origin': 'http://or1gin.test', 'subprotocols': ['or1gin-protocol'],
}


def encoded(*texts):
    """Each as it is and in Base64, also together as Basic has it."""
    basic = ':'.join(texts)
    return [t.encode() for t in texts] + [base64.b64encode(t.encode()).rstrip(b'=') for t in (*texts, basic)]


@pytest.mark.parametrize('kind', ['http', 'https', 'socks5'])
@pytest.mark.parametrize('secure', [False, True], ids=['ws', 'wss'])
def test_secrets_stay_on_their_side(bridges, scripted, certs, kind, secure):
    server = scripted(echo, cert=certs['rsa'] if secure else None)
    script = socks5_proxy(method=2) if kind == 'socks5' else connect_proxy()
    proxy = scripted(script, cert=certs['ecdsa'] if kind == 'https' else None)
    bridge = bridges.open(server.url('/or1gin-path?or1gin-query'), tls={'ca_file': certs.ca_file},
                          proxy=f'{kind}://{":".join(PROXY_SECRETS)}@localhost:{proxy.port}', **ORIGIN)
    assert bridges.echoes(bridge, 'or1gin-message')
    bridges.close(bridge)
    to_proxy, to_server = proxy.connections[0], server.connections[0]
    if kind == 'socks5':
        assert to_proxy.credentials == tuple(s.encode() for s in PROXY_SECRETS)
    else:
        assert to_proxy.header('proxy-authorization') == 'Basic ' + base64.b64encode(
            ':'.join(PROXY_SECRETS).encode()).decode()
        names = {name for name, _ in to_proxy.headers}
        assert names <= {'host', 'user-agent', 'proxy-authorization', 'proxy-connection'}
    assert to_server.header('x-token') == 'or1gin-token'
    for secret in encoded(*PROXY_SECRETS):
        assert secret not in to_server.request
        assert secret not in bytes(to_proxy.tunnelled)
    assert to_server.header('proxy-authorization') is None and b'roxy-Auth' not in bytes(to_proxy.tunnelled)
    assert b'or1gin' not in to_proxy.request
    if secure:
        assert b'or1gin' not in bytes(to_proxy.tunnelled)
        for secret in encoded('or1gin-us3r', 'or1gin-p4ssword'):
            assert secret not in bytes(to_proxy.tunnelled)


def test_credentials_go_to_a_proxy_only_when_it_is_that_proxy(bridges, scripted):
    """Digest and Basic alike: what the server behind the tunnel asks for is not the proxy's affair."""
    def script(conn):
        conn.read_request()
        conn.send(b'HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm="x"\r\nContent-Length: 0\r\n\r\n')
        swallow(conn)

    server = scripted(script)
    proxy = scripted(connect_proxy())
    error = bridges.refused(server.url(), proxy=f'http://{":".join(PROXY_SECRETS)}@127.0.0.1:{proxy.port}')
    assert (error.kind, error.data['status'], error.data['stage']) == ('bad_status', 407, 'handshake')
    assert len(server.connections) == 1 and server.connections[0].header('proxy-authorization') is None


def test_frames_pass_at_once(bridges, scripted):
    """Bytes that the server sends together with its answer come out of the tunnel, too."""
    def script(conn):
        conn.upgrade(behind=frames.text('early'))
        conn.drain_to_close()

    server = scripted(script)
    proxy = scripted(connect_proxy())
    bridge = bridges.open(server.url(), proxy=f'http://127.0.0.1:{proxy.port}')
    bridges.daemon.wait_status(bridge['name'], lambda b: b['rx']['messages'] == 1)
    bridges.close(bridge)
