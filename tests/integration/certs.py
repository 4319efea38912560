# SPDX-License-Identifier: Apache-2.0
"""
Certificates of every kind, good and bad, made by the openssl command line for one run: keys are
never in the tree, and nothing expires with the years. Not a library: each kind is a row below. The
trap: `openssl req` cannot make a certificate of the past, so `openssl ca` signs them all.
"""

import base64
import calendar
import hashlib
import os
import subprocess
import time

PAST, FUTURE = '20200101000000Z', '20400101000000Z'

NAMES = 'DNS:good.test,DNS:*.wild.test,DNS:localhost,IP:127.0.0.1,IP:::1'
ROW = {'key': 'ec', 'cn': 'a server', 'sans': NAMES, 'ca': 'ca', 'from': PAST, 'to': FUTURE, 'usage': 'serverAuth'}

LEAVES = {
    'rsa': {'key': 'rsa:2048'},
    'ecdsa': {},
    'expired': {'to': '20210101000000Z'},
    'not yet valid': {'from': '20390101000000Z'},
    'wrong host': {'sans': 'DNS:other.test,IP:192.0.2.1'},
    'unknown CA': {'ca': 'stranger'},
    'CN only': {'cn': 'good.test', 'sans': None},
    'wide wildcard': {'sans': 'DNS:*.test'},
    'partial wildcard': {'sans': 'DNS:go*.good.test'},
    'address as a name': {'sans': 'DNS:127.0.0.1'},
    'short key': {'key': 'rsa:1024'},
    'for clients': {'usage': 'clientAuth'},
    'signed by a leaf': {'ca': 'ecdsa'},
    'client': {'cn': 'a client', 'sans': None, 'usage': 'clientAuth', 'password': 'the key of the client'},
    'other client': {'cn': 'another client', 'sans': None, 'usage': 'clientAuth', 'ca': 'stranger'},
}

CONFIG = """
[req]
distinguished_name = nothing
prompt = no
[nothing]
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[ca]
default_ca = this
[this]
database = {folder}/index
rand_serial = yes
new_certs_dir = {folder}
default_md = sha256
policy = policy
unique_subject = no
[policy]
commonName = supplied
[self signed]
basicConstraints = critical,CA:FALSE
subjectAltName = {names}
"""


def openssl(*words):
    done = subprocess.run(['openssl', *words], capture_output=True, check=False)
    assert done.returncode == 0, f'openssl {" ".join(words)}: {done.stderr.decode()}'
    return done.stdout


class Cert:
    """Paths of one certificate and its key, and what can be said of them."""

    def __init__(self, folder, name):
        self.cert, self.key = (os.path.join(folder, f'{name.replace(" ", "-")}.{kind}') for kind in ('pem', 'key'))
        self.password = None

    @property
    def pin(self):
        """SHA-256 of the SPKI, as tls.pin_sha256 has it."""
        pem = openssl('x509', '-in', self.cert, '-noout', '-pubkey').decode()
        der = base64.b64decode(''.join(pem.splitlines()[1:-1]))
        return base64.b64encode(hashlib.sha256(der).digest()).decode()

    @property
    def not_after(self):
        """Seconds since 1970."""
        line = openssl('x509', '-in', self.cert, '-noout', '-enddate').decode().strip()
        return calendar.timegm(time.strptime(line, 'notAfter=%b %d %H:%M:%S %Y GMT'))

    @property
    def pem(self):
        with open(self.cert, 'rb') as f:
            return f.read()


class Certs:
    """certs['expired']: made when first asked for."""

    def __init__(self, folder):
        self.folder = folder
        self.made = {}
        self.config = os.path.join(folder, 'openssl.cnf')
        with open(self.config, 'w', encoding='ascii') as f:
            f.write(CONFIG.format(folder=folder, names=NAMES))
        with open(os.path.join(folder, 'index'), 'w', encoding='ascii'):
            pass

    def __getitem__(self, name):
        if name not in self.made:
            cert = Cert(self.folder, name)
            if name in LEAVES:
                self._make_leaf(cert, {**ROW, **LEAVES[name]})
            else:
                self._make_root(cert, name)
            self.made[name] = cert
        return self.made[name]

    @property
    def ca_file(self):
        return self['ca'].cert

    @staticmethod
    def _new_key(kind):
        return ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'] if kind == 'ec' else ['-newkey', kind]

    def _make_root(self, cert, name):
        extensions = 'self signed' if name == 'self-signed' else 'root'
        openssl('req', '-x509', '-config', self.config, '-extensions', extensions, *self._new_key('ec'), '-nodes',
                '-keyout', cert.key, '-out', cert.cert, '-days', '3650', '-subj', f'/CN=the root {name}')

    def _make_leaf(self, cert, row):
        request, extensions = cert.cert + '.csr', cert.cert + '.ext'
        cert.password = row.get('password')
        protection = ['-passout', f'pass:{cert.password}'] if cert.password else ['-nodes']
        openssl('req', '-new', '-config', self.config, *self._new_key(row['key']), *protection, '-keyout', cert.key,
                '-out', request, '-subj', f'/CN={row["cn"]}')
        with open(extensions, 'w', encoding='ascii') as f:
            f.write(f'basicConstraints = critical,CA:FALSE\nextendedKeyUsage = {row["usage"]}\n')
            if row['sans']:
                f.write(f'subjectAltName = {row["sans"]}\n')
        issuer = self[row['ca']]
        openssl('ca', '-batch', '-notext', '-config', self.config, '-cert', issuer.cert, '-keyfile',
                issuer.key, '-in', request, '-out', cert.cert, '-extfile', extensions, '-startdate', row['from'],
                '-enddate', row['to'])
        if row['ca'] in LEAVES:
            with open(cert.cert, 'ab') as f:
                f.write(issuer.pem)
