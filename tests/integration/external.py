# SPDX-License-Identifier: Apache-2.0
"""
Programs of the distribution that stand between a bridge and its server: nginx as a TLS front, and
proxies. Each runs in the foreground on loopback ports with its files in a folder of its own, and
ends with the test run. What is not installed skips with a sentence.
"""

import glob
import hashlib
import os
import shutil
import signal
import socket
import subprocess
from urllib.parse import quote

import pytest

from certs import openssl
from harness import free_port, wait_until

# Where Debian has daemons, which is not on every user's path.
PATH = os.environ.get('PATH', '') + ':/usr/sbin:/sbin'


def find(program, package):
    path = shutil.which(program, path=PATH)
    if path is None:
        pytest.skip(f'{program} not found: apt-get install {package}')
    return path


def has_ipv6():
    try:
        with socket.create_server(('::1', 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


def connect(place):
    """place: (host, port), a port of 127.0.0.1, or the path of a Unix socket."""
    if isinstance(place, str):
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(place)
        return sock
    return socket.create_connection(place if isinstance(place, tuple) else ('127.0.0.1', place), timeout=5)


class Program:
    """A process and all it forks, with what it says in a file."""

    def __init__(self, argv, folder, name='program'):
        self.argv, self.log_path = argv, os.path.join(folder, f'{name}.log')
        with open(self.log_path, 'wb') as log:
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder,
                                            start_new_session=True)

    def log(self):
        with open(self.log_path, encoding='utf-8', errors='replace') as f:
            return f.read()

    def wait_listening(self, *places):
        for place in places:
            wait_until(lambda place=place: self._accepts(place), 20, f'{self.argv[0]} listens at {place}')
        return self

    def _accepts(self, place):
        assert self.process.poll() is None, f'{self.argv} ended with {self.process.returncode}:\n{self.log()}'
        try:
            connect(place).close()
            return True
        except (ConnectionRefusedError, FileNotFoundError):
            return False

    def ask_to_stop(self):
        """Politely first: some leave shared memory behind otherwise."""
        self.process.terminate()

    def stop(self):
        self.ask_to_stop()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            pass
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()


def write(folder, name, text, mode=0o644):
    path = os.path.join(folder, name)
    with open(path, 'w', encoding='utf-8') as f:
        f.write(text)
    os.chmod(path, mode)
    return path


# nginx ----------------------------------------------------------------------

NGINX = '''
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 256; }}
http {{
	access_log off;
	client_body_temp_path {folder}/body;
	proxy_temp_path {folder}/proxy;
	fastcgi_temp_path {folder}/fastcgi;
	uwsgi_temp_path {folder}/uwsgi;
	scgi_temp_path {folder}/scgi;
	ssl_protocols TLSv1.2 TLSv1.3;
	proxy_http_version 1.1;
	proxy_set_header Upgrade $http_upgrade;
	proxy_set_header Connection upgrade;
	proxy_set_header Host $http_host;
	proxy_set_header X-Client $ssl_client_s_dn;
	proxy_set_header X-Sni $ssl_server_name;
	proxy_read_timeout 1h;
	{servers}
}}
'''
NGINX_SERVER = 'server {{ {listen} {more} location / {{ proxy_pass http://127.0.0.1:{port}; }} }}'


class Nginx:
    """
    In front of a WebSocket server: `rsa`, `ecdsa` and `clients` (certificates required) are ports
    with TLS, `plain6` and `rsa6` those at ::1, `unix` is the path of a socket without TLS.
    """

    def __init__(self, folder, certs, server_port):
        path = find('nginx', 'nginx-light')
        self.rsa, self.ecdsa, self.clients, self.plain6, self.rsa6 = (free_port() for _ in range(5))
        self.unix = os.path.join(folder, 'nginx.sock')
        identity = {name: f'ssl_certificate {certs[name].cert}; ssl_certificate_key {certs[name].key};'
                    for name in ('rsa', 'ecdsa')}
        asks = f'ssl_verify_client on; ssl_client_certificate {certs.ca_file};'
        fronts = [(f'listen 127.0.0.1:{self.rsa} ssl;', identity['rsa']),
                  (f'listen 127.0.0.1:{self.ecdsa} ssl;', identity['ecdsa']),
                  (f'listen 127.0.0.1:{self.clients} ssl;', identity['ecdsa'] + asks),
                  (f'listen unix:{self.unix};', '')]
        if has_ipv6():
            fronts += [(f'listen [::1]:{self.plain6};', ''), (f'listen [::1]:{self.rsa6} ssl;', identity['rsa'])]
        servers = '\n\t'.join(NGINX_SERVER.format(listen=a, more=b, port=server_port) for a, b in fronts)
        conf = write(folder, 'nginx.conf', NGINX.format(folder=folder, servers=servers))
        self.program = Program([path, '-c', conf, '-p', folder], folder, 'nginx')
        self.program.wait_listening(self.rsa, self.ecdsa, self.clients, self.unix)
        if has_ipv6():
            self.program.wait_listening(('::1', self.plain6), ('::1', self.rsa6))


# Proxies --------------------------------------------------------------------

USER, PASSWORD = 'proxy-user', 'pr0xy+/=:pass'
PLAIN_PASSWORD = 'proxy-pass'  # tinyproxy takes no others

TINYPROXY = '''
Port {port}
Listen 127.0.0.1
Timeout 600
MaxClients 50
LogLevel Info
Allow 127.0.0.1
{more}
'''

# What runs as root gives its rights up, and must still reach its files.
SQUID = '''
http_port 127.0.0.1:{port}
visible_hostname localhost
pid_filename none
access_log none
cache_log stdio:/dev/stderr
cache_store_log none
cache_mem 8 MB
cache deny all
coredump_dir {folder}
netdb_filename none
pinger_enable off
shutdown_lifetime 0 seconds
max_filedescriptors 1024
{auth}
acl known proxy_auth REQUIRED
http_access allow known
http_access deny all
'''
REALM = 'a proxy'
SQUID_AUTH = {
    'basic': 'auth_param basic program {helpers}/basic_ncsa_auth {folder}/basic\n'
             'auth_param basic children 1 startup=1\nauth_param basic realm {realm}',
    'digest': 'auth_param digest program {helpers}/digest_file_auth -c {folder}/digest\n'
              'auth_param digest children 1 startup=1\nauth_param digest realm {realm}',
}

DANTE = '''
logoutput: stderr
internal: 127.0.0.1 port = {port}
external: 127.0.0.1
clientmethod: none
socksmethod: none
client pass {{
	from: 127.0.0.0/8 to: 0.0.0.0/0
}}
socks pass {{
	from: 127.0.0.0/8 to: 0.0.0.0/0
	protocol: tcp
	command: connect
}}
'''


class Proxy:
    """One proxy program; `credentials`, (user, password) or None, is what it wants."""

    def __init__(self, folder, name, argv, port, credentials=None):
        self.port, self.credentials = port, credentials
        self.program = Program(argv, folder, name)

    def url(self, scheme, credentials=None):
        """For the option `proxy`."""
        info = ':'.join(quote(c, safe='') for c in credentials) + '@' if credentials else ''
        return f'{scheme}://{info}127.0.0.1:{self.port}'


def tinyproxy(folder, with_auth):
    port, name = free_port(), f'tinyproxy-{"auth" if with_auth else "open"}'
    conf = write(folder, f'{name}.conf', TINYPROXY.format(
        port=port, more=f'BasicAuth {USER} {PLAIN_PASSWORD}' if with_auth else ''))
    return Proxy(folder, name, [find('tinyproxy', 'tinyproxy'), '-d', '-c', conf], port,
                 (USER, PLAIN_PASSWORD) if with_auth else None)


def squid(folder, scheme):
    port, own = free_port(), os.path.join(folder, f'squid-{scheme}')
    os.mkdir(own)
    for path in (folder, own):
        os.chmod(path, 0o755)
    helpers = glob.glob('/usr/lib*/squid')[:1] or ['/usr/libexec/squid']
    hashed = openssl('passwd', '-apr1', PASSWORD).decode().strip()
    write(own, 'basic', f'{USER}:{hashed}\n')
    write(own, 'digest', f'{USER}:{REALM}:{hashlib.md5(f"{USER}:{REALM}:{PASSWORD}".encode()).hexdigest()}\n')
    auth = SQUID_AUTH[scheme].format(helpers=helpers[0], folder=own, realm=REALM)
    conf = write(own, 'squid.conf', SQUID.format(port=port, folder=own, auth=auth))
    return Proxy(own, 'squid', [find('squid', 'squid'), '-N', '-n', f'wsb{port}', '-f', conf], port, (USER, PASSWORD))


def microsocks(folder):
    port = free_port()
    argv = [find('microsocks', 'microsocks'), '-i', '127.0.0.1', '-p', str(port), '-u', USER, '-P', PASSWORD]
    return Proxy(folder, 'microsocks', argv, port, (USER, PASSWORD))


def dante(folder):
    port = free_port()
    conf = write(folder, 'dante.conf', DANTE.format(port=port))
    return Proxy(folder, 'dante', [find('danted', 'dante-server'), '-f', conf, '-p', folder + '/dante.pid'], port)


# Servers --------------------------------------------------------------------

# Versions before 2.0.12 do not start with a WebSocket listener alone.
MOSQUITTO = '''
listener 0 {folder}/mqtt
listener {port} 127.0.0.1
protocol websockets
allow_anonymous true
persistence false
user root
log_dest stderr
'''


def mosquitto(folder):
    """(program, port) of an MQTT broker that listens for WebSockets."""
    port = free_port()
    conf = write(folder, 'mosquitto.conf', MOSQUITTO.format(folder=folder, port=port))
    program = Program([find('mosquitto', 'mosquitto'), '-c', conf], folder, 'mosquitto')
    return program.wait_listening(port), port


def websockify(folder, target_port):
    """(program, port) of a WebSocket server that passes bytes on to a TCP port of 127.0.0.1."""
    port = free_port()
    argv = [find('websockify', 'websockify'), f'127.0.0.1:{port}', f'127.0.0.1:{target_port}']
    return Program(argv, folder, 'websockify').wait_listening(port), port


def tcp_server(folder, command):
    """(program, port): socat, which runs a shell command for each connection."""
    port = free_port()
    argv = [find('socat', 'socat'), f'TCP-LISTEN:{port},bind=127.0.0.1,reuseaddr,fork,backlog=64', f'SYSTEM:{command}']
    return Program(argv, folder, 'socat').wait_listening(port), port
